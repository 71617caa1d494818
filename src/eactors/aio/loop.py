"""Loop: asyncio's own event loop, but for where its readiness comes from, and its connections.

Everything that is asyncio's (tasks, timers, handles, TLS over a transport) is inherited. This
class says what is polled instead of descriptors, and makes connections of the network service.
"""

from __future__ import annotations

import sys
from asyncio import events
from threading import get_ident
from typing import TYPE_CHECKING, Any

from eactors.aio.datagrams import Datagrams
from eactors.aio.dialing import Dialing
from eactors.aio.refusals import HINTS, RUNNING, refuse, refusing
from eactors.aio.serving import Serving

if TYPE_CHECKING:
    from collections.abc import Callable

    from eactors.services.sockets import NetworkClient

_LONGEST = 1.0


class _Messages:
    """What `BaseEventLoop` takes for a selector."""

    def __init__(self, poll: Callable[[float | None], object]) -> None:
        self.select = poll

    def close(self) -> None:
        pass


class Loop(Dialing, Serving, Datagrams):
    """The event loop of one actor.

    Args:
        poll: Takes what messages have come; called with the seconds that it may wait for one, of
            which an actor makes no use: its worker waits.
        network: The actor's client of the network; None: it declares none.
    """

    def __init__(self, poll: Callable[[float | None], object], network: NetworkClient | None) -> None:
        super().__init__(network)
        self._selector = _Messages(poll)

    def turn(self) -> object:
        """Do what there is to do; True: there is more, else the seconds until there will be."""
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(self._asyncgen_firstiter_hook, self._asyncgen_finalizer_hook)  # type: ignore[attr-defined]
        events._set_running_loop(self)
        self._thread_id = get_ident()
        try:
            self._run_once()  # type: ignore[attr-defined]
        finally:
            self._thread_id = None  # type: ignore[assignment]  # as while it does not run
            events._set_running_loop(None)
            sys.set_asyncgen_hooks(*hooks)
        if self._ready:  # type: ignore[attr-defined]
            return True
        scheduled: list[Any] = self._scheduled  # type: ignore[attr-defined]
        return max(0.0, scheduled[0].when() - self.time()) if scheduled else _LONGEST

    def within(self, call: Callable[..., Any], *arguments: Any) -> None:
        """Call a handler of messages on this loop; what it awaits becomes a task."""
        events._set_running_loop(self)
        try:
            answer = call(*arguments)
            if hasattr(answer, "__await__"):
                self.create_task(answer)
        finally:
            events._set_running_loop(None)

    def _process_events(self, event_list: object) -> None:
        """Messages are taken while they are polled."""

    def _write_to_self(self) -> None:
        """There are no other threads to be woken by."""

    def run_forever(self) -> None:
        """Refused: the worker runs it."""
        refuse("run_forever()", RUNNING)

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """There is none."""


for _name in HINTS:
    setattr(Loop, _name, refusing(_name))
