"""A hostile host in lockstep with its two enclaves: it changes a key exchange while nobody looks.

The host is the launcher itself. It lets one enclave run until what that one sends lies in shared
memory, stops its process, rewrites what it likes, and only then lets the other one look:

1. ``hello``: side 0's hello waits for side 1, which is held in a constructor;
2. ``answer``: side 1's hello and proof wait for side 0, which is stopped;
3. ``proof``: side 0's proof and first message, or its giving up, wait for side 1, which is stopped.

Nothing here sleeps or guesses: each step waits until the frames are there and the process stands.
"""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

from eactors import _native
from eactors.host.application import Application
from eactors.host.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from eactors.host.layout import ChannelPlace
    from eactors.host.outcome import Outcome

DATA, CLOSE, HANDSHAKE, BROKEN = range(4)
PATIENCE = 20
"""Seconds for a step; only a defect of the test makes it take as long."""

_LENGTH, _KIND = slice(12, 16), slice(20, 24)


class Frame:
    """A frame that lies in shared memory, for the host to read and write."""

    def __init__(self, region: _native.Region, at: int) -> None:
        self._region, self._at = region, at

    def _field(self, where: slice) -> slice:
        return slice(self._at + where.start, self._at + where.stop)

    @property
    def kind(self) -> int:
        """What the header says it is."""
        with memoryview(self._region) as view:
            return int.from_bytes(view[self._field(_KIND)], "little")

    @property
    def content(self) -> bytes:
        """So many bytes of the payload as the header says; a tag behind them is not among them."""
        with memoryview(self._region) as view:
            length = int.from_bytes(view[self._field(_LENGTH)], "little")
            start = self._at + _native.NODE_HEADER_BYTES
            return bytes(view[start : start + length])

    def write(self, content: bytes, kind: int = HANDSHAKE, beyond: bytes = b"") -> None:
        """Write it anew, with what lies behind the bytes that its header counts."""
        with memoryview(self._region) as view:
            view[self._field(_LENGTH)] = len(content).to_bytes(4, "little")
            view[self._field(_KIND)] = kind.to_bytes(4, "little")
            start = self._at + _native.NODE_HEADER_BYTES
            whole = content + beyond
            view[start : start + len(whole)] = whole

    def beyond(self, size: int) -> bytes:
        """Return what lies behind its content."""
        with memoryview(self._region) as view:
            start = self._at + _native.NODE_HEADER_BYTES + len(self.content)
            return bytes(view[start : start + size])


class Lockstep:
    """Runs a built application of two enclaves, step by step.

    Args:
        built: The folder.
        hold: A FIFO; the constructor that reads a byte of it holds its enclave.
        strike: Called with each step's name while nobody looks.

    Attributes:
        app: The application.
        channels: The channels' ids in the order of declaration.
    """

    def __init__(self, built: Path, hold: Path, strike: Callable[[str], None]) -> None:
        self._hold, self._strike = hold, strike
        self._steps = self._walk()
        self._condition: Callable[[], bool] | None = None
        self._deadline = time.monotonic() + PATIENCE
        self._built = built
        self.app: Application
        self.channels: list[int] = []

    def run(self) -> Outcome:
        """Run it to its end."""
        with Workspace() as workspace:
            self.app = Application(self._built, workspace, watcher=self)
            self.channels = sorted(self.app._layout.channels)[:3]
            self.prepare()
            return self.app.run()

    def prepare(self) -> None:
        """Do what comes before anything starts."""

    def before_output(self) -> None:
        """Nothing to clear."""

    def notice(self, _words: str) -> None:
        """Nobody to tell."""

    def tick(self, _received: int) -> None:
        """Go as far as there is something to go on with."""
        while self._condition is None or self._condition():
            self._condition = next(self._steps, lambda: False)
            self._deadline = time.monotonic() + PATIENCE
        if time.monotonic() > self._deadline:
            raise TimeoutError(f"stuck: {[self._kinds(c, s) for c in self.channels for s in (0, 1)]}")

    def frame(self, channel: int, side: int, index: int = 0) -> Frame:
        """Return a frame that waits for one side of a channel, counted from the oldest.

        Args:
            channel: By order of declaration.
            side: The receiver.
            index: 0: the oldest.
        """
        return self._waiting(self.channels[channel], side)[index]

    def _waiting(self, channel: int, side: int) -> list[Frame]:
        place = self.app._layout.channels[channel]
        return [Frame(self.app._region, at) for at in self._nodes(place, side)]

    def _nodes(self, place: ChannelPlace, side: int) -> Iterator[int]:
        lines = (_native.NODE_HEADER_BYTES + place.payload + 63) // 64 | 1
        mbox = place.mboxes[side]
        with memoryview(self.app._region) as view:

            def word(at: int) -> int:
                return int.from_bytes(view[at : at + 8], "little")

            for position in range(word(mbox), word(mbox) + place.capacity):
                turn, index = divmod(word(mbox + 128 + 8 * (position % place.capacity)), 1 << 32)
                if turn != position // place.capacity * 2 + 1:
                    return
                yield place.pool + 64 + index * lines * 64

    def _kinds(self, channel: int, side: int) -> list[int]:
        return [frame.kind for frame in self._waiting(channel, side)]

    def _all(self, side: int, *enough: list[int]) -> Callable[[], bool]:
        """Whether each channel has at least one of these beginnings waiting for a side."""

        def is_so() -> bool:
            kinds = [self._kinds(channel, side) for channel in self.channels]
            return all(any(each[: len(begin)] == begin for begin in enough) for each in kinds)

        return is_so

    def _walk(self) -> Iterator[Callable[[], bool]]:
        yield lambda: len(self.app.outcome.enclaves) >= 2
        zero, one = (facts.pid for facts in self.app.outcome.enclaves[:2])
        yield self._all(1, [HANDSHAKE])
        _stop(zero)
        self._strike("hello")
        hold = os.open(self._hold, os.O_RDWR)  # for reading, too: so that opening waits for nobody
        os.write(hold, b".")
        yield self._all(0, [HANDSHAKE, HANDSHAKE])
        _stop(one)
        self._strike("answer")
        os.kill(zero, signal.SIGCONT)
        yield self._all(1, [BROKEN], [HANDSHAKE, DATA])
        _stop(zero)
        self._strike("proof")
        for pid in (zero, one):
            os.kill(pid, signal.SIGCONT)


def _stop(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)
    os.waitid(os.P_PID, pid, os.WSTOPPED)
