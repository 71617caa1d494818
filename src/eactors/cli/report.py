"""The tables at the end of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from eactors.host.outcome import Outcome


def show(outcome: Outcome) -> None:
    """Print what a run was like, to stderr."""
    console = Console(stderr=True)
    received = sum(counters["received"] for counters in outcome.counters.values())
    seconds = max(outcome.seconds, 1e-9)
    total = Table(title="messages")
    for heading in ("messages", "seconds", "messages/s", "round trip, microseconds"):
        total.add_column(heading, justify="right")
    trip = f"{2e6 * seconds / received:.2f}" if received else "-"
    total.add_row(f"{received:,}", f"{seconds:.3f}", f"{received / seconds:,.0f}", trip)
    console.print(total)

    enclaves = Table(title="enclaves")
    enclaves.add_column("enclave", no_wrap=True)
    for heading in ("own memory, MiB", "start to constructed, ms"):
        enclaves.add_column(heading, justify="right")
    for facts in outcome.enclaves:
        memory = "-" if not facts.memory_kib else f"{facts.memory_kib / 1024:.1f}"
        enclaves.add_row(facts.title, memory, "-" if facts.start_ms is None else f"{facts.start_ms:.0f}")
    console.print(enclaves)

    workers = Table(title="workers")
    workers.add_column("worker", no_wrap=True)
    headings = ("received", "sent", "sleeps", "wakes", "dropped")
    for heading in headings:
        workers.add_column(heading, justify="right")
    for where, counters in outcome.counters.items():
        workers.add_row(where, *(f"{counters[heading]:,}" for heading in headings))
    console.print(workers)
    for worker, passes in outcome.handovers.items():
        console.print(f"worker {worker} moved between enclaves {passes:,} times")
