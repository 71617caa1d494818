"""Input: the lines of the launcher's standard input, each given to whoever has waited longest.

Nothing is read while nobody wants a line. A terminal and a pipe are awaited, a file is read
by a thread.
"""

from __future__ import annotations

import os
from collections import deque
from typing import TYPE_CHECKING

from eactors.services.console import LONGEST_LINE
from eactors.system.reactor import READ

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from eactors.system.reactor import Reactor

_MOST = 1 << 16


class Input:
    """The lines of one descriptor.

    Args:
        reactor: What to wait with.

    Attributes:
        source: The descriptor; None: there is none, and the input has ended.
    """

    source: int | None = None

    def __init__(self, reactor: Reactor) -> None:
        self._reactor = reactor
        self._waiting: deque[Callable[[bytes], object]] = deque()
        self._read = bytearray()
        self._ended = False
        self._awaited = False

    def line(self, call: Callable[[bytes], object]) -> None:
        """Call ``call(line)`` with the next line, or what is left of one at the end, or nothing."""
        self._waiting.append(call)
        self._give()

    def forget(self, call: Callable[[bytes], object]) -> None:
        """Do not call it any more."""
        if call in self._waiting:
            self._waiting.remove(call)

    def _give(self) -> None:
        while self._waiting:
            end = self._read.find(b"\n", 0, LONGEST_LINE) + 1
            # What is longer than a line can be is given in parts; the client sees that none has an end.
            if end == 0 and (self._ended or len(self._read) >= LONGEST_LINE):
                end = min(len(self._read), LONGEST_LINE)
            elif end == 0:
                break
            line = bytes(self._read[:end])
            del self._read[:end]
            self._waiting.popleft()(line)
        if self._waiting and not self._awaited:
            self._await()

    def _await(self) -> None:
        source = self.source
        if source is None:
            self._ended = True
            self._give()
            return
        self._awaited = True
        try:
            self._reactor.register(source, READ, lambda _: self._readable(source))
        except PermissionError:
            # A file, which is always ready, and may be on a slow disk.
            self._reactor.in_thread(lambda: os.read(source, _MOST), self._was_read)

    def _readable(self, source: int) -> None:
        self._reactor.unregister(source)
        try:
            self._take(os.read(source, _MOST))
        except BlockingIOError:
            self._take(None)
        except OSError:
            self._take(b"")

    def _was_read(self, future: Future[bytes]) -> None:
        self._take(b"" if future.exception() is not None else future.result())

    def _take(self, data: bytes | None) -> None:
        self._awaited = False
        if data is not None:
            self._read += data
            self._ended = not data
        self._give()
