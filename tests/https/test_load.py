"""Many clients, slow ones, large ones, and those who send garbage: others are served, nothing is kept.

Memory is the proportional set size of the enclave and of the process of the system actors.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import socket
import ssl
import struct
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.conftest import App, deployment_of
from tests.sites import answer, running, tool

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.sites import Site

SOURCE = Path(__file__).with_name("load.py")
PROCESSES = ("enclave-1", "system.json")
REQUEST = b"GET /1k HTTP/1.1\r\nHost: localhost\r\n\r\n"
BIG = 100 << 20
SAID = {"SSL connection is closed", "WARNING:  Invalid HTTP request received."}
"""By asyncio, to an application that goes on writing to somebody who has left; by uvicorn."""


def what(folder: Path, *params: str) -> list[str | Path]:
    """Return what to run."""
    deployment = folder / "load.xml"
    deployment.write_text(deployment_of("Load:1"), encoding="utf-8")
    return [SOURCE, deployment, *(word for param in params for word in ("--param", param))]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One site for all attacks: what one leaves behind the next would find."""
    folder = tmp_path_factory.mktemp("load")
    with running(folder, *what(folder)) as site:
        yield site
        assert set(site.errors().splitlines()) <= SAID


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One that waits for nobody's head longer than a second."""
    folder = tmp_path_factory.mktemp("impatient")
    with running(folder, *what(folder, "Load.head_seconds=1")) as site:
        yield site
        assert site.errors() == ""


def plain(site: Site) -> socket.socket:
    """Connect without TLS."""
    return socket.create_connection(("127.0.0.1", site.port), timeout=60)


def secured(site: Site, count: int = 1) -> list[ssl.SSLSocket]:
    """Connect so many clients."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return [context.wrap_socket(plain(site), server_hostname="localhost") for _ in range(count)]


def served(site: Site) -> bool:
    """Tell whether a new client gets its answer."""
    (connection,) = secured(site)
    with connection:
        connection.sendall(REQUEST)
        ((head, body),) = answer(connection)
    return head.startswith(b"HTTP/1.1 200") and len(body) == 1024


def sockets(site: Site) -> int:
    """Return how many sockets the enclave has open, besides its listener and ours."""
    (connection,) = secured(site)
    with connection:
        connection.sendall(b"GET /sockets HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return int(answer(connection)[0][1]) - 2


def nothing_is_left(site: Site) -> bool:
    """Wait until all sockets and descriptors are gone."""
    return App.wait_until(lambda: sockets(site) == 0, 30) and App.wait_until(
        lambda: site.descriptors("system.json") < 32, 10
    )


def memory(site: Site) -> list[int]:
    """Return the memory of each process, in KiB."""
    return [site.memory(process) for process in PROCESSES]


def grown(site: Site, before: Sequence[int]) -> list[int]:
    """Return by how much memory has grown."""
    return [now - then for now, then in zip(memory(site), before, strict=True)]


def test_a_thousand_connections_at_once(site: Site) -> None:
    """All are answered, over one handshake each; an idle one costs no more than 130 KiB."""
    before = memory(site)
    connections = secured(site, 1000)
    assert sockets(site) == 1000
    for connection in connections:
        connection.sendall(REQUEST)
    assert all(answer(connection)[0][0].startswith(b"HTTP/1.1 200") for connection in connections)
    enclave, system = grown(site, before)
    print(f"{enclave / 1000} + {system / 1000} KiB for each connection")  # noqa: T201
    assert enclave < 130 * 1000
    assert system < 8 * 1000
    for connection in connections:
        connection.close()
    assert nothing_is_left(site)


def test_clients_that_never_end_a_request_are_sent_away(impatient: Site) -> None:
    """Slow-loris: 300 who send a head letter by letter, and others are served meanwhile."""
    connections = secured(impatient, 300)
    for letter in b"GET / HT":
        for connection in connections:
            with contextlib.suppress(OSError):  # the first may have been sent away
                connection.sendall(bytes([letter]))
        assert served(impatient)
    for connection in connections:
        with contextlib.suppress(OSError):
            assert connection.recv(1) == b""
        connection.close()
    assert nothing_is_left(impatient)


def test_a_second_head_is_not_waited_for_either(impatient: Site) -> None:
    """One request in good order first."""
    (connection,) = secured(impatient)
    with connection:
        connection.sendall(REQUEST)
        answer(connection)
        connection.sendall(b"GET /1k HTTP/1.1\r\nHost:")
        with contextlib.suppress(OSError):
            assert connection.recv(1) == b""
    assert nothing_is_left(impatient)


def test_whoever_goes_away_is_forgotten(site: Site) -> None:
    """At any moment, with an end, a reset, or half of one; in the handshake, the head, the answer."""
    number = random.Random(7)
    said = [b"", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\x16"]
    for turn in range(300):
        connection: socket.socket
        if turn % 2:
            connection = plain(site)
            connection.sendall(number.choice(said))
        else:
            (connection,) = secured(site)
            connection.sendall(
                number.choice([REQUEST, REQUEST[:20], b"GET /down?mib=1 HTTP/1.1\r\nHost: localhost\r\n\r\n"])
            )
        match turn % 3:
            case 0:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            case 1:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_WR)
        connection.close()
    assert served(site)
    assert nothing_is_left(site)


def test_garbage_is_refused(site: Site) -> None:
    """What is no TLS, and records that are none in the middle of a connection."""
    number = random.Random(11)
    before = memory(site)
    for turn in range(300):
        with plain(site) as connection, contextlib.suppress(OSError):
            kind = bytes([number.choice([20, 21, 22, 23, 99]), 3, number.randrange(5)])
            length = number.randrange(1, 20_000)
            said = number.randbytes(length)
            connection.sendall(kind + length.to_bytes(2, "big") + said if turn % 2 else said)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(4096):
                pass
    for _ in range(50):
        (secure,) = secured(site)
        raw = socket.socket(fileno=os.dup(secure.fileno()))
        with raw, secure, contextlib.suppress(OSError):
            raw.sendall(b"\x17\x03\x03\x40\x00" + number.randbytes(0x4000))
            assert secure.recv(1) == b""
    assert served(site)
    assert max(grown(site, before)) < 16 << 10
    assert nothing_is_left(site)


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: " + b"y" * 200_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\r\n\0\1\2 nothing\r\n\r\n",
        b"POST /up HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /up HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
    ids=["header", "path", "version", "no request", "length", "chunk"],
)
def test_what_is_no_http_is_refused(site: Site, request_: bytes) -> None:
    """Or the connection ends; oversized heads are not kept."""
    (connection,) = secured(site)
    with connection, contextlib.suppress(ConnectionError, ssl.SSLEOFError):
        connection.sendall(request_)
        data = connection.recv(65536)
        assert data == b"" or data.startswith(b"HTTP/1.1 4")
    assert served(site)


def test_a_large_answer_takes_little_memory(site: Site) -> None:
    """100 MiB for a client that does not read for a while, and others are served meanwhile."""
    before = memory(site)
    (connection,) = secured(site)
    with connection:
        connection.sendall(b"GET /down?mib=100 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert all(served(site) for _ in range(20))
        assert max(grown(site, before)) < 4 << 10
        ((head, body),) = answer(connection)
    assert head.startswith(b"HTTP/1.1 200")
    assert len(body) == BIG
    assert body == bytes(range(256)) * (BIG // 256)
    assert max(grown(site, before)) < 4 << 10
    assert nothing_is_left(site)


def test_a_large_question_takes_little_memory(site: Site) -> None:
    """100 MiB for an application that does not read for a while: the client has to wait."""
    before = memory(site)
    part = random.Random(5).randbytes(1 << 20)
    (connection,) = secured(site)
    with connection:
        head = f"POST /waiting HTTP/1.1\r\nHost: localhost\r\nContent-Length: {BIG}\r\n\r\n"
        connection.sendall(head.encode())
        connection.settimeout(0.5)
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < BIG:
                sent += connection.send(part[sent % len(part) :])
        # What the kernel holds on both sides, and not what the enclave could.
        assert sent < 32 << 20
        assert served(site)
        assert max(grown(site, before)) < 4 << 10
        connection.settimeout(60)
        (other,) = secured(site)
        with other:
            other.sendall(b"GET /go HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer(other)
        while sent < BIG:
            sent += connection.send(part[sent % len(part) :])
        ((_, body),) = answer(connection)
    assert body.decode() == hashlib.sha256(part * (BIG >> 20)).hexdigest()
    assert max(grown(site, before)) < 4 << 10
    assert nothing_is_left(site)


def test_curl_moves_a_hundred_mebibytes_in_both_directions(site: Site, tmp_path: Path) -> None:
    """And they are the same ones afterwards."""
    file = tmp_path / "big"
    file.write_bytes(os.urandom(1 << 20) * 100)
    where = f"https://localhost:{site.port}"
    options = ("-sSk", "--fail", "--max-time", "100", "-H", "Expect:")
    up = subprocess.run(
        [tool("curl"), *options, "--data-binary", f"@{file}", f"{where}/up"], capture_output=True, check=True
    )
    assert up.stdout.decode() == hashlib.sha256(file.read_bytes()).hexdigest()
    subprocess.run([tool("curl"), *options, "-o", file, f"{where}/down?mib=100"], check=True)
    assert file.read_bytes() == bytes(range(256)) * (BIG // 256)
    assert nothing_is_left(site)


def test_more_clients_than_descriptors_wait_their_turn(tmp_path: Path) -> None:
    """The process of the system actors takes all that it may have; whoever is too many waits."""
    files = what(tmp_path)
    script = tmp_path / "few"
    script.write_text('#!/bin/sh\nulimit -n 64\nulimit -Sn 32\nexec "$@"\n', encoding="ascii")
    script.chmod(0o700)
    with running(tmp_path, *files, before=(script,)) as site:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        waiting = [plain(site) for _ in range(80)]
        assert App.wait_until(lambda: site.descriptors("system.json") == 64)
        for connection in waiting:
            with context.wrap_socket(connection, server_hostname="localhost") as secure:
                secure.sendall(REQUEST)
                assert len(answer(secure)[0][1]) == 1024
        assert site.errors() == ""


@pytest.mark.stress
@pytest.mark.timeout(600)
def test_a_hundred_thousand_requests_leave_nothing(site: Site) -> None:
    """Over kept connections and over new ones; the second half takes no more memory than the first."""
    where = f"https://127.0.0.1:{site.port}/1k"

    def requests(count: int) -> list[int]:
        kept = [tool("h2load"), "--h1", "-n", str(count), "-c", "32", where]
        done = subprocess.run(kept, capture_output=True, text=True, check=True)
        assert f"{count} succeeded, 0 failed, 0 errored" in done.stdout
        for _ in range(count // 500):
            new = [tool("h2load"), "--h1", "-n", "8", "-c", "8", where]
            assert "8 succeeded" in subprocess.run(new, capture_output=True, text=True, check=True).stdout
        assert nothing_is_left(site)
        return memory(site)

    first = requests(50_000)
    second = requests(50_000)
    print(f"memory in KiB: {first}, {second}")  # noqa: T201
    assert all(now - then < 1024 for now, then in zip(second, first, strict=True))
