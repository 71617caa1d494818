"""Real clients visit the example: curl, OpenSSL, wrk, h2load, a WebSocket library."""

from __future__ import annotations

import asyncio
import re
import ssl
import subprocess
from typing import TYPE_CHECKING

import pytest
from tests.sites import answer, tool
from websockets.asyncio.client import connect

if TYPE_CHECKING:
    from tests.sites import Site


def head_of(output: bytes) -> dict[str, str]:
    """Return status and headers of what ``curl -i`` printed."""
    first, *lines = output.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    pairs = (line.partition(": ") for line in lines)
    return {"status": first.split()[1], **{name.lower(): value for name, _, value in pairs}}


def fetched(
    site: Site, path: str, *options: str, name: str = "book.localhost"
) -> tuple[dict[str, str], bytes]:
    """Return head and body of a page."""
    done = site.curl(path, "-i", *options, name=name)
    assert done.returncode == 0, done.stderr
    return head_of(done.stdout), done.stdout.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/style.css", "text/css; charset=utf-8"),
        ("/talk.js", "text/javascript; charset=utf-8"),
        ("/lock.svg", "image/svg+xml"),
        ("/api/entries", "application/json"),
    ],
)
def test_curl_gets_every_page_with_its_type(site: Site, path: str, kind: str) -> None:
    """The certificate is checked against the one that the name is for."""
    head, body = fetched(site, path)
    assert (head["status"], head["content-type"]) == ("200", kind)
    assert int(head["content-length"]) == len(body) > 0


def test_parts_of_a_file(site: Site) -> None:
    """Ranges: from, to, the last; none of it; several, which are answered by the whole."""
    whole = fetched(site, "/style.css")[1]
    for asked, part in (
        ("5-9", whole[5:10]),
        ("10-", whole[10:]),
        ("-7", whole[-7:]),
        ("5-99999", whole[5:]),
    ):
        head, body = fetched(site, "/style.css", "-r", asked)
        assert (head["status"], body) == ("206", part)
        start = whole.index(part) if part else 0
        assert head["content-range"] == f"bytes {start}-{start + len(part) - 1}/{len(whole)}"
    head, _ = fetched(site, "/style.css", "-r", "99999-")
    assert (head["status"], head["content-range"]) == ("416", f"bytes */{len(whole)}")
    head, body = fetched(site, "/style.css", "-r", "1-2,4-5")
    assert (head["status"], body) == ("200", whole)


def test_a_client_that_knows_a_file_does_not_get_it_again(site: Site) -> None:
    """By its entity tag; another tag, and a range of another version, get the whole."""
    head, whole = fetched(site, "/style.css")
    known, body = fetched(site, "/style.css", "-H", f"If-None-Match: {head['etag']}")
    assert (known["status"], known["etag"], body) == ("304", head["etag"], b"")
    assert fetched(site, "/style.css", "-H", 'If-None-Match: "other"')[0]["status"] == "200"
    assert fetched(site, "/style.css", "-r", "0-1", "-H", 'If-Range: "other"')[1] == whole
    assert fetched(site, "/style.css", "-H", 'If-Match: "other"')[0]["status"] == "412"


def test_heads_and_what_is_not_there(site: Site) -> None:
    """HEAD says what GET would; other methods and other names are refused."""
    head, body = fetched(site, "/style.css", "-I")
    assert (head["status"], body) == ("200", b"")
    assert int(head["content-length"]) == len(fetched(site, "/style.css")[1])
    assert fetched(site, "/nothing")[0]["status"] == "404"
    assert fetched(site, "/../../etc/passwd", "--path-as-is")[0]["status"] == "404"
    head, _ = fetched(site, "/style.css", "-X", "DELETE")
    assert (head["status"], head["allow"]) == ("405", "GET, HEAD")


def test_forms_and_json(site: Site) -> None:
    """Whoever signs is in the book, and what they wrote is shown as text."""
    head, _ = fetched(site, "/sign", "--data-urlencode", "words=<b>good day</b>", "-d", "name=Ann")
    assert (head["status"], head["location"]) == ("303", "/")
    assert b"&lt;b&gt;good day&lt;/b&gt;" in fetched(site, "/")[1]
    head, body = fetched(site, "/api/entries", "--json", '{"name": "Bob", "words": "hello"}')
    assert (head["status"], body) == ("201", b'{"written":true}')
    assert fetched(site, "/api/entries", "-d", "no json")[0]["status"] == "422"
    assert b'{"name":"Bob","words":"hello"}' in fetched(site, "/api/entries")[1]


def test_each_name_has_its_own_certificate_and_site(site: Site) -> None:
    """Whoever asks for another name is refused, and learns no name that there is."""
    assert b"<title>Guest book" in fetched(site, "/")[1]
    assert b"<title>The shop" in fetched(site, "/", name="shop.localhost")[1]
    assert fetched(site, "/style.css")[1] != fetched(site, "/style.css", name="shop.localhost")[1]
    with pytest.raises(ssl.SSLError, match=r"unrecognized name|UNRECOGNIZED_NAME"):
        site.connect("stranger.localhost", check=False)


def test_a_request_for_the_other_site_is_misdirected(site: Site) -> None:
    """The handshake names one site, and the request another."""
    assert fetched(site, "/", "-H", "Host: shop.localhost")[0]["status"] == "421"
    assert fetched(site, "/", "-H", "Host: book.localhost:1")[0]["status"] == "200"


def test_one_connection_serves_many_requests(site: Site) -> None:
    """One after the other, and all sent at once (pipelining), in their order."""
    request = b"GET %s HTTP/1.1\r\nHost: book.localhost\r\n\r\n"
    with site.connect() as connection:
        for _ in range(3):
            connection.sendall(request % b"/style.css")
            ((head, body),) = answer(connection)
            assert head.startswith(b"HTTP/1.1 200")
        connection.sendall(request % b"/talk.js" + request % b"/nothing" + request % b"/style.css")
        answers = answer(connection, 3)
    assert [head.split()[1] for head, _ in answers] == [b"200", b"404", b"200"]
    assert answers[2][1] == body


def s_client(site: Site, *options: str, name: str = "book.localhost") -> subprocess.CompletedProcess[str]:
    """Run OpenSSL's own client, with one request."""
    command = [
        tool("openssl"),
        "s_client",
        "-connect",
        f"127.0.0.1:{site.port}",
        "-servername",
        name,
        *options,
    ]
    request = f"GET /style.css HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n"
    return subprocess.run(command, input=request, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize(("option", "version"), [("-tls1_3", "TLSv1.3"), ("-tls1_2", "TLSv1.2")])
def test_openssl_trusts_it(site: Site, option: str, version: str) -> None:
    """With the two versions of TLS that anybody should speak."""
    trust = ("-CAfile", str(site.certificate("book.localhost")), "-partial_chain", "-verify_return_error")
    done = s_client(site, option, *trust, "-verify_hostname", "book.localhost", "-ign_eof")
    assert done.returncode == 0, done.stderr
    assert f"{version}, Cipher is" in done.stdout
    assert "HTTP/1.1 200 OK" in done.stdout


def test_old_versions_of_tls_are_refused(site: Site) -> None:
    """They are broken."""
    done = s_client(site, "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0")
    assert done.returncode != 0
    assert "HTTP/1.1" not in done.stdout


async def talk(site: Site) -> None:
    """Two guests, in one thread: an SSLSocket that several use at once may lose what one of them writes."""
    context = ssl.create_default_context(cafile=site.certificate("book.localhost"))
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    where = f"wss://book.localhost:{site.port}/talk"
    async with (
        asyncio.timeout(30),
        connect(where, ssl=context, host="127.0.0.1") as one,
        connect(where, ssl=context, host="127.0.0.1") as two,
    ):
        # Both are there when both have heard themselves.
        await two.send("two")
        assert await two.recv() == "two"
        await one.send("hello")
        await one.send(["a message ", "in ", "frames"])
        said = ["hello", "a message in frames"]
        assert [await two.recv() for _ in said] == said
        heard = [await one.recv() for _ in range(3)]
        assert heard[-2:] == said or heard[:2] == said


def test_guests_talk_over_websocket(site: Site) -> None:
    """What one says, all hear, in order; a message of many frames included."""
    asyncio.run(talk(site))


def test_wrk_measures_it(site: Site) -> None:
    """Sixteen connections at once, for two seconds."""
    command = [tool("wrk"), "-t", "1", "-c", "16", "-d", "2s", f"https://127.0.0.1:{site.port}/style.css"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "Socket errors" not in done.stdout
    assert "Non-2xx" not in done.stdout
    count = re.search(r"(\d+) requests in", done.stdout)
    assert count is not None
    assert int(count.group(1)) > 50


def test_h2load_measures_it(site: Site) -> None:
    """With HTTP/1.1, which is what uvicorn speaks."""
    where = f"https://127.0.0.1:{site.port}/style.css"
    command = [tool("h2load"), "--h1", "-n", "400", "-c", "8", where]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "400 succeeded, 0 failed, 0 errored, 0 timeout" in done.stdout
