"""The signals that ask a launcher to end, remembered until somebody has the time to look."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import FrameType, TracebackType

_ASKING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """While entered, Ctrl-C and its like are counted, and interrupt nothing but a sleep.

    Attributes:
        count: How many have come.
        number: The last one's.
    """

    def __init__(self) -> None:
        self.count = 0
        self.number = 0
        self._child: int | None = None

    def kill(self, child: int | None) -> None:
        """Kill this child as soon as a signal comes, or has come; None: no child."""
        self._child = child
        self._kill()

    def _kill(self) -> None:
        if self._child is not None and self.count > 0:
            with contextlib.suppress(ProcessLookupError):  # it has just ended, and been waited for
                os.kill(self._child, signal.SIGKILL)

    @property
    def status(self) -> int:
        """The exit status that says what came."""
        return 128 + self.number if self.number else 0

    def __enter__(self) -> Self:
        """Begin to listen."""

        def interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
            self.number = number
            self.count += 1
            self._kill()

        self._before = {number: signal.signal(number, interrupt) for number in _ASKING}
        # A child's death interrupts our sleep, so that it is noticed at once.
        self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda number, frame: None)  # noqa: ARG005
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the signals as they were; but one more of those that were obeyed changes nothing."""
        for number, handler in self._before.items():
            obeyed = self.count > 0 and number in _ASKING
            signal.signal(number, signal.SIG_IGN if obeyed else handler)

    @staticmethod
    def forget() -> None:
        """In a child: let the signals do what they usually do."""
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
