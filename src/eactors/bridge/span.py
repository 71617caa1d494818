"""The span between this server and one other: it keeps a connection, over which native code carries.

Two threads carry (see ``_native/span.c``); what is here gets them a connection, again and
again, and sees to it that who is at its other end is the process that it was before.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
from typing import TYPE_CHECKING

from eactors.bridge.wire import HELLO_SIZE, NOBODY, Hello, Refused, WireError, hello_in
from eactors.bridge.words import unpack
from eactors.errors import RegionCorrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from eactors import _native
    from eactors.bridge.words import Ending

_IDLE_NS = 1_000_000_000
"""After so long without anything to say a side says that it is alive."""
_DEAD_AFTER = 8
"""Seconds of silence after which a connection is given up."""
_GREETING = 5.0
"""Seconds in which the peer must have said hello."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 1.0


class Span:
    """One span; `start` begins it.

    Args:
        hello: What this side says of itself.
        native: What carries.
        cpus: Where its threads run.
        dial: Makes a connection; None: the peer does.
        heard: Called with what the peer says of the application.
        failed: Called once if the two can never be linked again, or shared memory is corrupted.
    """

    def __init__(
        self,
        hello: Hello,
        native: _native.Span,
        cpus: Collection[int],
        dial: Callable[[], socket.socket] | None,
        heard: Callable[[Ending], None],
        failed: Callable[[WireError | RegionCorrupted], None],
    ) -> None:
        self.native = native
        self._cpus = cpus
        self._hello, self._dial, self._heard, self._fail = hello, dial, heard, failed
        self._peer_run = NOBODY
        self._lock = threading.Lock()
        self._offered: tuple[socket.socket, Hello] | None = None
        self._arrived = threading.Event()
        self._closing = threading.Event()
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._keep, self._write)]

    def start(self) -> None:
        """Begin to carry."""
        for thread in self._threads:
            thread.start()

    @property
    def has_met(self) -> bool:
        """Whether the peer was ever there."""
        return self._peer_run != NOBODY

    def hello(self) -> Hello:
        """What this side says of itself now."""
        return self._hello._replace(known=self._peer_run, received=self.native.received)

    def offer(self, connection: socket.socket, hello: Hello) -> None:
        """Take a connection that the peer has made, whose hello was read from it already.

        Raises:
            Refused: It is not the peer.
        """
        try:
            hello.judge(self.hello())
        except Refused as error:
            if error.why == "restarted" and not self.native.connected:
                # Nobody is there any more who knows what was sent before.
                self._failed(error)
            raise
        with self._lock:
            if self._offered is not None:
                self._offered[0].close()
            self._offered = connection, hello
            self._arrived.set()
        self.native.cut()

    def close(self) -> None:
        """Cut the connection, and end."""
        self._closing.set()
        self._arrived.set()
        self.native.close()
        for thread in self._threads:
            thread.join()

    def _failed(self, error: WireError | RegionCorrupted) -> None:
        if not self._closing.is_set():
            self._closing.set()
            self._fail(error)

    # ---- the reader ----

    def _keep(self) -> None:
        """Keep a connection."""
        self._pin()
        pause = _FIRST_PAUSE
        while not self._closing.is_set():
            try:
                connection, hello = self._connection()
            except OSError:
                connection = None
            except WireError as error:
                self._failed(error)
                return
            if connection is not None:
                with connection:
                    self._serve(connection, hello)
                pause = _FIRST_PAUSE
            if self._dial is not None:
                self._closing.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    def _connection(self) -> tuple[socket.socket | None, Hello]:
        """The next connection, on which both have said hello."""
        if self._dial is None:
            self._arrived.wait()
            with self._lock:
                self._arrived.clear()
                if self._offered is None:
                    return None, self._hello
                (connection, hello), self._offered = self._offered, None
            connection.sendall(self.hello().pack())
            return connection, hello
        connection = self._dial()
        try:
            connection.settimeout(_GREETING)
            connection.sendall(self.hello().pack())
            hello = hello_from(connection)
            hello.judge(self.hello())
        except BaseException:
            connection.close()
            raise
        return connection, hello

    def _serve(self, connection: socket.socket, hello: Hello) -> None:
        """Carry over a connection until it is no more."""
        _tune(connection)
        self._peer_run = hello.run
        try:
            if not self.native.open(connection.fileno(), hello.received):
                raise WireError("it has what was never sent")  # noqa: TRY301
            while (word := self.native.read(connection.fileno())) is not None:
                self._heard(unpack(word))
        except ValueError as error:
            self._failed(WireError(f"it sends {error}"))
        except (WireError, RegionCorrupted) as error:
            self._failed(error)
        finally:
            self.native.lost()

    # ---- the writer ----

    def _pin(self) -> None:
        # What does not work is no worse than not to have asked.
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, self._cpus)

    def _write(self) -> None:
        self._pin()
        try:
            self.native.write(_IDLE_NS)
        except RegionCorrupted as error:
            self._failed(error)


def hello_from(connection: socket.socket) -> Hello:
    """Read a hello, and nothing behind it.

    Raises:
        WireError: It is none.
        OSError: The connection is no more, or nothing came in time.
    """
    data = b""
    while (hello := hello_in(data)) is None:
        more = connection.recv(HELLO_SIZE - len(data))
        if not more:
            raise ConnectionResetError("it hung up before it said hello")
        data += more
    return hello


def _tune(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.settimeout(None)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _DEAD_AFTER * 1000)
        # By the socket's own option recv() ends after so long, without a call of poll() before each.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", _DEAD_AFTER, 0))
