"""NetworkClient: listeners, connections and datagrams, as an actor sees them.

All calls return at once. What happens later is told to the functions that are given, in the
actor's own turns.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, ClassVar

from eactors.services.base import Client, Service, nonsense
from eactors.services.errors import SystemActorError
from eactors.services.handles import DatagramSocket, Socket
from eactors.services.network import (
    CHUNK,
    MOST_UNTOLD,
    WINDOW,
    Accept,
    Bound,
    Close,
    Closed,
    Connect,
    Connected,
    Data,
    Datagram,
    End,
    Finish,
    Listen,
    Open,
    Resolve,
    Resolved,
    Says,
    Taken,
    Write,
    Written,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import msgspec

    from eactors import _native
    from eactors.answer import Answer
    from eactors.services.errors import SystemActorMisbehaved

_ACCEPTS = 64
"""Connections of one listener that may be accepted ahead of the actor's turn."""

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


class Listener(Socket):
    """Where connections come in.

    Attributes:
        address: Where it listens.
    """

    address: tuple[str, int] = ("", 0)

    def __init__(self, client: NetworkClient, number: int) -> None:
        super().__init__(client, number)
        self._accepted: Callable[[Connection], object] = _nothing

    def start(self, accepted: Callable[[Connection], object]) -> None:
        """Begin to accept; ``accepted`` is called with each connection."""
        self._accepted = accepted
        for _ in range(_ACCEPTS):
            self._accept()

    def _accept(self) -> None:
        connection = Connection(self._client, self._client.next_number())
        request = Accept(self._client.next_number(), self.number, connection.number)

        def come(message: Connected) -> Connection:
            connection.peer, connection.local = message.peer, message.local
            self._client.sockets[connection.number] = connection
            return connection

        def accepted(connection: Connection) -> None:
            if self._closing:
                connection.close(abort=True)
                return
            self._accept()
            self._accepted(connection)

        self._client.ask(request, Connected, come).then(accepted, _nothing)


class NetworkClient(Client):
    """An actor's sockets.

    Attributes:
        sockets: Those that are open, by number.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.sockets: dict[int, Socket] = {}
        self._untold = 0

    def listen(
        self,
        host: str,
        port: int,
        accepted: Callable[[Connection], object] | None,
        *,
        path: str = "",
        backlog: int = 128,
        reuse_port: bool = False,
    ) -> Answer[Listener]:
        """Listen for connections.

        Args:
            host: An address, or localhost; empty: any. Ask `resolve` for that of another name.
            port: 0: any that is free.
            accepted: Called with each `Connection`; None: connections wait for the listener's `start`.
            path: Of a Unix socket, instead of host and port.
            backlog: Connections that may wait in the kernel.
            reuse_port: Whether others may listen there, too.
        """
        listener = Listener(self, self.next_number())

        def bound(message: Bound) -> Listener:
            listener.address = message.address
            self.sockets[listener.number] = listener
            if accepted is not None:
                listener.start(accepted)
            return listener

        request = Listen(self.next_number(), listener.number, host, port, path, backlog, reuse_port)
        return self.ask(request, Bound, bound)

    def connect(
        self, host: str, port: int, *, path: str = "", local: tuple[str, int] = ("", 0)
    ) -> Answer[Connection]:
        """Connect to the first address of a host that answers, or to a Unix socket's path."""
        connection = Connection(self, self.next_number())

        def connected(message: Connected) -> Connection:
            connection.peer, connection.local = message.peer, message.local
            self.sockets[connection.number] = connection
            return connection

        request = Connect(self.next_number(), connection.number, host, port, path, *local)
        return self.ask(request, Connected, connected)

    def open(
        self, received: Callable[[bytes, tuple[str, int]], object], host: str = "", port: int = 0
    ) -> Answer[DatagramSocket]:
        """Make a socket for datagrams; ``received(data, (host, port))`` is called with each."""
        socket = DatagramSocket(self, self.next_number(), received)

        def bound(message: Bound) -> DatagramSocket:
            socket.address = message.address
            self.sockets[socket.number] = socket
            return socket

        return self.ask(Open(self.next_number(), socket.number, host, port), Bound, bound)

    def resolve(self, host: str, port: int = 0) -> Answer[list[tuple[bool, str, int]]]:
        """The addresses of a host: whether of IPv6, address and port."""
        return self.ask(Resolve(self.next_number(), host, port), Resolved, lambda told: told.addresses)

    def took(self, count: int) -> None:
        """So many bytes were taken that are not told yet; with many sockets, all are told in time."""
        self._untold += count
        if count > 0 and self._untold >= MOST_UNTOLD:
            for socket in list(self.sockets.values()):
                socket.tell_taken()

    def waits(self) -> bool:
        """A socket is open."""
        return bool(self.sockets)

    def event(self, message: Any) -> None:
        """Something has come on a socket."""
        socket = self.sockets.get(message.socket)
        match message, socket:
            case Data(), Connection():
                socket.received(message.data)
            case Written(), Connection():
                socket.left(message.count)
            case End(), Connection():
                socket.ended()
            case Datagram(), DatagramSocket():
                socket.received(message)
            case Closed(), Socket():
                del self.sockets[message.socket]
                error = SystemActorError("socket", message.errno, message.reason) if message.errno else None
                socket.gone(error)
            case _:
                raise nonsense(
                    f"sent {type(message).__name__} of a socket {message.socket}, which is not open"
                )

    def abandon(self, error: SystemActorMisbehaved) -> None:
        """All sockets are lost."""
        sockets = list(self.sockets.values())
        self.sockets.clear()
        for socket in sockets:
            socket.gone(error)


class Network(Service):
    """The network, declared in an actor class: ``network = Network()``.

    At run time, a `NetworkClient`; an `AsyncActor` uses it through asyncio.
    """

    system: ClassVar[str] = "network"
    says: ClassVar[Any] = Says
    tells_the_end: ClassVar[bool] = True
    capacity: ClassVar[int] = 128
    message_size: ClassVar[int] = CHUNK + 1024
    node_size: ClassVar[int] = 17 * 1024

    def client(self, connector: _native.Connector, decoder: msgspec.msgpack.Decoder[Any]) -> Client:
        """A client."""
        return NetworkClient(connector, self.system, decoder)


def _nothing(*_: object) -> None:
    pass
