"""Each site in an enclave of its own, behind one port: the door reads names, and nothing else."""

from __future__ import annotations

import contextlib
import socket
import ssl
from typing import TYPE_CHECKING

import pytest
from tests.sites import EXAMPLE, answer, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.sites import Site


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens at."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The two sites behind their door."""
    book, shop = free_ports(2)
    params = (
        "Door.port=0",
        f"Door.routes=book.localhost={book} shop.localhost={shop}",
        f"Book.port={book}",
        f"Shop.port={shop}",
    )
    words = [word for param in params for word in ("--param", param)]
    what: tuple[str | Path, ...] = (EXAMPLE / "https.py", EXAMPLE / "two-enclaves.xml", *words)
    with running(tmp_path_factory.mktemp("door"), *what, opened="the door is open") as site:
        # Both enclaves have to serve before anybody visits them.
        assert site.process.stdout is not None
        assert [site.process.stdout.readline().split()[0] for _ in range(2)] == ["serving", "serving"]
        yield site
        assert site.errors() == ""


def test_each_name_leads_to_its_enclave(door: Site) -> None:
    """Each has a certificate with a quote of its own enclave."""
    assert b"<title>Guest book" in door.curl("/").stdout
    assert b"<title>The shop" in door.curl("/", name="shop.localhost").stdout
    assert door.certificate("book.localhost").read_bytes() != door.certificate("shop.localhost").read_bytes()


def test_whoever_asks_for_nobody_is_sent_away(door: Site) -> None:
    """An unknown name, no name, no TLS, and nothing at all; the door stays open for the others."""
    for name in ("stranger.localhost", ""):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            door.connect(name or "127.0.0.1", check=False)
    for said in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff" + bytes(70_000), b""):
        connection = socket.create_connection(("127.0.0.1", door.port), timeout=30)
        # Whoever is sent away early may hear of it at any of these.
        with connection, contextlib.suppress(OSError):
            connection.sendall(said)
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(1) == b""
    assert b"<title>Guest book" in door.curl("/").stdout


def test_a_hello_in_pieces_is_put_together(door: Site) -> None:
    """A client's first message may come byte by byte."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname="shop.localhost")
    with socket.create_connection(("127.0.0.1", door.port), timeout=30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            try:
                client.do_handshake()
                break
            except ssl.SSLWantReadError:
                for byte in outgoing.read():
                    connection.sendall(bytes([byte]))
                incoming.write(connection.recv(65536))
    assert client.version() == "TLSv1.3"


def test_large_answers_and_questions_pass_through(door: Site) -> None:
    """In both directions, with one connection for several requests."""
    with door.connect() as connection:
        for size in (10, 200_000):
            body = b'{"name": "Carl", "words": "' + b"x" * size + b'"}'
            head = (
                f"POST /api/entries HTTP/1.1\r\nHost: book.localhost\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            connection.sendall(head.encode() + body)
            assert answer(connection)[0][1] == b'{"written":true}'
