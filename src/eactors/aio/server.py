"""Server: what create_server() gives."""

from __future__ import annotations

import socket
from asyncio import AbstractServer, CancelledError, sslproto
from typing import TYPE_CHECKING, Any

from eactors.aio.streams import StreamTransport
from eactors.services.network import CHUNK

if TYPE_CHECKING:
    import ssl
    from asyncio import BaseProtocol, Future
    from collections.abc import Callable

    from eactors.aio.loop import Loop
    from eactors.services.sockets import Connection, Listener


class BoundAddress:
    """What stands where libraries look for a listening socket; it tells where that is."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        kind = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.family = kind if address[1] else socket.AF_UNIX
        self.type = socket.SOCK_STREAM

    def getsockname(self) -> Any:
        """Host and port, or the path of a Unix socket."""
        return self._address if self.family != socket.AF_UNIX else self._address[0]

    def fileno(self) -> int:
        """There is no descriptor in this enclave."""
        return -1


class _Secured(sslproto.SSLProtocol):
    """asyncio's, which would keep 256 KiB for each connection, and from the client why it is refused."""

    max_size = CHUNK
    """Bytes that it reads at once; no message of the network brings more."""

    def _on_handshake_complete(self, handshake_exc: BaseException | None) -> None:
        if handshake_exc is not None:
            self._process_outgoing()  # type: ignore[attr-defined]
        super()._on_handshake_complete(handshake_exc)

    def connection_lost(self, exc: BaseException | None) -> None:
        super().connection_lost(exc)
        # Nothing comes any more, and the garbage collector may not come for long.
        self._ssl_buffer = self._ssl_buffer_view = None


class Server(AbstractServer):
    """Listens, and makes a protocol for each connection.

    Args:
        loop: The actor's loop.
        factory: Makes protocols.
        context: Of TLS, which ends here; None: none.
        timeouts: Of TLS's handshake and shutdown, in seconds; None: asyncio's own.
    """

    def __init__(
        self,
        loop: Loop,
        factory: Callable[[], BaseProtocol],
        context: ssl.SSLContext | None,
        timeouts: tuple[float | None, float | None],
    ) -> None:
        self._loop = loop
        self._factory = factory
        self._context = context
        self._timeouts = timeouts
        self._listeners: list[Listener] = []
        self._clients: set[StreamTransport] = set()
        self._waiters: list[Future[None]] = []
        self._serving = self._closed = False
        self._forever: Future[None] | None = None

    @property
    def sockets(self) -> tuple[BoundAddress, ...]:
        """Where it listens."""
        return tuple(BoundAddress(listener.address) for listener in self._listeners)

    def add(self, listener: Listener) -> None:
        """One more address; for the loop."""
        self._listeners.append(listener)

    def attach(self, transport: StreamTransport) -> None:
        """One more connection."""
        self._clients.add(transport)

    def detach(self, transport: StreamTransport) -> None:
        """One fewer."""
        self._clients.discard(transport)
        self._wake()

    def accepted(self, connection: Connection) -> None:
        """A connection has come in."""
        if self._closed:
            connection.close(abort=True)
            return
        protocol = self._factory()
        if self._context is not None:
            handshake, shutdown = self._timeouts
            protocol = _Secured(
                self._loop,
                protocol,
                self._context,
                None,  # type: ignore[arg-type]  # nobody waits for the handshake
                server_side=True,
                ssl_handshake_timeout=handshake,  # type: ignore[arg-type]
                ssl_shutdown_timeout=shutdown,
            )
        StreamTransport(self._loop, connection, protocol, self)

    def get_loop(self) -> Loop:
        """The loop."""
        return self._loop

    def is_serving(self) -> bool:
        """Whether it accepts connections."""
        return not self._closed

    def close(self) -> None:
        """Accept nothing more; connections stay open."""
        if self._closed:
            return
        self._closed = True
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()
        if self._forever is not None and not self._forever.done():
            self._forever.cancel()
        self._wake()

    def close_clients(self) -> None:
        """Close all its connections."""
        for transport in list(self._clients):
            transport.close()

    def abort_clients(self) -> None:
        """Close all its connections at once."""
        for transport in list(self._clients):
            transport.abort()

    async def start_serving(self) -> None:
        """It does from the start."""

    async def serve_forever(self) -> None:
        """Wait until it is closed, or this task is cancelled."""
        if self._forever is not None:
            raise RuntimeError(f"server {self!r} is already being awaited on serve_forever()")
        if self._closed:
            raise RuntimeError(f"server {self!r} is closed")
        self._forever = self._loop.create_future()
        try:
            await self._forever
        except CancelledError:
            self.close()
            raise
        finally:
            self._forever = None

    async def wait_closed(self) -> None:
        """Wait until it and all its connections are closed."""
        if self._closed and not self._clients:
            return
        waiter = self._loop.create_future()
        self._waiters.append(waiter)
        await waiter

    def _wake(self) -> None:
        if self._closed and not self._clients:
            for waiter in self._waiters:
                if not waiter.done():
                    waiter.set_result(None)
            self._waiters.clear()
