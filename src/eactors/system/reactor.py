"""Reactor: what system actors wait for besides messages: descriptors, timers, and threads.

It is the body() of the worker that executes all system actors of a run. Nothing here blocks
but the threads that are made for it.
"""

from __future__ import annotations

import os
import select
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from heapq import heappop, heappush
from itertools import count
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from eactors.actor import Actor

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from typing import Any

Thing = TypeVar("Thing")

READ, WRITE = select.EPOLLIN, select.EPOLLOUT
GONE = select.EPOLLHUP | select.EPOLLERR
_MOST = 256
_THREADS = 8
_FOREVER = 1.0


class Later:
    """A call that was put off."""

    __slots__ = ("call", "when")

    def __init__(self, when: float, call: Callable[[], object]) -> None:
        self.when = when
        self.call: Callable[[], object] | None = call

    def cancel(self) -> None:
        """Forget it."""
        self.call = None


class Reactor(Actor, name="system reactor"):
    """Calls back when descriptors are ready, time has passed, or a thread is through."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._calls: dict[int, Callable[[int], object]] = {}
        self._ones: dict[Any, Any] = {}
        self._conditions: list[tuple[Callable[[], bool], Callable[[], object]]] = []
        self._later: list[tuple[float, int, Later]] = []
        self._numbers = count()
        self._threads: ThreadPoolExecutor | None = None
        self._through: deque[tuple[Callable[[Future[Any]], object], Future[Any]]] = deque()
        self._woken = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self.register(self._woken, READ, self._threads_are_through)

    def fileno(self) -> int:
        """A descriptor that is readable when a registered one is ready."""
        return self._epoll.fileno()

    def register(self, descriptor: int, events: int, call: Callable[[int], object]) -> None:
        """Call ``call(ready)`` whenever one of ``events``, or the end, has come to a descriptor."""
        self._epoll.register(descriptor, events)
        self._calls[descriptor] = call

    def modify(self, descriptor: int, events: int) -> None:
        """Await other events; 0: only the end."""
        self._epoll.modify(descriptor, events)

    def unregister(self, descriptor: int) -> None:
        """Forget a descriptor; before it is closed."""
        if self._calls.pop(descriptor, None) is not None:
            self._epoll.unregister(descriptor)

    def later(self, seconds: float, call: Callable[[], object]) -> Later:
        """Call ``call()`` when so much time has passed."""
        later = Later(monotonic() + seconds, call)
        heappush(self._later, (later.when, next(self._numbers), later))
        return later

    def one(self, make: Callable[[Reactor], Thing]) -> Thing:
        """What there is one of in this process: made by ``make(reactor)`` when first asked for."""
        if make not in self._ones:
            self._ones[make] = make(self)
        return self._ones[make]  # type: ignore[no-any-return]

    def when(self, condition: Callable[[], bool], call: Callable[[], object]) -> None:
        """Call ``call()`` once ``condition()`` holds; it is looked at whenever messages move."""
        self._conditions.append((condition, call))

    def in_thread(self, function: Callable[[], object], then: Callable[[Future[Any]], object]) -> None:
        """Call what blocks in a thread, and then ``then`` with its future, here."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_THREADS, "system actor")
        future = self._threads.submit(function)

        def through(done: Future[Any]) -> None:
            self._through.append((then, done))
            os.eventfd_write(self._woken, 1)

        future.add_done_callback(through)

    def body(self) -> object:
        """One turn: True if something has happened, else the seconds until something will."""
        happened = self._due()
        if self._conditions:
            happened |= self._fulfilled()
        for descriptor, ready in self._epoll.poll(0, _MOST):
            call = self._calls.get(descriptor)  # an earlier call may have ended it
            if call is not None:
                call(ready)
                happened = True
        if happened:
            return True
        return max(0.0, self._later[0][0] - monotonic()) if self._later else _FOREVER

    def _fulfilled(self) -> bool:
        fulfilled = [call for condition, call in self._conditions if condition()]
        if fulfilled:
            self._conditions = [each for each in self._conditions if each[1] not in fulfilled]
            for call in fulfilled:
                call()
        return bool(fulfilled)

    def _due(self) -> bool:
        happened = False
        while self._later and (self._later[0][2].call is None or self._later[0][0] <= monotonic()):
            call = heappop(self._later)[2].call
            if call is not None:
                call()
                happened = True
        return happened

    def _threads_are_through(self, _: int) -> None:
        os.eventfd_read(self._woken)
        while self._through:
            then, future = self._through.popleft()
            then(future)
