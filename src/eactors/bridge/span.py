"""The span between this server and one other: the ports of their channels, and a connection.

Two threads carry it. The reader gets a connection, and blocks in recv() on it; the writer
sleeps at the gate, by whose bell the actors wake it, and writes. So each event wakes exactly
the thread that has to do something, and neither waits for two things at once. What both
touch, ports and link, is guarded by a lock that is never held over a call that may block.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from eactors import _native
from eactors.bridge.link import OPEN, Frame, Link, Refused
from eactors.bridge.wire import WireError
from eactors.bridge.words import pack, unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from eactors.bridge.link import Window
    from eactors.bridge.wire import Hello
    from eactors.bridge.words import Ending

_RECEIVE = 1 << 18
_BATCH = 64
_IDLE_NS = 1_000_000_000
"""After so long without anything to say a side says that it is alive."""
_DEAD_AFTER = 8
"""Seconds of silence after which a connection is given up."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 1.0


class Span:
    """One span; `start` begins it.

    Args:
        hello: What this side says of itself.
        windows: The channels that go over it.
        ports: Their ends.
        gate: Of all the ports.
        dial: Makes a connection; None: the peer does.
        heard: Called with what the peer says of the application.
        failed: Called once if the two can never be linked again.
    """

    def __init__(
        self,
        hello: Hello,
        windows: Mapping[int, Window],
        ports: Mapping[int, _native.Port],
        gate: _native.Gate,
        dial: Callable[[], socket.socket] | None,
        heard: Callable[[Ending], None],
        failed: Callable[[WireError], None],
    ) -> None:
        self._link = Link(hello, windows)
        self._ports, self._gate, self._dial = dict(ports), gate, dial
        self._heard, self._failed = heard, failed
        self._inboxes: dict[int, deque[Frame]] = {channel: deque() for channel in ports}
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._offered: socket.socket | None = None
        self._arrived = threading.Event()
        self._closing = threading.Event()
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._read, self._write)]

    def start(self) -> None:
        """Begin to carry."""
        for thread in self._threads:
            thread.start()

    @property
    def connected(self) -> bool:
        """Whether there is a connection, and the peer has said hello."""
        return self._link.state == OPEN

    @property
    def settled(self) -> bool:
        """Whether the peer has all that was sent."""
        return self._link.settled

    def say(self, word: Ending) -> None:
        """Tell the peer how the application goes on; if there is no connection, once there is one."""
        with self._lock:
            self._link.say(pack(word))
        self._gate.poke()

    def offer(self, connection: socket.socket, hello: Hello) -> None:
        """Take a connection that the peer has made, whose hello was read from it already.

        Raises:
            Refused: It is not the peer.
        """
        with self._lock:
            try:
                self._link.judge(hello)
            except Refused as error:
                if error.why == "restarted" and self._link.state != OPEN:
                    # Nobody is there any more who knows what was sent before.
                    self._closing.set()
                    self._failed(error)
                raise
            self._drop()
            if self._offered is not None:
                self._offered.close()
            self._offered = connection
            self._greeting = hello.pack()
        self._arrived.set()

    def refusal(self) -> bytes:
        """What to say to who is not the peer: who is."""
        return self._link.greeting()

    def close(self) -> None:
        """Cut the connection, and end."""
        self._closing.set()
        self._arrived.set()
        with self._lock:
            self._drop()
        self._gate.poke()
        for thread in self._threads:
            thread.join()

    def _drop(self) -> None:
        """Cut the connection, if there is one: the reader notices, and sees to the rest."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    # ---- the reader ----

    def _read(self) -> None:
        pause = _FIRST_PAUSE
        while not self._closing.is_set():
            connection, greeting = self._next_connection()
            if connection is None:
                self._closing.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            with connection:
                _tune(connection)
                try:
                    self._serve(connection, greeting)
                except WireError as error:
                    self._closing.set()
                    self._failed(error)
                except OSError:
                    pass
                pause = _FIRST_PAUSE if self._link.state == OPEN else pause
                with self._lock:
                    self._socket = None
                    self._link.lost()
            if self._dial is not None:
                self._closing.wait(pause)

    def _next_connection(self) -> tuple[socket.socket | None, bytes]:
        if self._dial is not None:
            try:
                return self._dial(), b""
            except OSError:
                return None, b""
        self._arrived.wait()
        with self._lock:
            self._arrived.clear()
            connection, self._offered = self._offered, None
            return connection, self._greeting if connection is not None else b""

    def _serve(self, connection: socket.socket, greeting: bytes) -> None:
        with self._lock:
            self._socket = connection
            self._link.begin()
            self._take(greeting)
        self._gate.poke()
        while not self._closing.is_set():
            data = connection.recv(_RECEIVE)
            if not data:
                return
            with self._lock:
                words = self._take(data)
                poke = self._link.wants_to_send
            if poke:
                self._gate.poke()
            for word in words:
                self._heard(word)

    def _take(self, data: bytes) -> list[Ending]:
        """Take what has come; frames go to their actors."""
        words: list[Ending] = []
        link = self._link
        for event in link.receive_data(data):
            if type(event) is Frame:
                inbox = self._inboxes[event.channel]
                port = self._ports[event.channel]
                if not inbox and port.push(event.kind, event.rest, event.payload):
                    link.consumed(event.channel)
                else:
                    inbox.append(event)
                    port.stuck = True
                    self._gate.poke()
            else:
                words.append(unpack(event.content))
                link.acknowledge()
        return words

    # ---- the writer ----

    def _write(self) -> None:
        opened = True
        while not self._closing.is_set():
            with self._lock:
                self._pump()
                if self._link.owes and not opened:
                    self._link.acknowledge()
                elif not opened and self._link.state == OPEN:
                    self._link.acknowledge()
                data, connection = self._link.data_to_send(), self._socket
            if data and connection is not None:
                try:
                    connection.sendall(data)
                except OSError:
                    with contextlib.suppress(OSError):
                        connection.shutdown(socket.SHUT_RDWR)
            opened = self._gate.wait(_IDLE_NS)

    def _pump(self) -> None:
        """Send what actors have sent, as far as there is credit; and bring what they had no room for."""
        link = self._link
        for channel, port in self._ports.items():
            for _ in range(_BATCH):
                if not link.may_send(channel):
                    port.reading = False
                    break
                port.reading = True
                if (frame := port.pop()) is None:
                    break
                link.send(channel, *frame)
            if port.stuck:
                inbox = self._inboxes[channel]
                while inbox and port.push(inbox[0].kind, inbox[0].rest, inbox[0].payload):
                    inbox.popleft()
                    link.consumed(channel)
                port.stuck = bool(inbox)


def _tune(connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _DEAD_AFTER * 1000)
    # By the socket's own option a blocking call ends after so long, without a call of poll() before each.
    connection.settimeout(None)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", _DEAD_AFTER, 0))


def waited(until: Callable[[], bool], seconds: float) -> bool:
    """Wait until something is true, at most so long; whether it is."""
    deadline = time.monotonic() + seconds
    while not until() and time.monotonic() < deadline:
        time.sleep(0.001)
    return until()
