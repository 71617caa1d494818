"""How a run went."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from typing import Any

from eactors.enclave.entry import BROKEN


@dataclass(slots=True)
class EnclaveFacts:
    """What is known of one enclave's process."""

    id: int
    title: str
    pid: int
    started_ns: int
    constructed_ns: int | None = None
    opened_ns: int | None = None
    """When all its encrypted channels had keys; None if it has none, or not yet."""
    memory_kib: int | None = None
    status: int | None = None
    starts: int = 1
    """How often it was started; the other facts are of the last time."""

    @property
    def start_ms(self) -> float | None:
        """Milliseconds from its start until its actors were constructed."""
        return None if self.constructed_ns is None else (self.constructed_ns - self.started_ns) / 1e6


@dataclass(slots=True)
class Failure:
    """Why the application failed: an exception in an actor, or the death of an enclave."""

    message: str
    hint: str | None = None
    error: dict[str, Any] | None = None
    """An exception as :func:`eactors.enclave.failure.describe` gives it."""


@dataclass(slots=True)
class Outcome:
    """The result of a run.

    Attributes:
        status: The exit status for the command line.
        counters: Per context ("worker 0 in enclave 1"), the runtime's counters.
        handovers: Per worker that spans several enclaves, how often execution moved.
    """

    status: int = 0
    failures: list[Failure] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    enclaves: list[EnclaveFacts] = field(default_factory=list)
    counters: dict[str, dict[str, int]] = field(default_factory=dict)
    handovers: dict[int, int] = field(default_factory=dict)
    seconds: float = 0.0
    """From the moment when all actors were constructed until the end."""


def death(status: int) -> str:
    """How a process ended, in words."""
    if status == BROKEN:
        return "could no longer use shared memory: somebody has corrupted it"
    if status >= 0:
        return f"exited with status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"was killed by {name}"
