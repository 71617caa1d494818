"""Factory: the launcher's side of the system actor that starts enclaves and actors for actors.

Whoever asks is a session in the process of the system actors, and known by its number. What
may be started is what the deployment has on demand; whether that is what the manifest says,
the enclaves see to themselves.
"""

from __future__ import annotations

import errno
import json
import os
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType

    from eactors.host.life import How, Life
    from eactors.host.lives import Lives


@dataclass(slots=True)
class _Order:
    """What somebody has asked for."""

    asker: int
    id: int
    handle: int
    name: str
    life: Life
    answered: bool = False


class Factory:
    """Starts and ends enclaves and actors as actors ask for it. Enter it to have its pipe.

    Args:
        lives: Who comes and goes.

    Attributes:
        orders: Where the system actors read what is said to them.
    """

    def __init__(self, lives: Lives) -> None:
        self._lives = lives
        self._orders: list[_Order] = []
        self._unsent: deque[bytes] = deque()
        lives.ended = self._ended

    def __enter__(self) -> Self:
        """Make the pipe."""
        self.orders, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        os.close(self.orders)
        os.close(self._writer)

    def take(self, event: dict[str, Any]) -> None:
        """Take a request."""
        asker, handle = int(event["asker"]), int(event.get("handle", 0))
        match event["request"]:
            case "start":
                self._start(asker, int(event["id"]), handle, str(event["name"]))
            case "stop":
                for order in self._orders:
                    if (order.asker, order.handle) == (asker, handle):
                        self._lives.stop(order.life)
                        break
            case "forget":
                self._orders = [order for order in self._orders if order.asker != asker]

    def tend(self) -> None:
        """Say of whom was asked for that it is there."""
        for order in self._orders:
            self._look_at(order)
        while self._unsent:
            try:
                written = os.write(self._writer, self._unsent[0])
            except BlockingIOError:
                return
            line = self._unsent.popleft()
            if written < len(line):
                self._unsent.appendleft(line[written:])

    def _look_at(self, order: _Order) -> None:
        if not order.answered and order.life.is_constructed:
            order.answered = True
            self._say(order.asker, "started", id=order.id, actor=order.life.actors[0])

    def _start(self, asker: int, number: int, handle: int, name: str) -> None:
        instances = [life for life in self._lives.all.values() if life.plan.family == name]
        free = [life for life in instances if life.state == "absent"]
        fresh = [life for life in free if not life.is_exhausted()]
        if fresh:
            self._orders.append(_Order(asker, number, handle, name, fresh[0]))
            self._lives.start(fresh[0])
            return
        known = sorted({life.plan.family for life in self._lives.all.values() if life.plan.family})
        if free:
            why = errno.EDQUOT, f"it has failed more often than {free[0].plan.failures} s"
        elif instances:
            why = errno.EBUSY, f"as many run as there may ({len(instances)})"
        else:
            has = f"it has {', '.join(known)}" if known else "it has none"
            why = errno.ENOENT, f"the deployment has nothing so called to start on demand; {has}"
        self._refuse(asker, number, name, *why)

    def _ended(self, life: Life, how: How, why: str) -> None:
        for order in self._orders:
            if order.life is life:
                self._orders.remove(order)
                self._look_at(order)  # it may have been there for a moment
                if order.answered:
                    self._say(order.asker, "ended", handle=order.handle, how=how, why=why)
                else:
                    reason = why or "it has ended before it was constructed"
                    self._refuse(order.asker, order.id, order.name, errno.ECHILD, reason)
                return

    def _refuse(self, asker: int, number: int, name: str, code: int, reason: str) -> None:
        self._say(asker, "refused", id=number, name=name, errno=code, reason=reason)

    def _say(self, asker: int, what: str, **details: object) -> None:
        self._unsent.append(json.dumps({"asker": asker, "what": what, **details}).encode() + b"\n")
