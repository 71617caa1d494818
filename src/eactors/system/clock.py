"""Clock: timers and the time of day, for actors in enclaves."""

from __future__ import annotations

import errno
import time
from typing import TYPE_CHECKING, Any, ClassVar

from eactors.services import clock
from eactors.system.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from eactors.system.reactor import Later

MOST_TIMERS = 4096
"""That one actor may have set at once."""


class _Timer:
    def __init__(self, due: float, period: float) -> None:
        self.due = due
        self.period = period
        self.later: Later | None = None


class ClockSession(Session):
    """One actor's timers."""

    takes: ClassVar[Any] = clock.Requests

    def handlers(self) -> dict[type, Callable[[Any], object]]:
        """By kind of request."""
        self._timers: dict[int, _Timer] = {}
        return {clock.Set: self._set, clock.Cancel: self._cancel, clock.Tell: self._tell}

    def ended(self) -> None:
        """Forget the timers."""
        for timer in self._timers.values():
            if timer.later is not None:
                timer.later.cancel()
        self._timers.clear()

    def _set(self, request: clock.Set) -> None:
        if len(self._timers) >= MOST_TIMERS or request.timer in self._timers:
            raise OSError(errno.EMFILE, f"{MOST_TIMERS} timers are the most that one actor may have")
        seconds = request.first / 1e9 - (time.time() if request.wall else 0)
        timer = _Timer(time.monotonic() + max(0.0, seconds), request.period / 1e9)
        self._timers[request.timer] = timer
        self.done(request)
        self._arm(request.timer, timer)

    def _cancel(self, request: clock.Cancel) -> None:
        timer = self._timers.pop(request.timer, None)
        if timer is not None and timer.later is not None:
            timer.later.cancel()
        self.done(request)

    def _tell(self, request: clock.Tell) -> None:
        self.reply(clock.Time(request.id, time.time_ns(), time.monotonic_ns()))

    def _arm(self, number: int, timer: _Timer) -> None:
        timer.later = self.reactor.later(timer.due - time.monotonic(), lambda: self._tick(number, timer))

    def _tick(self, number: int, timer: _Timer) -> None:
        if timer.period == 0:
            del self._timers[number]
            self.reply(clock.Tick(number, 1))
            return
        if self.is_behind():
            # One tick will stand for all that it has missed.
            timer.later = self.reactor.later(timer.period, lambda: self._tick(number, timer))
            return
        times = 1 + int((time.monotonic() - timer.due) / timer.period)
        timer.due += times * timer.period
        self.reply(clock.Tick(number, times))
        self._arm(number, timer)
