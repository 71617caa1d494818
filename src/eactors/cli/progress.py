"""Live progress of what takes long, on stderr and only on a terminal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from eactors.cli import failures

if TYPE_CHECKING:
    from types import TracebackType


class _Console(Console):
    def show_cursor(self, show: bool = True) -> bool:  # noqa: ARG002, FBT001, FBT002 - rich's signature
        """Never hide it: a launcher that is killed with -9 could not show it again."""
        return False


class Progress:
    """A line that shows a count, its rate and the time while something long goes on.

    Args:
        expected: How many in all, for a bar with a percentage; None: not known.
        unit: What is counted.
    """

    def __init__(self, expected: int | None, unit: str = "messages") -> None:
        console = _Console(stderr=True)
        columns = [
            TextColumn("{task.fields[count]:>12,} " + unit + " {task.fields[rate]:>10,.0f}/s"),
            TimeElapsedColumn(),
        ]
        if expected is not None:
            columns[:0] = [BarColumn(), TextColumn("{task.percentage:>3.0f}%")]
        self._bar = Bar(
            *columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False
        )
        self._shown = console.is_terminal
        self._task = self._bar.add_task("", total=expected, count=0, rate=0.0)
        self._last = (time.monotonic(), 0)

    def tick(self, count: int) -> None:
        """Show how many there have been."""
        now, (then, before) = time.monotonic(), self._last
        if self._shown and now - then >= 0.1:  # noqa: PLR2004 - ten times per second is all that an eye follows
            self._bar.update(self._task, completed=count, count=count, rate=(count - before) / (now - then))
            self._last = now, count
            self._bar.start()

    def before_output(self) -> None:
        """Get out of the way of a line that an actor prints; the next tick is back."""
        self._stop()

    def notice(self, words: str) -> None:
        """Show what people should know now, in a line that stays."""
        self._stop()
        failures.notice(words)

    def __enter__(self) -> Self:
        """Wait for the first tick."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove it, and leave the terminal as it was."""
        self._stop()

    def _stop(self) -> None:
        # Without a terminal, stopping would print an empty line.
        if self._shown:
            self._bar.stop()
