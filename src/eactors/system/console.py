"""Console: the system actor that prints what actors print, whole lines at a time."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TextIO

from eactors.enclave.link import EVENT, HEADER, STDERR, STDOUT

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST = 1 << 24


class Console:
    """Puts frames of enclaves together again, prints the text and yields the events.

    What enclaves send is as untrusted as they are to each other: a frame that makes no
    sense is dropped, and no sender can affect the lines of another.
    """

    def __init__(self) -> None:
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
            _write(sys.stdout, data)
        elif kind == STDERR:
            _write(sys.stderr, data)


def _write(stream: TextIO, data: bytes) -> None:
    stream.write(data.decode("utf-8", "replace"))
    stream.flush()
