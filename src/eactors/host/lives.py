"""Lives: the processes of a run as they come and go.

Most enclaves live as long as the application. One that is started on demand lives until its
actors have finished, or somebody asks for its end; one that is restarted on failure comes
again, unless it fails too often.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from eactors import _native
from eactors.deployment.model import SYSTEM
from eactors.deployment.plan import PlannedLife
from eactors.errors import EActorsError
from eactors.host.outcome import EnclaveFacts, Failure, death

if TYPE_CHECKING:
    from collections.abc import Callable

    from eactors.host.deployed import Deployed
    from eactors.host.keepers import Keepers
    from eactors.host.layout import ContextPlace, Layout
    from eactors.host.openings import Openings
    from eactors.host.processes import Processes

State = Literal["absent", "entering", "running"]
How = Literal["finished", "stopped", "failed", "killed"]

GRACE = 2.0
"""Seconds that an enclave gets to end after it was asked to, before it is killed."""
_PATIENCE = 10.0
"""Seconds that the peers of an enclave get to open their channels to it."""
ENDED_FOR_GOOD = "the application cannot go on without it and has been ended"


@dataclass(slots=True)
class Life:
    """One enclave, or the process of the system actors."""

    enclave: int
    title: str
    actors: tuple[str, ...]
    plan: PlannedLife
    contexts: list[ContextPlace]
    state: State = "absent"
    facts: EnclaveFacts | None = None
    unfinished: set[str] = field(default_factory=set)
    failure: Failure | None = None
    """Why its actors have failed in this life."""
    asked: How | None = None
    """Why it was asked to end."""
    deadline: float = 0.0
    failures: deque[float] = field(default_factory=deque)
    """When it has failed lately."""

    @property
    def is_constructed(self) -> bool:
        """Whether its actors' constructors have run."""
        return self.state == "running" and self.facts is not None and self.facts.constructed_ns is not None

    def is_exhausted(self) -> bool:
        """Whether it has failed more often than it may."""
        now = time.monotonic()
        while self.failures and self.failures[0] < now - self.plan.failures.seconds:
            self.failures.popleft()
        return len(self.failures) > self.plan.failures.times


class Lives:
    """Starts, ends and restarts the enclaves of a run.

    Args:
        deployed: What there is.
        titles: What people call the enclaves.
        layout: Of the region.
        region: The shared memory.
        processes: Makes processes.
        openings: The channels between them.
        keepers: Their stores.

    Attributes:
        all: By enclave.
        failures: Why the application cannot go on.
        warnings: What was mended.
        facts: Of all that were started, in the order of their first start.
        ended: Called when an enclave that was started on demand has ended: how, and why.
    """

    def __init__(
        self,
        deployed: Deployed,
        titles: dict[int, str],
        layout: Layout,
        region: _native.Region,
        processes: Processes,
        openings: Openings,
        keepers: Keepers,
    ) -> None:
        self._region, self._processes, self._openings = region, processes, openings
        self._keepers = keepers
        processes.epochs, processes.stores = openings.epochs, keepers.launch_of
        self.all = {
            enclave: Life(
                enclave,
                title,
                tuple(name for name, home in deployed.actors.items() if home == enclave),
                deployed.lives.get(enclave, PlannedLife()),
                [context for context in layout.contexts if context.enclave == enclave],
            )
            for enclave, title in titles.items()
        }
        if layout.system is not None:
            self.all[SYSTEM] = Life(SYSTEM, "system actors", (), PlannedLife(), [layout.system])
        self.failures: list[Failure] = []
        self.warnings: list[str] = []
        self.facts: list[EnclaveFacts] = []
        self.ended: Callable[[Life, How, str], None] = lambda _life, _how, _why: None

    @property
    def may_begin(self) -> bool:
        """Whether enclaves may be started while the application runs."""
        return any(life.plan.may_begin_again for life in self.all.values())

    @property
    def unfinished(self) -> set[str]:
        """The actors that have something left to do."""
        return {actor for life in self.all.values() if life.state == "running" for actor in life.unfinished}

    def are_over(self) -> bool:
        """Whether no actor of an enclave that runs, or is about to, has anything left to do."""
        return all(
            not life.unfinished and life.state != "entering"
            for life in self.all.values()
            if life.state != "absent"
        )

    def begin(self, orders: int) -> None:
        """Start all that are not started on demand; ``orders`` is what the system actors read from."""
        first = [life for life in self.all.values() if life.plan.family is None]
        for life in first:
            self._openings.enter(life.enclave)
        for life in first:
            self._start(life, orders)

    def start(self, life: Life) -> None:
        """Start an absent enclave, as soon as its peers have opened their channels to it."""
        assert life.state == "absent"
        life.state, life.deadline = "entering", time.monotonic() + _PATIENCE
        life.failure = life.asked = None
        self._openings.enter(life.enclave)

    def stop(self, life: Life, how: How = "stopped") -> None:
        """Ask an enclave to end, and see to it that it does."""
        if life.state == "entering":
            self._openings.leave(life.enclave)
            life.state = "absent"
            self._over(life, how, "")
        elif life.state == "running" and life.asked is None:
            life.asked, life.deadline = how, time.monotonic() + GRACE
            for context in life.contexts:
                _native.set_word(self._region, context.participant + _native.STOP_WORD, 1)
                self._region.ring(context.bell)

    def fail(self, life: Life, failure: Failure) -> None:
        """One of its actors has failed."""
        if life.plan.may_begin_again:
            life.failure = life.failure or failure
            self.stop(life, "failed")
        else:
            self.failures.append(failure)

    def finish(self, actor: str) -> None:
        """An actor has finished. An enclave that was started on demand ends with its last one."""
        for life in self.all.values():
            if actor in life.unfinished:
                life.unfinished.discard(actor)
                if not life.unfinished and life.plan.family is not None:
                    self.stop(life, "finished")

    def tend(self, heard: Callable[[], None]) -> None:
        """See who has ended, and who can be started; ``heard`` takes in what they have said."""
        self._openings.tend()
        for life in self.all.values():
            if life.state == "entering":
                self._enter(life)
            elif life.state == "running":
                status = self._processes.poll(life.enclave)
                if status is not None:
                    heard()
                    self._reap(life)
                elif life.asked is not None and time.monotonic() > life.deadline:
                    self._processes.kill(life.enclave)

    def end(self) -> None:
        """Kill whoever still runs."""
        for life in self.all.values():
            if life.state == "running" and life.facts is not None:
                life.facts.status = self._processes.end(life.enclave)

    def _enter(self, life: Life) -> None:
        if self._openings.is_ready(life.enclave):
            try:
                self._start(life)
            except EActorsError as error:
                self._not_started(life, str(error))
        elif time.monotonic() > life.deadline:
            self._not_started(life, f"its peers have not opened their channels within {_PATIENCE:.0f} s")

    def _not_started(self, life: Life, why: str) -> None:
        self._openings.leave(life.enclave)
        life.state = "absent"
        life.failure = Failure(f"{life.title} cannot be started: {why}")
        self._failed(life, life.failure, "failed")

    def _start(self, life: Life, orders: int = -1) -> None:
        before = life.facts
        started = time.monotonic_ns()
        if life.enclave == SYSTEM:
            pid = self._processes.start_system(orders)
        else:
            pid = self._processes.start(life.enclave, life.title)
        self._openings.started(life.enclave)
        life.state, life.asked, life.unfinished = "running", None, set(life.actors)
        life.facts = EnclaveFacts(life.enclave, life.title, pid, started)
        if before is None:
            self.facts.append(life.facts)
        else:
            life.facts.starts = before.starts + 1
            self.facts[self.facts.index(before)] = life.facts

    def _reap(self, life: Life) -> None:
        words = self._processes.last_words(life.enclave)
        status = self._processes.end(life.enclave)
        assert life.facts is not None
        life.facts.status, life.state = status, "absent"
        life.unfinished.clear()
        self._openings.leave(life.enclave)
        self._keepers.mourn(life.enclave)
        whose = f" with {', '.join(life.actors)}" if life.actors else ""
        last = f": {words}" if words else ""
        died = Failure(f"{life.title}{whose} {death(status)}{last}", hint=ENDED_FOR_GOOD)
        if life.asked in ("finished", "stopped"):
            self._over(life, life.asked, "")
        elif life.failure is not None:
            self._failed(life, life.failure, "failed")
        else:
            self._failed(life, died, "killed")

    def _failed(self, life: Life, failure: Failure, how: How) -> None:
        """A life has ended that should not have."""
        life.failures.append(time.monotonic())
        if life.plan.restart and not life.is_exhausted():
            self.warnings.append(f"{failure.message}; it has been started anew")
            self.start(life)
        elif life.plan.family is not None:
            self._over(life, how, failure.message)
        else:
            if life.plan.restart:
                failure.message += f"; it fails more often than {life.plan.failures} s, and is given up"
            self.failures.append(failure)

    def _over(self, life: Life, how: How, why: str) -> None:
        self.ended(life, how, why)
