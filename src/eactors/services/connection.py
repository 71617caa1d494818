"""Connection: a stream of bytes to and from a peer, as an actor sees it.

Neither side holds more than a window of what the other has not taken; what is written beyond
that waits here.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from eactors.services.base import nonsense
from eactors.services.handles import Socket
from eactors.services.network import CHUNK, WINDOW, Close, Finish, Taken, Write

if TYPE_CHECKING:
    from collections.abc import Callable

    from eactors.services.sockets import NetworkClient

_TELL = WINDOW // 4
"""Taken bytes that are told at once; fewer wait for more."""


class Connection(Socket):
    """A stream of bytes to and from a peer.

    Attributes:
        peer: Its address, as the host says.
        local: Our own.
    """

    peer: tuple[str, int] = ("", 0)
    local: tuple[str, int] = ("", 0)

    def __init__(self, client: NetworkClient, number: int) -> None:
        super().__init__(client, number)
        self.on_data: Callable[[bytes], object] | None = None
        """Called with bytes that have come; until it is set they wait, a window of them at most."""
        self.on_end: Callable[[], object] = _nothing
        """Called when the peer has sent its last byte."""
        self.on_room: Callable[[], object] = _nothing
        """Called when some of what waited has left this enclave; it may write more, even if closing."""
        self._outgoing: deque[bytes | memoryview] = deque()
        self._waiting = 0
        self._window = WINDOW
        self._owed = 0
        self._incoming: deque[bytes] = deque()
        self._ended = False
        self._paused = False
        self._finishing = False
        self._abort = False
        self._told = False
        """Whether the system actor was told to close it."""

    @property
    def waiting(self) -> int:
        """Bytes that were written and have not left this enclave, as the window is full."""
        return self._waiting

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes behind those already written.

        What comes after `finish` is lost, and after `close` unless others still wait.
        """
        if self._told or self._finishing or not data:
            return
        if not self._outgoing and len(data) <= min(CHUNK, self._window):
            self._window -= len(data)
            self._client.tell(Write(self.number, bytes(data)))
            return
        self._outgoing.append(bytes(data))
        self._waiting += len(data)
        self._send()

    def finish(self) -> None:
        """Send the end, behind all that was written; the peer can go on sending."""
        if not self._finishing and not self._closing:
            self._finishing = True
            if not self._outgoing:
                self._client.tell(Finish(self.number))

    def close(self, *, abort: bool = False) -> None:
        """See `Socket.close`."""
        if abort:
            self._outgoing.clear()
            self._waiting = 0
            if self._told and not self.closed and not self._abort:
                self._client.tell(Close(self.number, abort=True))
        self._abort = self._abort or abort
        self._closing = True
        if self._told:
            return
        if not self._outgoing:  # else the rest goes first; see `left`
            self._told = True
            self._client.tell(Close(self.number, abort))
            self.settle()
            return
        # Nobody wants what has come, or is still to come: it must not count as unread.
        self._incoming.clear()
        self.took(self._owed)
        self._owed = 0
        self.tell_taken()

    def gone(self, error: Exception | None) -> None:
        """See `Socket.gone`."""
        self._told = True
        self._outgoing.clear()
        self._waiting = 0
        super().gone(error)

    def pause(self) -> None:
        """Let nothing more come than the window holds; then the peer has to wait."""
        self._paused = True

    def resume(self) -> None:
        """Go on receiving."""
        self._paused = False
        self._deliver()

    def received(self, data: bytes) -> None:
        """Bytes have come; for the client."""
        self._owed += len(data)
        if self._owed > WINDOW or self._ended:
            raise nonsense("sent more bytes of a connection than it had room for, or bytes behind the end")
        if self._closing:
            self._owed = 0
            if not self._told:
                self._client.tell(Taken(self.number, len(data)))
            return
        self._incoming.append(data)
        self._deliver()

    def ended(self) -> None:
        """The peer's end has come; for the client."""
        if self._ended:
            raise nonsense("sent the end of a connection twice")
        self._ended = True
        self._deliver()

    def left(self, count: int) -> None:
        """So many bytes have left the host; for the client."""
        self._window += count
        if self._window > WINDOW:
            raise nonsense("says that more bytes have left than were written")
        if not self._outgoing:
            return
        self._send()
        self.on_room()
        if self._outgoing or self._told:
            return
        if self._finishing:
            self._client.tell(Finish(self.number))
        if self._closing:
            self._told = True
            self._client.tell(Close(self.number, abort=False))

    def tell_taken(self) -> None:
        """See `Socket.tell_taken`."""
        if self.untold and not self._told:
            self._client.tell(Taken(self.number, self.untold))
        self.settle()

    def _send(self) -> None:
        while self._outgoing and self._window > 0:
            first = self._outgoing[0]
            part = first[: min(CHUNK, self._window)]
            if len(part) == len(first):
                self._outgoing.popleft()
            else:
                self._outgoing[0] = memoryview(first)[len(part) :]
            self._window -= len(part)
            self._waiting -= len(part)
            self._client.tell(Write(self.number, bytes(part)))

    def _deliver(self) -> None:
        while self._incoming and not self._paused and not self._closing and self.on_data is not None:
            data = self._incoming.popleft()
            self._owed -= len(data)
            self.took(len(data))
            self.on_data(data)
        if self._closing:
            self._incoming.clear()
            return
        if self.untold >= _TELL:
            self.tell_taken()
        if self._ended and not self._incoming and not self._paused and self.on_data is not None:
            self.on_end, call = _nothing, self.on_end
            call()


def _nothing(*_: object) -> None:
    pass
