"""ActorLife: an actor that is started on demand, as it comes and goes in an enclave that runs.

Its worker begins and ends it between two turns, as a word in shared memory says: counted up to an odd
number, it is to live; to an even one, to end; to another even one, to end as it stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from eactors import _native
from eactors.host.life import Life
from eactors.host.outcome import Failure

if TYPE_CHECKING:
    from eactors.deployment.plan import PlannedLife
    from eactors.host.enclave_life import EnclaveLife


class ActorLife(Life):
    """One such actor.

    Args:
        actor: Its name.
        plan: When it is started.
        home: Its enclave.
        region: The shared memory.
        word: Where the word is.
        bell: Of its worker.
    """

    def __init__(
        self,
        actor: str,
        plan: PlannedLife,
        home: EnclaveLife,
        region: _native.Region,
        word: int,
        bell: int,
    ) -> None:
        super().__init__(actor, f"actor {actor!r}", (actor,), plan)
        self.home = home
        self._region, self._word, self._bell = region, word, bell
        self._count = self._life = 0
        self._has_left = False

    def can_be_started(self) -> bool:
        """Whether its enclave runs."""
        return self.home.state == "running" and self.home.is_constructed

    def start(self, orders: int) -> None:  # noqa: ARG002 - what an enclave needs
        """Have its worker begin it."""
        self._has_left = False
        self._life = self._count + 1 + self._count % 2
        self._say(self._life)

    def ask(self) -> None:
        """Have its worker ask it."""
        self._say(self._life + 1)

    def force(self) -> None:
        """Have its worker drop it; if that is in a turn that does not end, it hears of it then."""
        self._say(self._life + 3)

    def _say(self, count: int) -> None:
        self._count = count
        _native.set_word(self._region, self._word, count)
        self._region.ring(self._bell)

    def heard(self, what: Literal["began", "left"], life: int) -> None:
        """Its worker says that it has been constructed, or that nothing is left of it up to this life."""
        if what == "began" and life == self._life and self.state == "running":
            self.is_constructed = True
        elif what == "left" and life >= self._life:
            self._has_left = True

    def has_ended(self) -> bool:
        """Whether nothing is left of it, or its enclave has ended."""
        return self._has_left or self.home.state != "running"

    def bury(self) -> Failure:
        """Leave the word as a new enclave is to find it."""
        if not self._has_left:
            self._say(self._count + self._count % 2)
        return Failure(f"{self.title} has ended with {self.home.title}")
