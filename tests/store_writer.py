"""Writers whose every transaction is known beforehand, so that what they leave can be told whole from half.

Transaction `n` of a writer gives several of its keys the same random number, changes others, and counts
in a key that all writers share. What a writer's keys are after it is a matter of arithmetic.
"""

from __future__ import annotations

import mmap
import multiprocessing
import os
import random
from typing import TYPE_CHECKING

from eactors._store import Store
from eactors.store.errors import StoreFull

if TYPE_CHECKING:
    from collections.abc import Iterable
    from multiprocessing.process import BaseProcess
    from pathlib import Path

COUNT = b"count"
WRITERS = (0, 1)
LIMIT = 3_072
"""Blocks: so few that all of them are used again and again."""

_TWINS, _OTHERS = 3, 12
_LARGEST = 900

Contents = dict[bytes, bytes]

PROCESSES = multiprocessing.get_context("fork")
"""For a process that has a single thread: see tests/alone.py."""


def changes(seed: int, writer: int, number: int) -> list[tuple[bytes, bytes | None]]:
    """What a transaction writes, but for the count."""
    chance = random.Random(f"{seed}/{writer}/{number}")
    same = f"{number}:".encode() + chance.randbytes(chance.randrange(1, 40))
    own: list[tuple[bytes, bytes | None]] = [(b"%d/twin/%d" % (writer, twin), same) for twin in range(_TWINS)]
    key = b"%d/other/%d" % (writer, chance.randrange(_OTHERS))
    size = chance.randrange(_LARGEST)
    own.append((key, None if chance.random() < 0.3 else chance.randbytes(size)))
    return own


class Expected:
    """What the store has to hold once its writers have come so far.

    Args:
        seed: Of the writers.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._states: dict[int, list[Contents]] = {writer: [{}] for writer in WRITERS}
        self._first = dict.fromkeys(WRITERS, 0)

    def after(self, numbers: Iterable[int]) -> Contents:
        """All keys with their values, after so many transactions of each writer."""
        done = list(numbers)
        whole: Contents = {COUNT: b"%d" % sum(done)} if any(done) else {}
        for writer, number in zip(WRITERS, done, strict=True):
            whole |= self._state(writer, number)
        return whole

    def forget_before(self, numbers: Iterable[int]) -> None:
        """Nobody will ask any more what was before so many transactions of each writer."""
        for writer, number in zip(WRITERS, numbers, strict=True):
            del self._states[writer][: number - self._first[writer]]
            self._first[writer] = number

    def _state(self, writer: int, number: int) -> Contents:
        states, first = self._states[writer], self._first[writer]
        while first + len(states) <= number:
            state = dict(states[-1])
            for key, value in changes(self._seed, writer, first + len(states)):
                if value is None:
                    state.pop(key, None)
                else:
                    state[key] = value
            states.append(state)
        return states[number - first]


def progress(contents: Contents) -> list[int]:
    """How far each writer had come, by what it has left."""
    return [int(contents.get(b"%d/twin/0" % writer, b"0:").partition(b":")[0]) for writer in WRITERS]


class Acknowledged:
    """Which transaction of each writer was the last that its commit had returned from.

    It is in shared memory, so that it outlives whoever is killed.

    Args:
        path: A file for it, which is made.
    """

    def __init__(self, path: Path) -> None:
        with path.open("a+b") as file:
            file.truncate(mmap.PAGESIZE)
            self._map = mmap.mmap(file.fileno(), mmap.PAGESIZE)
        self._words = memoryview(self._map).cast("Q")

    def __getitem__(self, writer: int) -> int:
        """Of one writer."""
        return self._words[writer]

    def __setitem__(self, writer: int, number: int) -> None:
        self._words[writer] = number

    def all(self) -> list[int]:
        """Of all of them."""
        return [self[writer] for writer in WRITERS]


def write(path: Path, seed: int, writer: int, acknowledged: Acknowledged) -> None:
    """Commit one transaction after the other, until the process is killed."""
    store = Store(str(path), LIMIT, writer, wait=lambda _: os.sched_yield())
    number = acknowledged[writer]
    while True:
        try:
            commit(store, changes(seed, writer, number + 1))
        except StoreFull:  # others have been killed, and keep what they looked at
            os.sched_yield()
        else:
            number += 1
            acknowledged[writer] = number


def commit(store: Store, own: list[tuple[bytes, bytes | None]]) -> None:
    """Commit one transaction, and count it."""
    while True:
        snapshot = store.snapshot()
        try:
            count = b"%d" % (int(snapshot.get(COUNT) or b"0") + 1)
            if store.commit(snapshot, [COUNT], [*own, (COUNT, count)]):
                return
        finally:
            snapshot.close()


def start(path: Path, seed: int, writer: int, acknowledged: Acknowledged) -> BaseProcess:
    """Start a writer in a process of its own."""
    process = PROCESSES.Process(target=write, args=(path, seed, writer, acknowledged), daemon=True)
    process.start()
    return process
