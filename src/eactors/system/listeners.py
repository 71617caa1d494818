"""Listener and Datagrams: what else than connections a client has of the network."""

from __future__ import annotations

import errno
import socket as kernel
from collections import deque
from typing import TYPE_CHECKING

from eactors.services.network import CHUNK, DATAGRAMS, Closed, Datagram
from eactors.system.reactor import READ

if TYPE_CHECKING:
    from eactors.services.network import Accept, Address, SendTo
    from eactors.system.network import NetworkSession
    from eactors.system.reactor import Later
    from eactors.system.unix import Name

_MOST_WANTED = 4096
"""Connections of one listener that its client may await at once."""

_PAUSE = 0.1
"""Seconds until a listener tries again after the machine had no descriptor left."""

_TRANSIENT = {errno.ECONNABORTED, errno.EPROTO, errno.EPERM, errno.ENETDOWN, errno.EHOSTUNREACH}
"""Errors of one connection that was not accepted, and not of the listener (accept(2))."""


class Listener:
    """Accepts as many connections as its client has names for.

    Args:
        session: Whose it is.
        number: What the client calls it.
        sock: A listening socket, not blocking.
        name: Of a Unix socket.
    """

    def __init__(self, session: NetworkSession, number: int, sock: kernel.socket, name: Name | None) -> None:
        self._session = session
        self._number = number
        self._sock = sock
        self._name = name
        self._wanted: deque[Accept] = deque()
        self._events = 0
        self._again: Later | None = None
        session.reactor.register(sock.fileno(), 0, self._ready)

    def accept(self, request: Accept) -> None:
        """Call the next connection as the request says."""
        if len(self._wanted) >= _MOST_WANTED:
            raise OSError(errno.ENOBUFS, f"{_MOST_WANTED} connections are the most that may be awaited")
        self._wanted.append(request)
        self._await()

    def close(self, *, abort: bool) -> None:  # noqa: ARG002 - as a stream's
        """Close it; what waits in the kernel is refused."""
        self.end()

    def end(self) -> None:
        """It is no more."""
        self._session.reactor.unregister(self._sock.fileno())
        self._sock.close()
        if self._name is not None:
            self._name.release()
        error = OSError(errno.ECANCELED, "the listener was closed")
        for request in self._wanted:
            self._session.fail(request, error)
        self._wanted.clear()
        self._session.streams.pop(self._number, None)
        self._session.reply(Closed(self._number, 0, ""))

    def _ready(self, _: int) -> None:
        while self._wanted and self._session.has_room():
            try:
                sock, _ = self._sock.accept()
            except (BlockingIOError, InterruptedError):
                break
            except OSError as error:
                if error.errno not in _TRANSIENT:
                    self._pause()
                    return
                continue
            self._session.add(self._wanted.popleft(), sock)
        self._await()

    def _pause(self) -> None:
        """Let whoever waits wait in the kernel for a while."""
        self._watch(0)
        if self._again is None:
            self._again = self._session.reactor.later(_PAUSE, self._go_on)

    def _go_on(self) -> None:
        self._again = None
        self._await()

    def _await(self) -> None:
        if self._again is not None:
            return
        if self._wanted and not self._session.has_room():
            self._pause()
        else:
            self._watch(READ if self._wanted else 0)

    def _watch(self, events: int) -> None:
        if events != self._events and self._sock.fileno() >= 0:
            self._events = events
            self._session.reactor.modify(self._sock.fileno(), events)


class Datagrams:
    """Receives as many datagrams as its client has room for; the kernel drops the rest."""

    def __init__(self, session: NetworkSession, number: int, sock: kernel.socket) -> None:
        self._session = session
        self._number = number
        self._sock = sock
        self._room = DATAGRAMS
        self._untaken: deque[int] = deque()
        """The sizes of those that the client has not taken."""
        session.reactor.register(sock.fileno(), READ, self._ready)

    def send(self, request: SendTo) -> None:
        """Send one, or lose it."""
        try:
            # A number, for to look a name up could take as long as it likes.
            flags = kernel.AI_NUMERICHOST
            found = kernel.getaddrinfo(request.host, request.port, self._sock.family, flags=flags)
            self._sock.sendto(request.data, found[0][4])
        except (OSError, ValueError, TypeError):
            return

    def taken(self, count: int) -> None:
        """The client has taken so many."""
        self._room = min(DATAGRAMS, self._room + count)
        self._session.reactor.modify(self._sock.fileno(), READ)
        taken = [self._untaken.popleft() for _ in range(min(count, len(self._untaken)))]
        self._session.unread.release(sum(taken))

    def go_on(self) -> None:
        """There is room for more of what the client has not taken; see `Unread`."""
        self._session.reactor.modify(self._sock.fileno(), READ)
        self._ready(READ)

    def close(self, *, abort: bool) -> None:  # noqa: ARG002 - as a stream's
        """Close it."""
        self.end()

    def end(self) -> None:
        """It is no more."""
        self._session.reactor.unregister(self._sock.fileno())
        self._sock.close()
        self._session.unread.forget(self, sum(self._untaken))
        self._session.streams.pop(self._number, None)
        self._session.reply(Closed(self._number, 0, ""))

    def _ready(self, _: int) -> None:
        unread = self._session.unread
        while self._room and unread.room:
            try:
                data, address = self._sock.recvfrom(CHUNK)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:  # what a peer has refused is told here, too
                continue
            self._room -= 1
            self._untaken.append(len(data))
            unread.add(len(data))  # the last one may be larger than the room
            host, port = address_of(address)
            self._session.reply(Datagram(self._number, host, port, data))
        if self._room:
            unread.wait(self)
        self._session.reactor.modify(self._sock.fileno(), 0)


def address_of(address: object) -> Address:
    """A kernel's address as messages have it; that of a Unix socket is a path of the host, and not told."""
    match address:
        case (str() as host, int() as port, *_):
            return host, port
    return "", 0
