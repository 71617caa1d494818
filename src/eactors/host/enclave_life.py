"""EnclaveLife: an enclave, or the system actors, as the process comes and goes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from eactors import _native
from eactors.deployment.model import SYSTEM
from eactors.host.life import Life
from eactors.host.outcome import EnclaveFacts, Failure, death

if TYPE_CHECKING:
    from eactors.deployment.plan import PlannedLife
    from eactors.host.layout import ContextPlace
    from eactors.host.processes import Processes

_ENDED_FOR_GOOD = "the application cannot go on without it and has been ended"


class EnclaveLife(Life):
    """One enclave, or the system actors.

    Args:
        party: Its id.
        title: What people call it.
        actors: Those that live as long as it.
        plan: When it is started.
        contexts: Its workers.
        region: The shared memory.
        processes: Makes processes.

    Attributes:
        facts: Of its last life.
    """

    def __init__(
        self,
        party: int,
        title: str,
        actors: tuple[str, ...],
        plan: PlannedLife,
        contexts: list[ContextPlace],
        region: _native.Region,
        processes: Processes,
    ) -> None:
        super().__init__(party, title, actors, plan)
        self.enclave = party
        self.facts: EnclaveFacts | None = None
        self._contexts, self._region, self._processes = contexts, region, processes

    def start(self, orders: int) -> None:
        """Start its process."""
        started = time.monotonic_ns()
        if self.enclave == SYSTEM:
            pid = self._processes.start_system(orders)
        else:
            pid = self._processes.start(self.enclave, self.title)
        starts = 1 if self.facts is None else self.facts.starts + 1
        self.facts = EnclaveFacts(self.enclave, self.title, pid, started, starts=starts)

    def ask(self) -> None:
        """Have each of its workers end at its next turn."""
        for context in self._contexts:
            _native.set_word(self._region, context.participant + _native.STOP_WORD, 1)
            self._region.ring(context.bell)

    def force(self) -> None:
        """Kill its process."""
        self._processes.kill(self.enclave)

    def has_ended(self) -> bool:
        """Whether its process has."""
        return self._processes.poll(self.enclave) is not None

    def bury(self) -> Failure:
        """Forget its process."""
        words = self._processes.last_words(self.enclave)
        assert self.facts is not None
        self.facts.status = self._processes.end(self.enclave)
        whose = f" with {', '.join(self.actors)}" if self.actors else ""
        last = f": {words}" if words else ""
        return Failure(f"{self.title}{whose} {death(self.facts.status)}{last}", hint=_ENDED_FOR_GOOD)
