"""StreamTransport: a connection of the network service, as asyncio wants it."""

from __future__ import annotations

import sys
from asyncio import BufferedProtocol, constants, futures, protocols, transports
from typing import TYPE_CHECKING, Any

from eactors.aio.addresses import kernel_address

if TYPE_CHECKING:
    from asyncio import BaseProtocol, Future
    from collections.abc import Iterable

    from eactors.aio.loop import Loop
    from eactors.services.connection import Connection

_BY_TRANSPORT = sys.version_info >= (3, 13)
"""Whether a server counts its transports, or only how many they are."""


class StreamTransport(transports._FlowControlMixin, transports.Transport):
    """A connection. Its semantics are those of asyncio's selector transports.

    Args:
        loop: The actor's loop.
        connection: The connection.
        protocol: What is told of it.
        server: Which server has accepted it, if one has.
        waiter: Who waits for the transport, and gets it before any bytes come.
    """

    _start_tls_compatible = True
    _sendfile_compatible = constants._SendfileMode.UNSUPPORTED

    def __init__(
        self,
        loop: Loop,
        connection: Connection,
        protocol: BaseProtocol,
        server: Any = None,
        waiter: Future[None] | None = None,
    ) -> None:
        super().__init__(
            {"peername": kernel_address(connection.peer), "sockname": kernel_address(connection.local)}, loop
        )
        self._loop = loop
        self._connection = connection
        self._server = server
        self._closing = self._lost = self._ended = self._paused = False
        self.set_protocol(protocol)
        connection.on_closed = self._closed
        connection.on_end = self._end
        connection.on_room = self._maybe_resume_protocol  # type: ignore[attr-defined]
        if server is not None:
            server._attach(self) if _BY_TRANSPORT else server._attach()
        loop.call_soon(protocol.connection_made, self)
        # Bytes are taken only when the protocol knows whence, and whoever waits has been woken.
        if waiter is None:
            loop.call_soon(self._start)
        else:
            loop.call_soon(futures._set_result_unless_cancelled, waiter, None)  # type: ignore[attr-defined]
            loop.call_soon(loop.call_soon, self._start)

    def get_protocol(self) -> BaseProtocol:
        """What is told of the connection."""
        protocol: BaseProtocol = self._protocol
        return protocol

    def set_protocol(self, protocol: BaseProtocol) -> None:
        """Tell another protocol from now on."""
        self._protocol: Any = protocol
        self._buffered = isinstance(protocol, BufferedProtocol)

    def is_closing(self) -> bool:
        """Whether it is closed, or will be."""
        return self._closing

    def close(self) -> None:
        """Close it behind all that was written; nothing more is received."""
        if not self._closing:
            self._closing = True
            self._connection.close()
            if self._connection.closed:
                self._loop.call_soon(self._lose, None)

    def abort(self) -> None:
        """Close it at once."""
        self._force_close(None)

    def pause_reading(self) -> None:
        """Let nothing more be received."""
        if not self._closing and not self._paused:
            self._paused = True
            self._connection.pause()

    def resume_reading(self) -> None:
        """Receive again."""
        if not self._closing and self._paused:
            self._paused = False
            self._connection.resume()

    def is_reading(self) -> bool:
        """Whether it receives."""
        return not self._closing and not self._paused

    def write(self, data: Any) -> None:
        """Send bytes, some time."""
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"data argument must be a bytes-like object, not {type(data).__name__!r}")
        if self._ended:
            raise RuntimeError("Cannot call write() after write_eof()")
        if self._lost or self._connection.closed or not data:
            return
        self._connection.write(data)
        self._maybe_pause_protocol()  # type: ignore[attr-defined]

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        """Send several at once."""
        self.write(b"".join(list_of_data))

    def can_write_eof(self) -> bool:
        """It can."""
        return True

    def write_eof(self) -> None:
        """Send the end behind all that was written."""
        if not self._closing and not self._ended:
            self._ended = True
            self._connection.finish()

    def get_write_buffer_size(self) -> int:
        """Bytes that have not left the enclave."""
        return self._connection.waiting

    def _start(self) -> None:
        if not self._closing:
            self._connection.on_data = self._feed
            self._connection.resume() if not self._paused else None

    def _feed(self, data: bytes) -> None:
        if self._closing:
            return
        try:
            if self._buffered:
                protocols._feed_data_to_buffered_proto(self._protocol, data)  # type: ignore[attr-defined]
            else:
                self._protocol.data_received(data)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001 - a protocol's; asyncio reports it the same way
            self._fatal_error(error, "Fatal error: protocol.data_received() call failed.")

    def _end(self) -> None:
        if self._closing:
            return
        try:
            keep_open = self._protocol.eof_received()
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001
            self._fatal_error(error, "Fatal error: protocol.eof_received() call failed.")
            return
        if not keep_open:
            self.close()

    def _fatal_error(self, error: BaseException, message: str = "Fatal error on transport") -> None:
        if not isinstance(error, OSError):
            self._loop.call_exception_handler(
                {"message": message, "exception": error, "transport": self, "protocol": self._protocol}
            )
        self._force_close(error)

    def _force_close(self, error: BaseException | None) -> None:
        """Close it at once; also what asyncio's own SSL protocol calls."""
        if self._lost:
            return
        self._closing = True
        self._connection.close(abort=True)
        self._lose_soon(error)

    def _closed(self, error: Exception | None) -> None:
        self._closing = True
        self._lose_soon(error)

    def _lose_soon(self, error: BaseException | None) -> None:
        if not self._lost:
            self._lost = True
            self._loop.call_soon(self._lose, error)

    def _lose(self, error: BaseException | None) -> None:
        self._lost = True
        protocol, self._protocol = self._protocol, None
        if protocol is None:
            return
        # They refer to each other, and the garbage collector may not come for long.
        connection, nothing = self._connection, lambda *_: None
        connection.on_data = None
        connection.on_closed = connection.on_end = connection.on_room = nothing
        try:
            protocol.connection_lost(error)
        finally:
            if self._server is not None:
                server, self._server = self._server, None
                server._detach(self) if _BY_TRANSPORT else server._detach()
