"""Lives: who comes and goes in a run, and when.

Most enclaves live as long as the application. One that is started on demand, and an actor that
is, lives until it has finished, or somebody asks for its end; what is restarted on failure comes
again, unless it fails too often.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

from eactors.deployment.model import SYSTEM
from eactors.deployment.plan import PlannedLife
from eactors.errors import EActorsError
from eactors.host.actor_life import ActorLife
from eactors.host.enclave_life import EnclaveLife
from eactors.host.life import GRACE
from eactors.host.outcome import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from eactors import _native
    from eactors.host.deployed import Deployed
    from eactors.host.keepers import Keepers
    from eactors.host.layout import Layout
    from eactors.host.life import How, Life
    from eactors.host.openings import Openings
    from eactors.host.outcome import EnclaveFacts
    from eactors.host.processes import Processes

_PATIENCE = 10.0
"""Seconds that the peers of a newcomer get to open their channels to it."""


class Lives:
    """Starts, ends and restarts the enclaves of a run, and the actors that are started on demand.

    Args:
        deployed: What there is.
        titles: What people call the enclaves.
        layout: Of the region.
        region: The shared memory.
        processes: Makes processes.
        openings: The channels between them.
        keepers: Their stores.

    Attributes:
        enclaves: By id.
        all: These and the actors that are started on demand, by party.
        failures: Why the application cannot go on.
        warnings: What was mended.
        facts: Of all enclaves that were started, in the order of the deployment.
        ended: Called when somebody who was started on demand has ended: how, and why.
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
        self._openings, self._processes, self._keepers = openings, processes, keepers
        processes.epochs, processes.stores = openings.epochs, keepers.launch_of
        self.enclaves = {
            enclave: EnclaveLife(
                enclave,
                title,
                tuple(name for name in deployed.actors if deployed.party_of(name) == enclave),
                deployed.lives.get(enclave, PlannedLife()),
                [context for context in layout.contexts if context.enclave == enclave],
                region,
                processes,
            )
            for enclave, title in titles.items()
        }
        if layout.system is not None:
            self.enclaves[SYSTEM] = EnclaveLife(
                SYSTEM, "system actors", (), PlannedLife(), [layout.system], region, processes
            )
        self._actors = {
            name: ActorLife(
                name,
                plan,
                self.enclaves[deployed.actors[name]],
                region,
                layout.vacancies[name],
                layout.bell_of(name),
            )
            for name, plan in deployed.actor_lives.items()
        }
        parties: tuple[Life, ...] = (*self.enclaves.values(), *self._actors.values())
        self.all = {life.party: life for life in parties}
        self.failures: list[Failure] = []
        self.warnings: list[str] = []
        self.facts: list[EnclaveFacts] = []
        self.ended: Callable[[Life, How, str], None] = lambda _life, _how, _why: None

    @property
    def may_begin(self) -> bool:
        """Whether enclaves may be started while the application runs."""
        return any(life.plan.may_begin_again for life in self.enclaves.values())

    @property
    def unfinished(self) -> set[str]:
        """The actors that have something left to do."""
        return {actor for life in self.all.values() if life.state == "running" for actor in life.unfinished}

    def are_over(self) -> bool:
        """Whether no actor of whoever runs, or is about to, has anything left to do."""
        return all(
            not life.unfinished and life.state != "entering"
            for life in self.all.values()
            if life.state != "absent"
        )

    def begin(self, orders: int) -> None:
        """Start all that are not started on demand; ``orders`` is what the system actors read from."""
        first = [life for life in self.all.values() if life.plan.family is None]
        for life in first:
            self._openings.enter(life.party)
        for life in first:
            self._start(life, orders)

    def start(self, life: Life) -> None:
        """Start an absent one, as soon as its peers have opened their channels to it."""
        assert life.state == "absent"
        life.state, life.deadline = "entering", time.monotonic() + _PATIENCE
        life.failure = life.asked = None
        life.is_constructed = False  # until it says so in its new life
        self._openings.enter(life.party)

    def stop(self, life: Life, how: How = "stopped") -> None:
        """Ask somebody to end, and see to it that it does."""
        if life.state == "entering":
            self._openings.leave(life.party)
            life.state = "absent"
            self.ended(life, how, "")
        elif life.state == "running" and life.asked is None:
            life.asked, life.deadline = how, time.monotonic() + GRACE
            life.ask()

    def fail(self, enclave: int, actor: str | None, failure: Failure) -> None:
        """An actor has failed, or the source in its enclave."""
        life: Life | None = self.enclaves.get(enclave)
        if actor in self._actors:
            life = self._actors[actor]
        if life is None or life.state != "running" or not life.plan.may_begin_again:
            self.failures.append(failure)
            return
        life.failure = life.failure or failure
        if isinstance(life, EnclaveLife):
            self.stop(life, "failed")

    def heard_of(self, actor: str, what: Literal["began", "left"], life: int) -> None:
        """The worker of an actor says that this life of it has begun, or that nothing is left of it."""
        self._actors[actor].heard(what, life)

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
                if life.has_ended():
                    heard()
                    self._bury(life)
                elif life.asked is not None and time.monotonic() > life.deadline:
                    life.force()

    def end(self) -> None:
        """Kill whoever still runs."""
        for life in self.enclaves.values():
            if life.state == "running" and life.facts is not None:
                life.facts.status = self._processes.end(life.enclave)

    def _enter(self, life: Life) -> None:
        if life.can_be_started() and self._openings.is_ready(life.party):
            try:
                self._start(life)
            except EActorsError as error:
                self._not_started(life, str(error))
        elif time.monotonic() > life.deadline:
            self._not_started(life, f"its peers have not opened their channels within {_PATIENCE:.0f} s")

    def _not_started(self, life: Life, why: str) -> None:
        self._openings.leave(life.party)
        life.state = "absent"
        life.failure = Failure(f"{life.title} cannot be started: {why}")
        self._failed(life, life.failure, "failed")

    def _start(self, life: Life, orders: int = -1) -> None:
        life.start(orders)
        self._openings.started(life.party)
        life.state, life.asked, life.unfinished = "running", None, set(life.actors)
        self.facts[:] = [each.facts for each in self.enclaves.values() if each.facts is not None]

    def _bury(self, life: Life) -> None:
        died = life.bury()
        life.state = "absent"
        life.unfinished.clear()
        self._openings.leave(life.party)
        if isinstance(life, EnclaveLife):
            self._keepers.mourn(life.enclave)
        if life.asked in ("finished", "stopped"):
            self.ended(life, life.asked, "")
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
            self.ended(life, how, failure.message)
        else:
            if life.plan.restart:
                failure.message += f"; it fails more often than {life.plan.failures} s, and is given up"
            self.failures.append(failure)
