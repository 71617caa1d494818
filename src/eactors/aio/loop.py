"""Loop: asyncio's own event loop, but for where its readiness comes from, and its connections.

Everything that is asyncio's (tasks, timers, handles, TLS over a transport) is inherited. This
class says what is polled instead of descriptors, and makes connections of the network service.
"""

from __future__ import annotations

import socket
import sys
from asyncio import base_events, events, sslproto
from threading import get_ident
from typing import TYPE_CHECKING, Any

from eactors.aio.refusals import HINTS, RUNNING, refuse, refusing
from eactors.aio.server import Server
from eactors.aio.streams import DatagramTransport, StreamTransport
from eactors.services.errors import SystemActorError

if TYPE_CHECKING:
    import ssl
    from asyncio import BaseProtocol, DatagramProtocol, Future
    from collections.abc import Awaitable, Callable

    from eactors.services.sockets import Connection, NetworkClient

_LONGEST = 1.0


class _Messages:
    """What `BaseEventLoop` takes for a selector."""

    def __init__(self, poll: Callable[[float | None], object]) -> None:
        self.select = poll

    def close(self) -> None:
        pass


class Loop(base_events.BaseEventLoop):
    """The event loop of one actor.

    Args:
        poll: Takes what messages have come; called with the seconds that it may wait for one, of
            which an actor makes no use: its worker waits.
        network: The actor's client of the network; None: it declares none.
    """

    def __init__(self, poll: Callable[[float | None], object], network: NetworkClient | None) -> None:
        super().__init__()
        self._selector = _Messages(poll)
        self._network = network
        self._running = False

    def turn(self) -> object:
        """Do what there is to do; True: there is more, else the seconds until there will be."""
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(self._asyncgen_firstiter_hook, self._asyncgen_finalizer_hook)  # type: ignore[attr-defined]
        events._set_running_loop(self)
        self._thread_id = get_ident()
        try:
            self._run_once()  # type: ignore[attr-defined]
        finally:
            self._thread_id = None  # type: ignore[assignment]  # as while it does not run
            events._set_running_loop(None)
            sys.set_asyncgen_hooks(*hooks)
        if self._ready:  # type: ignore[attr-defined]
            return True
        scheduled: list[Any] = self._scheduled  # type: ignore[attr-defined]
        return max(0.0, scheduled[0].when() - self.time()) if scheduled else _LONGEST

    def within(self, call: Callable[..., Any], *arguments: Any) -> None:
        """Call a handler of messages on this loop; what it awaits becomes a task."""
        events._set_running_loop(self)
        try:
            answer = call(*arguments)
            if hasattr(answer, "__await__"):
                self.create_task(answer)
        finally:
            events._set_running_loop(None)

    def _process_events(self, event_list: object) -> None:
        """Messages are taken while they are polled."""

    def _write_to_self(self) -> None:
        """There are no other threads to be woken by."""

    async def create_server(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], BaseProtocol],
        host: str | list[str] | None = None,
        port: int | None = None,
        *,
        family: int = socket.AF_UNSPEC,
        flags: int = 0,
        sock: Any = None,
        backlog: int = 100,
        ssl: ssl.SSLContext | None = None,
        reuse_address: bool | None = None,
        reuse_port: bool | None = None,
        keep_alive: bool | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
        start_serving: bool = True,
    ) -> Server:
        """Listen for connections."""
        if sock is not None:
            refuse("create_server(sock=...)", "give host and port")
        server = Server(self, protocol_factory, _context(ssl), (ssl_handshake_timeout, ssl_shutdown_timeout))
        hosts = [host or ""] if host is None or isinstance(host, str) else list(host)
        try:
            for each in hosts:
                server.add(
                    await self._net().listen(
                        each, port or 0, server.accepted, backlog=backlog, reuse_port=bool(reuse_port)
                    )
                )
        except SystemActorError:
            server.close()
            raise
        return server

    async def create_unix_server(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], BaseProtocol],
        path: str | None = None,
        *,
        sock: Any = None,
        backlog: int = 100,
        ssl: ssl.SSLContext | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
        start_serving: bool = True,
    ) -> Server:
        """Listen at a Unix socket."""
        if sock is not None or not path:
            refuse("create_unix_server() without a path", "give the path of the socket")
        server = Server(self, protocol_factory, _context(ssl), (ssl_handshake_timeout, ssl_shutdown_timeout))
        server.add(await self._net().listen("", 0, server.accepted, path=str(path), backlog=backlog))
        return server

    async def create_connection(
        self,
        protocol_factory: Callable[[], BaseProtocol],
        host: str | None = None,
        port: int | None = None,
        *,
        ssl: ssl.SSLContext | bool | None = None,
        family: int = 0,
        proto: int = 0,
        flags: int = 0,
        sock: Any = None,
        local_addr: tuple[str, int] | None = None,
        server_hostname: str | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
        happy_eyeballs_delay: float | None = None,
        interleave: int | None = None,
        all_errors: bool = False,
    ) -> tuple[Any, Any]:
        """Connect to a host."""
        if sock is not None:
            refuse("create_connection(sock=...)", "give host and port")
        if host is None and port is None:
            raise ValueError("host and port was not specified and no sock specified")
        opened = self._net().connect(host or "", port or 0, local=local_addr or ("", 0))
        timeouts = (ssl_handshake_timeout, ssl_shutdown_timeout)
        return await self._connected(opened, protocol_factory, ssl, server_hostname or host, timeouts)

    async def create_unix_connection(
        self,
        protocol_factory: Callable[[], BaseProtocol],
        path: str | None = None,
        *,
        ssl: ssl.SSLContext | bool | None = None,
        sock: Any = None,
        server_hostname: str | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
    ) -> tuple[Any, Any]:
        """Connect to a Unix socket."""
        if sock is not None or not path:
            refuse("create_unix_connection() without a path", "give the path of the socket")
        opened = self._net().connect("", 0, path=str(path))
        timeouts = (ssl_handshake_timeout, ssl_shutdown_timeout)
        return await self._connected(opened, protocol_factory, ssl, server_hostname, timeouts)

    async def create_datagram_endpoint(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], DatagramProtocol],
        local_addr: tuple[str, int] | None = None,
        remote_addr: tuple[str, int] | None = None,
        *,
        family: int = 0,
        proto: int = 0,
        flags: int = 0,
        reuse_port: bool | None = None,
        allow_broadcast: bool | None = None,
        sock: Any = None,
    ) -> tuple[Any, Any]:
        """Make a socket for datagrams."""
        if sock is not None:
            refuse("create_datagram_endpoint(sock=...)", "give local_addr or remote_addr")
        protocol = protocol_factory()
        held: list[DatagramTransport] = []

        def received(data: bytes, address: tuple[str, int]) -> None:
            for transport in held:
                transport.received(data, address)

        remote = remote_addr
        if remote is not None:
            v6, host, port = (await self._net().resolve(*remote))[0]
            remote = (host, port)
            local_addr = local_addr or ("::" if v6 else "", 0)
        opened = await self._net().open(received, *(local_addr or ("", 0)))
        held.append(DatagramTransport(self, opened, protocol, remote))
        self.call_soon(protocol.connection_made, held[0])
        return held[0], protocol

    async def getaddrinfo(
        self,
        host: Any,
        port: Any,
        *,
        family: int = 0,
        type: int = 0,
        proto: int = 0,
        flags: int = 0,
    ) -> list[Any]:
        """The addresses of a host, as the host's machine says."""
        kind = type or socket.SOCK_STREAM
        answers = [
            (socket.AF_INET6, kind, proto, "", (address, at, 0, 0))
            if v6
            else (socket.AF_INET, kind, proto, "", (address, at))
            for v6, address, at in await self._net().resolve(host or "", int(port or 0))
        ]
        return [answer for answer in answers if family in (0, answer[0])]

    def run_forever(self) -> None:
        """Refused: the worker runs it."""
        refuse("run_forever()", RUNNING)

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """There is none."""

    def _net(self) -> NetworkClient:
        if self._network is None:
            refuse("the network", "declare network = Network() in the actor's class (eactors.services)")
        return self._network

    async def _connected(
        self,
        opened: Awaitable[Connection],
        factory: Callable[[], BaseProtocol],
        ssl: ssl.SSLContext | bool | None,
        name: str | None,
        timeouts: tuple[float | None, float | None],
    ) -> tuple[Any, Any]:
        connection = await opened
        protocol = factory()
        waiter = self.create_future()
        context = _context(ssl)
        if context is None:
            transport = StreamTransport(self, connection, protocol)
            self.call_soon(_wake, waiter)
            await waiter
            return transport, protocol
        secured = sslproto.SSLProtocol(
            self,
            protocol,
            context,
            waiter,
            server_side=False,
            server_hostname=name,
            ssl_handshake_timeout=timeouts[0],  # type: ignore[arg-type]
            ssl_shutdown_timeout=timeouts[1],
        )
        raw = StreamTransport(self, connection, secured)
        try:
            await waiter
        except BaseException:
            raw.close()
            raise
        return secured._app_transport, protocol


def _wake(waiter: Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


def _context(given: ssl.SSLContext | bool | None) -> ssl.SSLContext | None:
    """What asyncio takes for a context."""
    if given is True:
        return sslproto._create_transport_context(False, None)  # noqa: FBT003
    return given or None


for _name in HINTS:
    setattr(Loop, _name, refusing(_name))
