"""Console: the system actor that prints what actors print, whole lines at a time."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, TextIO

from eactors.enclave.link import EVENT, HEADER, STDERR, STDOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LONGEST = 1 << 24

BROKEN_PIPE = 141
"""Exit status when whoever read our output has gone, as of a process that SIGPIPE ended."""


class Console:
    """Puts frames of enclaves together again, prints the text and yields the events.

    What enclaves send is as untrusted as they are to each other: a frame that makes no
    sense is dropped, and no sender can affect the lines of another.

    Args:
        before_output: Called before each write.

    Attributes:
        closed: Whether nobody reads our output any more.
    """

    def __init__(self, before_output: Callable[[], None]) -> None:
        self._before_output = before_output
        self.closed = False
        self._begun: dict[tuple[int, bytes], bytes] = {}

    def take(self, frame: bytes) -> Iterator[bytes]:
        """Take one frame in; yields the event that it completes, if it does."""
        if len(frame) < HEADER:
            return
        kind, more, sender = frame[:1], frame[1], int.from_bytes(frame[2:HEADER], "big")
        data = self._begun.pop((sender, kind), b"") + frame[HEADER:]
        if more and len(data) < _LONGEST:
            self._begun[sender, kind] = data
        elif kind == EVENT:
            yield data
        elif kind == STDOUT:
            self._write(sys.stdout, data)
        elif kind == STDERR:
            self._write(sys.stderr, data)

    def _write(self, stream: TextIO, data: bytes) -> None:
        if self.closed:
            return
        self._before_output()
        try:
            stream.write(data.decode("utf-8", "replace"))
            stream.flush()
        except BrokenPipeError:
            self.closed = True
            # What the stream still buffers must not fail again when Python ends.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
