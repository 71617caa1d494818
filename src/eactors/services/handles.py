"""Socket: what all sockets of an actor have in common; and those for datagrams."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from eactors.services.errors import SystemActorError
from eactors.services.network import CHUNK, DATAGRAMS, Close, SendTo, Taken

if TYPE_CHECKING:
    from collections.abc import Callable

    from eactors.services.network import Datagram
    from eactors.services.sockets import NetworkClient


class Socket:
    """What all sockets have in common.

    Attributes:
        number: What the system actor calls it.
        closed: Whether it is no more.
    """

    def __init__(self, client: NetworkClient, number: int) -> None:
        self._client = client
        self.number = number
        self.closed = False
        self._closing = False
        self.untold = 0
        """Bytes that were taken, and that the system actor was not told of."""
        self.on_closed: Callable[[Exception | None], object] = _nothing
        """Called once, with None or the error, when it is no more."""

    def close(self, *, abort: bool = False) -> None:
        """Close it: behind all that was written, or at once and without what waits to be sent."""
        if not self._closing:
            self._closing = True
            self._client.tell(Close(self.number, abort))
            self.settle()

    def gone(self, error: Exception | None) -> None:
        """It is no more; for the client."""
        if not self.closed:
            self.closed = self._closing = True
            self.settle()
            self.on_closed(error)

    def took(self, count: int) -> None:
        """So many bytes were taken; the client sees to it that not too many are untold."""
        self.untold += count
        self._client.took(count)

    def settle(self) -> None:
        """What was taken is told, or of no interest any more."""
        count, self.untold = self.untold, 0
        self._client.took(-count)

    def tell_taken(self) -> None:
        """Tell the system actor of all that was taken."""
        self.settle()


class DatagramSocket(Socket):
    """A socket for datagrams.

    Attributes:
        address: What it is bound to.
    """

    address: tuple[str, int] = ("", 0)

    def __init__(
        self, client: NetworkClient, number: int, received: Callable[[bytes, tuple[str, int]], object]
    ) -> None:
        super().__init__(client, number)
        self._received = received
        self._taken = 0

    def send(self, data: bytes, host: str, port: int) -> None:
        """Send a datagram; it may be lost.

        Raises:
            SystemActorError: It is larger than a datagram can be, or the port is none.
        """
        if len(data) > CHUNK:
            raise SystemActorError("send datagram", errno.EMSGSIZE, f"{len(data)} bytes are too many")
        request = SendTo(self.number, host, port, data)
        refusal = self._client.refusal(request)
        if refusal is not None:
            raise refusal
        if not self._closing:
            self._client.tell(request)

    def received(self, message: Datagram) -> None:
        """One has come; for the client."""
        if self._closing:
            return
        self._taken += 1
        self.took(len(message.data))
        if self._taken >= DATAGRAMS // 2:
            self.tell_taken()
        self._received(message.data, (message.host, message.port))

    def tell_taken(self) -> None:
        """See `Socket.tell_taken`."""
        self.settle()
        if self._taken and not self._closing:
            self._client.tell(Taken(self.number, self._taken))
            self._taken = 0


def _nothing(*_: object) -> None:
    pass
