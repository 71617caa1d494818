"""What multiprocessing.Manager().dict() does: a dict in a process that all others ask."""

from __future__ import annotations

import contextlib
import os
from multiprocessing.managers import SyncManager
from typing import TYPE_CHECKING

from contestants.key_value import Access, Pairs, wrong
from contestants.processes import FORK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.managers import DictProxy


@contextlib.contextmanager
def store(cpu: int) -> Iterator[Callable[[], Access]]:
    """Give access to a dict in a process on a CPU."""
    manager = SyncManager(ctx=FORK)
    manager.start(_pin, (cpu,))
    with manager:
        shared = manager.dict()
        yield lambda: _access(shared)


def _pin(cpu: int) -> None:
    os.sched_setaffinity(0, {cpu})


def _access(shared: DictProxy[bytes, bytes]) -> Access:
    get, put = shared.__getitem__, shared.__setitem__

    def read(pairs: Pairs) -> None:
        for key, value in pairs:
            if get(key) != value:
                raise wrong(key)

    def write(pairs: Pairs) -> None:
        for key, value in pairs:
            put(key, value)

    return Access(shared.update, read, write)
