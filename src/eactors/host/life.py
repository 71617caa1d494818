"""Life: an enclave, or an actor that is started on demand, as it comes and goes.

What the two have in common is when they may be started and have failed; how they are started,
asked to end, and made to, is of each kind.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import deque
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from eactors.deployment.plan import PlannedLife
    from eactors.host.openings import Party
    from eactors.host.outcome import Failure

State = Literal["absent", "entering", "running"]
How = Literal["finished", "stopped", "failed", "killed"]

GRACE = 2.0
"""Seconds that whoever is asked to end gets for it, before it is made to."""


class Life(ABC):
    """One party of the run.

    Args:
        party: Who.
        title: What people call it.
        actors: Those that end with it.
        plan: When it is started.

    Attributes:
        unfinished: Its actors that have something left to do.
        failure: Why it, or one of its actors, has failed in this life.
        asked: Why it was asked to end.
        deadline: When it is made to; while it enters, when it is given up.
        is_constructed: Whether its constructors have run in this life.
    """

    def __init__(self, party: Party, title: str, actors: tuple[str, ...], plan: PlannedLife) -> None:
        self.party, self.title, self.actors, self.plan = party, title, actors, plan
        self.state: State = "absent"
        self.unfinished: set[str] = set()
        self.failure: Failure | None = None
        self.asked: How | None = None
        self.deadline = 0.0
        self.is_constructed = False
        self.failures: deque[float] = deque()

    def is_exhausted(self) -> bool:
        """Whether it has failed more often than it may."""
        now = time.monotonic()
        while self.failures and self.failures[0] < now - self.plan.failures.seconds:
            self.failures.popleft()
        return len(self.failures) > self.plan.failures.times

    def can_be_started(self) -> bool:
        """Whether what it lives in is there."""
        return True

    @abstractmethod
    def start(self, orders: int) -> None:
        """Start it; ``orders`` is what the system actors read from.

        Raises:
            EActorsError: It cannot be.
        """

    @abstractmethod
    def ask(self) -> None:
        """Ask it to end."""

    @abstractmethod
    def force(self) -> None:
        """End it; it has not done as it was asked."""

    @abstractmethod
    def has_ended(self) -> bool:
        """Whether it has."""

    @abstractmethod
    def bury(self) -> Failure:
        """Take down what is left of it; its end in words, if nobody has asked for that."""
