"""asyncio's Unix sockets in a sealed enclave: below the directories that the deployment grants."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import App

SOURCE = r"""
import asyncio
from eactors.aio import AsyncActor
from eactors.services import Network

class Echo(AsyncActor):
    network = Network()

    async def main(self):
        self.over = asyncio.Event()
        server = await asyncio.start_unix_server(self.echo, "sockets/deep/echo")
        print("listens at", server.sockets[0].getsockname(), flush=True)
        self.listens()
        await self.over.wait()
        server.close()
        await server.wait_closed()

    def listens(self):
        pass

    async def echo(self, reader, writer):
        line = await reader.readline()
        print("serves", repr(writer.get_extra_info("peername")), "at", writer.get_extra_info("sockname"))
        writer.write(line)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        self.over.set()

class Server(Echo):
    client = Connector("Client")

    def listens(self):
        self.client.send(b"now")

class Client(AsyncActor):
    network = Network()
    server = Connector("Server")

    async def main(self):
        await self.receive(self.server)
        reader, writer = await asyncio.open_unix_connection("sockets/deep/echo")
        print("is connected to", writer.get_extra_info("peername"))
        writer.write(b"from enclave to enclave\n")
        print("gets", await reader.read())
        writer.close()
        await writer.wait_closed()

class Refused(AsyncActor):
    network = Network()

    async def main(self):
        for path in ("/tmp/echo", "sockets/../echo", "\0echo", "read/echo", ""):
            for call in (asyncio.open_unix_connection, lambda path: asyncio.start_unix_server(print, path)):
                try:
                    await call(path)
                except OSError as error:
                    print(type(error).__name__, isinstance(error, PermissionError), error)
"""

GRANT = '<directory name="sockets" path="run" access="write"/>'


@pytest.fixture
def run(app: App) -> Path:
    """The directory that is granted."""
    folder = app.folder / "run"
    (folder / "deep").mkdir(parents=True)
    return folder


def test_two_enclaves_talk_over_a_unix_socket(app: App, run: Path) -> None:
    """They know it by the deployment's name for where it lies; in the end nothing is left there."""
    done = app.write(SOURCE, "Server:1 | Client:2", GRANT).run()
    assert (done.returncode, done.stderr) == (0, "")
    assert set(done.stdout.splitlines()) == {
        "listens at sockets/deep/echo",
        "is connected to sockets/deep/echo",
        "serves '' at sockets/deep/echo",
        "gets b'from enclave to enclave\\n'",
    }
    assert list((run / "deep").iterdir()) == []


def test_a_program_of_the_host_connects_by_the_path_that_it_knows(app: App, run: Path) -> None:
    """It is a socket like any."""
    process = app.write(SOURCE, "Echo:1", GRANT).start()
    assert process.stdout is not None
    assert process.stdout.readline() == "listens at sockets/deep/echo\n"
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(run / "deep" / "echo"))
        sock.sendall(b"from outside\n")
        assert sock.recv(100) == b"from outside\n"
    assert process.communicate(timeout=30) == ("serves '' at sockets/deep/echo\n", "")
    assert process.returncode == 0


UNGRANTED = "the deployment grants no directory '' (it grants: read, sockets)"
WORDS = {
    "/tmp/echo": (True, UNGRANTED),
    "sockets/../echo": (False, "a path has no empty names, no '.' and no '..'"),
    "\0echo": (True, "an abstract Unix socket is in no directory that a deployment could grant; use a path"),
    "read/echo": (False, "the deployment grants the directory 'read' for reading only"),
    "": (True, UNGRANTED),
}


@pytest.mark.usefixtures("run")
def test_what_is_not_granted_is_the_error_that_asyncio_would_raise(app: App) -> None:
    """With words that say what is granted instead."""
    done = app.write(SOURCE, "Refused:1", GRANT + '<directory name="read" path="run"/>').run()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"SystemActorError {permission} {f'{operation} {path}'.strip()}: {words}"
        for path, (permission, words) in WORDS.items()
        for operation in ("connect", "listen")
    ]
