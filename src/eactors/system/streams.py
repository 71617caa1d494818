"""Stream: one connection of a client, between its kernel socket and its credit."""

from __future__ import annotations

import errno
import os
import socket as kernel
from collections import deque
from typing import TYPE_CHECKING

from eactors.services.network import CHUNK, WINDOW, Closed, Data, End, Written
from eactors.system.reactor import GONE, READ, WRITE

if TYPE_CHECKING:
    from eactors.system.network import NetworkSession

_TELL = WINDOW // 4
_PARKED = 0.002
"""Seconds until a stream looks again whether its client has read what was sent to it."""


class Stream:
    """Reads while its client has room, writes while the peer takes.

    Args:
        session: Whose it is.
        number: What the client calls it.
        sock: A connected socket, not blocking.
    """

    def __init__(self, session: NetworkSession, number: int, sock: kernel.socket) -> None:
        self._session = session
        self._number = number
        self._sock = sock
        self._credit = WINDOW
        self._outgoing: deque[memoryview] = deque()
        self._held = 0
        self._untold = 0
        self._ended = self._finishing = self._closing = self._parked = self._waiting = False
        self._events: int | None = READ
        session.reactor.register(sock.fileno(), READ, self._ready)

    def write(self, data: bytes) -> None:
        """Send, or keep what the peer does not take; more than a window breaks the connection."""
        self._held += len(data)
        if self._held > WINDOW or self._finishing or self._closing:
            self.end(OSError(errno.ENOBUFS, "the client has written more than it may"))
            return
        if self._outgoing:
            self._outgoing.append(memoryview(data))
            return
        try:
            sent = self._sock.send(data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError as error:
            self.end(error)
            return
        self._left(sent)
        if sent < len(data):
            self._outgoing.append(memoryview(data)[sent:])
            self._await()

    def taken(self, count: int) -> None:
        """The client has taken so many bytes."""
        if self._closing:
            return
        if self._credit + count > WINDOW:
            self.end(OSError(errno.EPROTO, "the client has taken more than it was given"))
            return
        self._credit += count
        self._session.unread.release(count)
        self._await()

    def go_on(self) -> None:
        """There is room for more of what the client has not taken; see `Unread`."""
        self._waiting = False
        self._await()
        self._read(gone=False)

    def finish(self) -> None:
        """Send the end, behind what is kept."""
        self._finishing = True
        self._conclude()

    def close(self, *, abort: bool) -> None:
        """Close, behind what is kept unless ``abort``."""
        self._closing = True
        self._forget()
        if abort and self._outgoing:
            self._outgoing.clear()
            # The peer gets a reset: it must not take what it has for all there was.
            self._sock.setsockopt(kernel.SOL_SOCKET, kernel.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self._conclude()

    def end(self, error: OSError | None = None) -> None:
        """It is no more; the client is told why."""
        if self._sock.fileno() < 0:
            return
        self._session.reactor.unregister(self._sock.fileno())
        self._sock.close()
        self._outgoing.clear()
        self._forget()
        number, reason = (
            (0, "") if error is None else (error.errno or errno.EIO, error.strerror or str(error))
        )
        self._session.streams.pop(self._number, None)
        self._session.reply(Closed(self._number, number, reason))

    def _ready(self, ready: int) -> None:
        if ready & (WRITE | GONE) and self._outgoing:
            self._flush()
        if ready & (READ | GONE) and self._sock.fileno() >= 0:
            self._read(gone=bool(ready & GONE))

    def _read(self, *, gone: bool) -> None:
        room = min(self._credit, CHUNK, self._session.unread.room)
        if self._ended or self._closing:
            code = self._sock.getsockopt(kernel.SOL_SOCKET, kernel.SO_ERROR) if gone else 0
            if code:
                self.end(OSError(code, os.strerror(code)))
                return
            room = 0
        elif self._session.is_behind():
            self._park()
            room = 0
        elif room == 0 and self._credit:
            self._waiting = True
            self._session.unread.wait(self)
        if room == 0:
            # The kernel tells of the end again and again, however little that is wanted.
            self._watch(None if gone and not self._outgoing else self._wanted())
            return
        try:
            data = self._sock.recv(room)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self.end(error)
            return
        if data:
            self._credit -= len(data)
            self._session.unread.add(len(data))
            self._session.reply(Data(self._number, data))
            if self._credit == 0:
                self._await()
        else:
            self._ended = True
            self._session.reply(End(self._number))
            self._await()

    def _forget(self) -> None:
        """What the client has not taken it will not take any more."""
        untaken, self._credit = WINDOW - self._credit, WINDOW
        self._session.unread.forget(self, untaken)

    def _park(self) -> None:
        """Read no more until the client has caught up."""
        if not self._parked:
            self._parked = True
            self._await()
            self._session.reactor.later(_PARKED, self._unpark)

    def _unpark(self) -> None:
        self._parked = False
        if self._sock.fileno() < 0:
            return
        if self._session.is_behind():
            self._park()
        else:
            self._await()

    def _flush(self) -> None:
        while self._outgoing:
            first = self._outgoing[0]
            try:
                sent = self._sock.send(first)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                self.end(error)
                return
            self._left(sent)
            if sent < len(first):
                self._outgoing[0] = first[sent:]
                return
            self._outgoing.popleft()
        self._conclude()
        self._await()

    def _left(self, count: int) -> None:
        self._held -= count
        self._untold += count
        if self._untold >= _TELL:
            self._session.reply(Written(self._number, self._untold))
            self._untold = 0

    def _conclude(self) -> None:
        if self._outgoing or self._sock.fileno() < 0:
            return
        if self._closing:
            self.end()
        elif self._finishing:
            try:
                self._sock.shutdown(kernel.SHUT_WR)
            except OSError as error:
                self.end(error)

    def _wanted(self) -> int | None:
        reading = self._credit > 0 and not (self._ended or self._closing or self._parked or self._waiting)
        return (READ if reading else 0) | (WRITE if self._outgoing else 0)

    def _await(self) -> None:
        if self._sock.fileno() >= 0:
            self._watch(self._wanted())

    def _watch(self, events: int | None) -> None:
        """Have the reactor tell of these events; None: of nothing, not even of the end."""
        if events == self._events:
            return
        reactor, descriptor = self._session.reactor, self._sock.fileno()
        if events is None:
            reactor.unregister(descriptor)
        elif self._events is None:
            reactor.register(descriptor, events, self._ready)
        else:
            reactor.modify(descriptor, events)
        self._events = events
