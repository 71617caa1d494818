"""LocalLoop: the event loop of an enclave with its network system actor in the same process.

Everything is the real thing but the channel between them, which is two queues: so one thread can
run the loop until something is complete, as tests of asyncio want to, and a test can look at and
change every message.
"""

from __future__ import annotations

import os
import select
from asyncio import base_events
from collections import deque
from typing import TYPE_CHECKING, Any

import msgspec

from eactors.aio.loop import Loop
from eactors.services.connection import Connection
from eactors.services.network import Says
from eactors.services.sockets import Listener, NetworkClient
from eactors.system import listeners
from eactors.system.listeners import address_of
from eactors.system.network import NetworkSession
from eactors.system.reactor import READ, Reactor
from eactors.system.streams import Stream

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping


class Letter:
    """What a handler takes for a cargo."""

    def __init__(self, data: bytes) -> None:
        self.data = data


class End:
    """One end of a channel that is two queues.

    Attributes:
        peer: Who is at the other end.
        closed: Whether that has finished.
        incoming: Messages that this end has not received.
        waiting: How many messages it has sent that the channel had no room for, as a test says.
    """

    peer = "the other"
    closed = False
    waiting = 0

    def __init__(self) -> None:
        self.incoming: deque[bytes] = deque()
        self.other: End

    def send(self, data: bytes) -> None:
        """Send a message."""
        self.other.incoming.append(bytes(data))

    def receive(self) -> Letter | None:
        """Receive a message."""
        return Letter(self.incoming.popleft()) if self.incoming else None


def channel() -> tuple[End, End]:
    """Two connected ends."""
    ends = End(), End()
    ends[0].other, ends[1].other = ends[1], ends[0]
    return ends


class LocalNetwork:
    """A client of the network, and the session that serves it.

    Args:
        settings: What a deployment would say for the network.

    Attributes:
        client: The trusted side.
        session: The untrusted side.
        reactor: What the session waits with.
        ends: Of the channel: the client's, the session's.
    """

    def __init__(self, settings: Mapping[str, Any] | None = None, reactor: Reactor | None = None) -> None:
        self.ends = channel()
        self.reactor = reactor or Reactor()
        decoder: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(Says)
        self.client = NetworkClient(self.ends[0], "network", decoder)
        self.session = NetworkSession(self.ends[1], "actor", self.reactor, settings or {})  # type: ignore[arg-type]

    def serve(self) -> bool:
        """Let the session have what was sent to it; whether anything was."""
        happened = False
        while (letter := self.ends[1].receive()) is not None:
            happened = True
            if not self.session.stopped:
                self.session.take(letter)  # type: ignore[arg-type]
        return happened

    def turn(self) -> bool:
        """Deliver what is on its way, in both directions; whether there was anything."""
        happened = self.serve()
        happened = self.reactor.body() is True or happened
        return self.client.poll() > 0 or happened

    def wait(self, timeout: float | None) -> None:
        """Take one turn; if nothing happens in it, another when something does or the time is over."""
        if self.turn() or timeout == 0:
            return
        patience = self.reactor.body()
        if patience is not True:
            limits = [float(patience)] if timeout is None else [float(patience), timeout]  # type: ignore[arg-type]
            select.select([self.reactor], [], [], min(limits))
        self.turn()

    def close(self) -> None:
        """End the session and what it waited with."""
        self.session.ended()
        close(self.reactor)


def close(reactor: Reactor) -> None:
    """End a reactor, which in a run ends with its process."""
    if reactor._threads is not None:
        reactor._threads.shutdown()
    reactor._epoll.close()
    os.close(reactor._woken)


_run_forever = base_events.BaseEventLoop.run_forever


class LocalLoop(Loop):
    """An enclave's event loop that can run by itself.

    Args:
        ignored: Whatever a test gives its loop to wait with.
        settings: What a deployment would say for the network.
    """

    def __init__(self, *ignored: object, settings: Mapping[str, Any] | None = None) -> None:  # noqa: ARG002
        self.local = LocalNetwork(settings)
        self._bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self.local.reactor.register(self._bell, READ, lambda _: os.eventfd_read(self._bell))
        super().__init__(self.local.wait, self.local.client)

    def run_forever(self) -> None:
        """Run, where in an enclave a worker does."""
        _run_forever(self)

    def _adopted(self, sock: socket.socket) -> Connection:
        """Hand a connected socket over to the system actor, as no enclave can."""
        number = self.local.client.next_number()
        connection = self.local.client.sockets[number] = Connection(self.local.client, number)
        sock.setblocking(False)  # noqa: FBT003 - as sockets have it
        connection.peer, connection.local = address_of(sock.getpeername()), address_of(sock.getsockname())
        self.local.session.streams[number] = Stream(self.local.session, number, sock)
        return connection

    def _adopted_listener(self, sock: socket.socket, backlog: int) -> Listener:
        """Likewise, one that is bound."""
        sock.setblocking(False)  # noqa: FBT003 - as sockets have it
        sock.listen(backlog)
        number = self.local.client.next_number()
        listener = self.local.client.sockets[number] = Listener(self.local.client, number)
        listener.address = address_of(sock.getsockname())
        self.local.session.streams[number] = listeners.Listener(self.local.session, number, sock, None)
        return listener

    def close(self) -> None:
        """Close it, and the network with it."""
        if not self.is_closed():
            super().close()
            self.local.close()
            os.close(self._bell)

    def _write_to_self(self) -> None:
        """Threads wake it, of which there are none in an enclave."""
        if not self.is_closed():
            os.eventfd_write(self._bell, 1)
