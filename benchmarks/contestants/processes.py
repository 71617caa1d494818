"""One or more pinned processes, some of which measure."""

from __future__ import annotations

import multiprocessing
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

FORK = multiprocessing.get_context("fork")
PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Part:
    """What one process does, and on which CPUs. Those that measure return a rate."""

    work: Callable[[], float | None]
    cpus: frozenset[int]


def together(*parts: Part) -> float:
    """Run all parts at once, each in a process of its own, and return the sum of what they measured."""
    mine, theirs = FORK.Pipe(duplex=False)
    processes = [FORK.Process(target=_run, args=(part, theirs), daemon=True) for part in parts]
    for process in processes:
        process.start()
    theirs.close()
    total = 0.0
    for _ in parts:
        if not mine.poll(PATIENCE):
            raise TimeoutError("a contestant did not finish")
        total += mine.recv()
    for process in processes:
        process.join(PATIENCE)
        if process.exitcode != 0:
            raise RuntimeError(f"a contestant ended with status {process.exitcode}")
    return total


def _run(part: Part, result: Connection) -> None:
    os.sched_setaffinity(0, part.cpus)
    result.send(part.work() or 0.0)
