"""Console: prints what actors print, whole lines at a time, and reads lines for them.

The first is done by the launcher, for every enclave; the second by the process of the system
actors, for those that ask.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from typing import TYPE_CHECKING, Any, ClassVar, TextIO

from eactors.enclave.link import EVENT, HEADER, STDERR, STDOUT
from eactors.services import console
from eactors.system.input import Input
from eactors.system.output import Output
from eactors.system.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LONGEST = 1 << 24
_MOST_READS = 16

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

    def complain(self, text: str) -> None:
        """Print what an actor's last words were."""
        self._write(sys.stderr, text.encode("utf-8", "backslashreplace"))

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


class ConsoleSession(Session):
    """One actor's part of the console; it has one request at a time."""

    takes: ClassVar[Any] = console.Requests

    def handlers(self) -> dict[type, Callable[[Any], object]]:
        """By kind of request."""
        self._input, self._output = self.reactor.one(Input), self.reactor.one(Output)
        self._input.source = self.settings.get("input")
        self._writing = False
        self._reading: deque[Callable[[bytes], object]] = deque()
        return {console.Write: self._write, console.ReadLine: self._read_line}

    def is_busy(self) -> bool:
        """The launcher is behind, or many lines were asked for that are not there."""
        return self._writing or len(self._reading) >= _MOST_READS

    def ended(self) -> None:
        """Leave the lines to others."""
        for call in self._reading:
            self._input.forget(call)
        self._reading.clear()

    def _write(self, request: console.Write) -> None:
        self._writing = True
        life = self.life

        def wrote() -> None:
            self._writing = False
            if life == self.life:
                self.done(request)

        self._output.write(request.data, wrote)

    def _read_line(self, request: console.ReadLine) -> None:
        def read(line: bytes) -> None:
            self._reading.popleft()
            self.reply(console.Line(request.id, line))

        self._reading.append(read)
        self._input.line(read)
