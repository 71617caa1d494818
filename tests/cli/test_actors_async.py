"""asyncio in a sealed enclave, with real clients: whatever its programmers use, without a system call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.attested_tls import owned

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import App

USES = r"""
import asyncio
import ssl
from eactors.aio import AsyncActor
from eactors.services import Network

class A(AsyncActor):
    network = Network()

    def constructor(self):
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server.load_cert_chain("{pem}")
        with open("{pem}") as file:
            self.client = ssl.create_default_context(cadata=file.read())

    async def main(self):
        print(await getattr(self, "{use}")())

    async def echo(self, reader, writer):
        writer.write(await reader.readline())
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def served(self, **options):
        server = await asyncio.start_server(self.echo, "127.0.0.1", 0, **options)
        return server, server.sockets[0].getsockname()[1]

    async def times(self):
        queue = asyncio.Queue(1)
        async with asyncio.TaskGroup() as group:
            group.create_task(queue.put(1))
            got = await queue.get()
        await asyncio.sleep(0.001)
        try:
            async with asyncio.timeout(0.001):
                await asyncio.Event().wait()
        except TimeoutError:
            return got, "timed out"

    async def tls(self):
        server, port = await self.served(ssl=self.server)
        got = []
        reader, writer = await asyncio.open_connection("localhost", port, ssl=self.client)
        writer.write(b"over TLS\n")
        got.append(await reader.read())
        writer.close()
        await writer.wait_closed()
        for name in ("elsewhere.example", "b\u00fccher.example"):
            try:
                await asyncio.open_connection("127.0.0.1", port, ssl=self.client, server_hostname=name)
            except ssl.SSLCertVerificationError as error:
                got.append("mismatch" in str(error))
        server.close()
        await server.wait_closed()
        return got

    async def start_tls(self):
        async def secure(reader, writer):
            writer.write(await reader.readline())
            await writer.drain()
            await writer.start_tls(self.server)
            await self.echo(reader, writer)
            over.set()
        over = asyncio.Event()
        server = await asyncio.start_server(secure, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
        writer.write(b"STARTTLS\n")
        got = [await reader.readline()]
        await writer.start_tls(self.client, server_hostname="localhost")
        writer.write(b"secured\n")
        got.append(await reader.read())
        await over.wait()
        server.close()
        return got

    async def names(self):
        known = await self.loop.getaddrinfo("localhost", 80)
        try:
            await asyncio.open_connection("no-such-host.invalid", 80)
        except OSError as error:
            return bool(known), type(error).__name__, error.errno < 0, str(error).partition(":")[0]

    async def refused(self):
        with_listener = await self.served()
        with_listener[0].close()
        try:
            await asyncio.open_connection("127.0.0.1", 1)
        except ConnectionRefusedError as error:
            return error.errno, str(error)

    async def in_use(self):
        server, port = await self.served()
        try:
            await asyncio.start_server(self.echo, "127.0.0.1", port)
        except OSError as error:
            return error.errno, str(error).replace(str(port), "PORT")

    async def undeclared(self):
        said = []
        for call in (
            lambda: asyncio.to_thread(print),
            lambda: asyncio.create_subprocess_exec("true"),
            lambda: self.loop.sock_recv(None, 1),
        ):
            try:
                await call()
            except NotImplementedError as error:
                said.append(error.hint.partition(";")[0])
        return said

    async def udp(self):
        got = self.loop.create_future()
        class Receiver(asyncio.DatagramProtocol):
            def datagram_received(self, data, address):
                got.set_result(data)
        receiver, _ = await self.loop.create_datagram_endpoint(Receiver, ("127.0.0.1", 0))
        sender, _ = await self.loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=receiver.get_extra_info("sockname"))
        sender.sendto(b"a datagram")
        return await got
"""

PRINTED = {
    "times": "(1, 'timed out')",
    "tls": "[b'over TLS\\n', True, True]",
    "start_tls": "[b'STARTTLS\\n', b'secured\\n']",
    "names": "(True, 'HostUnknown', True, 'connect no-such-host.invalid')",
    "refused": "(111, 'connect 127.0.0.1:1: Connection refused')",
    "in_use": (
        "(98, \"listen 127.0.0.1:PORT: error while attempting to bind on address ('127.0.0.1', PORT): "
        'address already in use")'
    ),
    "undeclared": (
        "['an enclave starts no threads', 'an enclave starts no processes', "
        "'an enclave has no sockets of its own']"
    ),
    "udp": "b'a datagram'",
}


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    """Certificate and key of this machine, in one file."""
    file = tmp_path / "localhost.pem"
    file.write_bytes(b"".join(owned("localhost")))
    return file


@pytest.mark.parametrize("use", PRINTED)
def test_asyncio_works_in_a_sealed_enclave(use: str, app: App, pem: Path) -> None:
    """Nothing of it makes a system call or imports a module late."""
    done = app.write(USES.replace("{pem}", str(pem)).replace("{use}", use), "A:1").run()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == PRINTED[use] + "\n"


HANDLERS = """
import asyncio
from eactors.aio import AsyncActor
from eactors.services import Factory

class Keeper(AsyncActor):
    factory = Factory()
    guests = Connectors("guest")

    async def main(self):
        self.heard = asyncio.Queue()
        guest = await self.factory.start("guest")
        self.guests[guest.name].send(b"hello")
        print(await self.heard.get(), await self.heard.get())

    @guests.on_reopened
    async def again(self, name):
        await asyncio.sleep(0)
        self.heard.put_nowait(f"{name} is there")

    @guests.on_message
    async def said(self, name, cargo):
        await asyncio.sleep(0)
        self.heard.put_nowait(f"{name} said {cargo.data.decode()}")

class Guest(Actor, family="guest"):
    keeper = Connector("Keeper")

    @keeper.on_message
    def on(self, cargo):
        self.keeper.send(cargo.data)
"""


def test_every_handler_of_a_connector_may_be_a_coroutine_function(app: App) -> None:
    """Also one of a family's channels, which gets the peer's name, and one that is told of a new peer."""
    settings = '<enclave-settings enclave="2" start="on-demand" instances="1"/>'
    done = app.write(HANDLERS, "Keeper:1 | guest:2", settings).run()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "guest1 is there guest1 said hello\n"
