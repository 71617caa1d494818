"""Serving: the loop's servers. How a server behaves is asyncio's own; here is what it listens with."""

from __future__ import annotations

import os
import socket
from asyncio import base_events, gather, sleep
from collections.abc import Iterable
from errno import EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT
from typing import TYPE_CHECKING, Any

from eactors.aio.addresses import Networked, kernel_address
from eactors.aio.dialing import check_tls
from eactors.aio.refusals import refuse
from eactors.aio.secured import Secured
from eactors.aio.streams import StreamTransport
from eactors.services.errors import SystemActorError

if TYPE_CHECKING:
    import ssl
    from asyncio import BaseProtocol
    from collections.abc import Callable

    from eactors.services.connection import Connection
    from eactors.services.sockets import Listener

    Timeouts = tuple[float | None, float | None]


class ListeningSocket:
    """A listener, where asyncio's server and libraries look for a socket.

    Args:
        listener: Of the network service.
    """

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        host, port = listener.address
        self.family = (socket.AF_INET6 if ":" in host else socket.AF_INET) if port else socket.AF_UNIX
        self.type = socket.SOCK_STREAM
        self.proto = 0

    def getsockname(self) -> Any:
        """Host and port, or the path of a Unix socket."""
        return kernel_address(self.listener.address)

    def listen(self, _: int) -> None:
        """It does, from the start."""

    def fileno(self) -> int:
        """There is no descriptor in this enclave."""
        return -1


class Serving(Networked):
    """What a loop has of `asyncio.loop.create_server`, with its checks and its errors."""

    async def create_server(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], BaseProtocol],
        host: str | list[str] | None = None,
        port: int | None = None,
        *,
        family: int = socket.AF_UNSPEC,
        flags: int = socket.AI_PASSIVE,
        sock: Any = None,
        backlog: int = 100,
        ssl: ssl.SSLContext | None = None,
        reuse_address: bool | None = None,
        reuse_port: bool | None = None,
        keep_alive: bool | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
        start_serving: bool = True,
    ) -> base_events.Server:
        """Listen for connections."""
        timeouts = ssl_handshake_timeout, ssl_shutdown_timeout
        if isinstance(ssl, bool):
            raise TypeError("ssl argument must be an SSLContext or None")
        check_tls(ssl, timeouts)
        if sock is not None:
            if host is not None or port is not None:
                raise ValueError("host/port and sock can not be specified at the same time")
            listeners = [self._adopted_listener(sock, backlog)]
        elif host is None and port is None:
            raise ValueError("Neither host/port nor sock were specified")
        else:
            hosts = [host or None] if isinstance(host, str) or not isinstance(host, Iterable) else list(host)
            infos = await gather(*(self._bindings(each, port, family, flags) for each in hosts))
            addresses = list(dict.fromkeys(address for each in infos for address in each))
            listeners = await self._listeners(addresses, backlog, reuse_port=bool(reuse_port))
        return await self._server(listeners, protocol_factory, ssl, backlog, timeouts, start=start_serving)

    async def create_unix_server(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], BaseProtocol],
        path: Any = None,
        *,
        sock: Any = None,
        backlog: int = 100,
        ssl: ssl.SSLContext | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
        start_serving: bool = True,
        cleanup_socket: bool = True,
    ) -> base_events.Server:
        """Listen at a Unix socket, whose file is removed when the server is closed."""
        timeouts = ssl_handshake_timeout, ssl_shutdown_timeout
        if isinstance(ssl, bool):
            raise TypeError("ssl argument must be an SSLContext or None")
        check_tls(ssl, timeouts)
        if path is not None and sock is not None:
            raise ValueError("path and sock can not be specified at the same time")
        if sock is not None:
            listener = self._adopted_listener(sock, backlog)
        elif path is None:
            raise ValueError("path was not specified, and no sock specified")
        else:
            listener = await self._listener("", 0, backlog, path=os.fsdecode(path))
        return await self._server([listener], protocol_factory, ssl, backlog, timeouts, start=start_serving)

    def _adopted_listener(self, _: Any, __: int) -> Listener:
        """Take over a socket that is bound."""
        refuse("create_server(sock=...)", "give host and port")

    async def _bindings(self, host: Any, port: Any, family: int, flags: int) -> list[Any]:
        infos = await self._ensure_resolved(  # type: ignore[attr-defined]
            (host, port), family=family, type=socket.SOCK_STREAM, flags=flags, loop=self
        )
        return [info[4] for info in infos]

    async def _listeners(self, addresses: list[Any], backlog: int, *, reuse_port: bool) -> list[Listener]:
        listeners: list[Listener] = []
        try:
            for address in addresses:
                try:
                    listener = await self._listener(address[0], address[1], backlog, reuse_port=reuse_port)
                except SystemActorError as error:
                    if error.errno in {EADDRNOTAVAIL, EAFNOSUPPORT} and len(addresses) > 1:
                        continue  # the machine does without this family
                    raise
                listeners.append(listener)
        except BaseException:
            for listener in listeners:
                listener.close()
            raise
        if not listeners:
            raise SystemActorError("listen", EADDRNOTAVAIL, f"none of {addresses} is of this machine")
        return listeners

    async def _listener(
        self, host: str, port: int, backlog: int, *, path: str | None = None, reuse_port: bool = False
    ) -> Listener:
        answer = self._net().listen(host, port, None, path=path, backlog=backlog, reuse_port=reuse_port)
        try:
            listener: Listener = await self._answered(answer, lambda late: late.close())
        except SystemActorError as error:
            if path is not None and error.errno == EADDRINUSE:
                raise SystemActorError(
                    error.operation, EADDRINUSE, f"Address {path!r} is already in use"
                ) from None
            if error.errno and error.errno > 0 and path is None:
                reason = f"error while attempting to bind on address {(host, port)!r}: {error.reason.lower()}"
                raise SystemActorError(error.operation, error.errno, reason) from None
            raise
        return listener

    async def _server(
        self,
        listeners: list[Listener],
        factory: Callable[[], BaseProtocol],
        context: ssl.SSLContext | None,
        backlog: int,
        timeouts: Timeouts,
        *,
        start: bool,
    ) -> base_events.Server:
        sockets: Any = [ListeningSocket(listener) for listener in listeners]
        server = base_events.Server(self, sockets, factory, context, backlog, *timeouts)
        if start:
            server._start_serving()  # type: ignore[attr-defined]
            await sleep(0)
        return server

    def _start_serving(
        self: Any,
        factory: Callable[[], BaseProtocol],
        sock: ListeningSocket,
        context: ssl.SSLContext | None,
        server: Any,
        _: int,
        *timeouts: float | None,
    ) -> None:
        """Accept connections; for asyncio's server."""

        def accepted(connection: Connection) -> None:
            if server._sockets is None:
                connection.close(abort=True)
                return
            try:
                self._accept(factory(), connection, context, server, *timeouts)
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as error:  # noqa: BLE001 - of one connection, and not of all
                connection.close(abort=True)
                message = "Error on transport creation for incoming connection"
                self.call_exception_handler({"message": message, "exception": error})

        sock.listener.start(accepted)

    def _accept(
        self: Any,
        protocol: BaseProtocol,
        connection: Connection,
        context: ssl.SSLContext | None,
        server: Any,
        handshake: float | None,
        shutdown: float | None,
    ) -> None:
        if context is not None:
            protocol = Secured(
                self,
                protocol,
                context,
                None,  # type: ignore[arg-type]  # nobody waits for the handshake
                server_side=True,
                ssl_handshake_timeout=handshake,  # type: ignore[arg-type]
                ssl_shutdown_timeout=shutdown,
            )
        StreamTransport(self, connection, protocol, server)

    def _stop_serving(self, sock: ListeningSocket) -> None:
        """Accept nothing more; for asyncio's server."""
        sock.listener.close()
