"""Clock: timers, and what time it is. Time is the host's word: it may lie, stop, or go backwards.

An enclave that must not believe in the host's clock must not use it. What a client notices
is a monotonic clock that runs backwards, and ticks of timers that are not set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import msgspec

from eactors.services.base import Client, Done, Failed, Message, Number, Service, nonsense

if TYPE_CHECKING:
    from collections.abc import Callable

    from eactors import _native
    from eactors.answer import Answer
    from eactors.services.errors import SystemActorMisbehaved

Nanoseconds = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]


class Set(Message, tag=10):
    """Set a timer. ``first``: of the wall clock if ``wall``, else from now on; period 0: once."""

    id: Number
    timer: Number
    first: Nanoseconds
    period: Nanoseconds
    wall: bool


class Cancel(Message, tag=11):
    """Forget a timer."""

    id: Number
    timer: Number


class Tell(Message, tag=12):
    """Ask for the time."""

    id: Number


class Tick(Message, tag=20):
    """A timer has gone off, ``times`` times since the last tick."""

    timer: Number
    times: Annotated[int, msgspec.Meta(ge=1, le=(1 << 62))]


class Time(Message, tag=21):
    """What time it is: the wall clock since 1970 (UTC), and a clock that only goes forward."""

    id: Number
    wall: Nanoseconds
    monotonic: Nanoseconds


Requests = Set | Cancel | Tell
Says = Done | Failed | Tick | Time


class Timer:
    """A timer that was set.

    Attributes:
        times: How often it has gone off.
    """

    __slots__ = ("_client", "call", "number", "once", "times")

    def __init__(self, client: ClockClient, number: int, call: Callable[[], object], *, once: bool) -> None:
        self._client = client
        self.number = number
        self.call = call
        self.once = once
        self.times = 0

    def cancel(self) -> None:
        """It goes off no more."""
        self._client.cancel(self)


class ClockClient(Client):
    """Sets timers. All times are in seconds."""

    _timers: dict[int, Timer | None]
    _latest = 0

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._timers = {}

    def after(self, seconds: float, call: Callable[[], object]) -> Timer:
        """Call ``call()`` once, after so many seconds."""
        return self._set(seconds, 0, call, wall=False)

    def every(self, seconds: float, call: Callable[[], object]) -> Timer:
        """Call ``call()`` every so many seconds, first after as many.

        If the actor is busy for longer it is called once for all that has passed; see
        `Timer.times`.

        Raises:
            ValueError: The period is not above zero.
        """
        if seconds <= 0:
            raise ValueError(f"a period of {seconds} seconds")
        return self._set(seconds, seconds, call, wall=False)

    def at(self, time: float, call: Callable[[], object]) -> Timer:
        """Call ``call()`` once, when the wall clock (seconds since 1970, UTC) says ``time``."""
        return self._set(time, 0, call, wall=True)

    def time(self) -> Answer[tuple[float, float]]:
        """The wall clock, in seconds since 1970 (UTC), and a clock that only goes forward."""
        return self.ask(Tell(self.next_number()), Time, self._told)

    def cancel(self, timer: Timer) -> None:
        """See `Timer.cancel`."""
        if self._timers.get(timer.number) is not timer:
            return
        # A tick may be on its way; the number is known until the clock has heard.
        self._timers[timer.number] = None
        request = Cancel(self.next_number(), timer.number)
        self.ask(request, Done, lambda _: self._timers.pop(timer.number, None)).then(_nothing, _nothing)

    def waits(self) -> bool:
        """A timer is set."""
        return bool(self._timers)

    def event(self, message: Any) -> None:
        """A tick."""
        if message.timer not in self._timers:
            raise nonsense(f"says that timer {message.timer} went off, which is not set")
        timer = self._timers[message.timer]
        if timer is None:
            return
        if timer.once:
            if message.times != 1:
                raise nonsense(f"says that a timer went off {message.times} times that was set once")
            del self._timers[message.timer]
        timer.times += message.times
        timer.call()

    def abandon(self, error: SystemActorMisbehaved) -> None:
        """No timer goes off any more, and actors that only wait for one must hear of it."""
        waiting = any(self._timers.values())
        self._timers.clear()
        if waiting:
            raise error

    def _set(self, first: float, period: float, call: Callable[[], object], *, wall: bool) -> Timer:
        number = self.next_number()
        timer = Timer(self, number, call, once=period == 0)
        self._timers[number] = timer
        request = Set(self.next_number(), number, _ns(first), max(_ns(period), period > 0), wall)
        self.ask(request).then(_nothing)
        return timer

    def _told(self, time: Time) -> tuple[float, float]:
        if time.monotonic < self._latest:
            raise nonsense("says that its monotonic clock went backwards")
        self._latest = time.monotonic
        return time.wall / 1e9, time.monotonic / 1e9


def _ns(seconds: float) -> int:
    return max(0, int(seconds * 1e9))


def _nothing(_: object) -> None:
    pass


class Clock(Service):
    """The clock, declared in an actor class: ``clock = Clock()``; at run time, a `ClockClient`."""

    system: ClassVar[str] = "clock"
    says: ClassVar[Any] = Says

    def client(self, connector: _native.Connector, decoder: msgspec.msgpack.Decoder[Any]) -> ClockClient:
        """A client."""
        return ClockClient(connector, self.system, decoder)
