"""NetworkClient: listeners, connections and datagrams, as an actor sees them.

All calls return at once. What happens later is told to the functions that are given, in the
actor's own turns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from eactors.services.base import Client, Service, nonsense
from eactors.services.connection import Connection
from eactors.services.errors import SystemActorError
from eactors.services.handles import DatagramSocket, Socket
from eactors.services.network import (
    CHUNK,
    MOST_UNTOLD,
    Accept,
    Bound,
    Closed,
    Connect,
    Connected,
    Data,
    Datagram,
    End,
    Listen,
    Open,
    Resolve,
    Resolved,
    Says,
    Written,
)
from eactors.services.paths import encoded_path

if TYPE_CHECKING:
    from collections.abc import Callable

    import msgspec

    from eactors import _native
    from eactors.answer import Answer
    from eactors.services.errors import SystemActorMisbehaved

_ACCEPTS = 64
"""Connections of one listener that may be accepted ahead of the actor's turn."""


class Listener(Socket):
    """Where connections come in.

    Attributes:
        address: Where it listens; that of a Unix socket is its path, and 0.
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
            connection.peer = message.peer
            connection.local = message.local if self.address[1] else self.address
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
        path: str | None = None,
        backlog: int = 128,
        reuse_port: bool = False,
    ) -> Answer[Listener]:
        """Listen for connections.

        Args:
            host: An address, or localhost; empty: any. Ask `resolve` for that of another name.
            port: 0: any that is free.
            accepted: Called with each `Connection`; None: connections wait for the listener's `start`.
            path: Of a Unix socket, ``directory/path/below/it``, instead of host and port.
            backlog: Connections that may wait in the kernel.
            reuse_port: Whether others may listen there, too.

        Raises:
            ValueError: The path is too long.
        """
        listener = Listener(self, self.next_number())

        def bound(message: Bound) -> Listener:
            listener.address = message.address if path is None else (path, 0)
            self.sockets[listener.number] = listener
            if accepted is not None:
                listener.start(accepted)
            return listener

        below = None if path is None else encoded_path(path)
        request = Listen(self.next_number(), listener.number, host, port, below, backlog, reuse_port)
        return self.ask(request, Bound, bound)

    def connect(
        self, host: str, port: int, *, path: str | None = None, local: tuple[str, int] = ("", 0)
    ) -> Answer[Connection]:
        """Connect to the first address of a host that answers, or to a Unix socket.

        Args:
            host: Name or address.
            port: Of the host.
            path: Of a Unix socket, ``directory/path/below/it``, instead of host and port.
            local: Address and port to connect from.

        Raises:
            ValueError: The path is too long.
        """
        connection = Connection(self, self.next_number())

        def connected(message: Connected) -> Connection:
            connection.peer = message.peer if path is None else (path, 0)
            connection.local = message.local
            self.sockets[connection.number] = connection
            return connection

        below = None if path is None else encoded_path(path)
        request = Connect(self.next_number(), connection.number, host, port, below, *local)
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
