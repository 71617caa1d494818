"""Which of the CPUs that a deployment names this machine has for us."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from eactors.deployment.plan import PlannedServer, PlannedWorker


def usable_cpus(worker: PlannedWorker) -> list[int]:
    """The worker's CPUs that this machine has for us; all of ours if it has none of them."""
    available = os.sched_getaffinity(0)
    return sorted(available & set(worker.cpus)) or sorted(available)


def is_crowded(worker: PlannedWorker, workers: Iterable[PlannedWorker], *, bridges: int = 0) -> bool:
    """Whether this worker may have to share its CPUs, so that spinning would hold up another.

    Args:
        worker: The worker.
        workers: All workers of its server.
        bridges: To how many other servers there is one, which may run on any CPU.
    """
    mine = set(usable_cpus(worker))
    rivals = [cpus for cpus in (set(usable_cpus(other)) for other in workers) if mine & cpus]
    rivals += [os.sched_getaffinity(0)] * bridges
    return len(rivals) > len(set().union(*rivals))


def missing_cpus(server: PlannedServer) -> list[tuple[int, list[int]]]:
    """The workers that name CPUs which this machine does not have for us, and which."""
    available = os.sched_getaffinity(0)
    lacking = [(worker.id, sorted(set(worker.cpus) - available)) for worker in server.workers]
    return [(worker, cpus) for worker, cpus in lacking if cpus]
