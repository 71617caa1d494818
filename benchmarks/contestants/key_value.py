"""Key-value stores: 100,000 keys of 16 bytes with values of 100 bytes, in random order.

Every get and every put stands alone, as when actors share a state. What a get brings is compared
with what was put. The pairs lie in memory in the order in which they are used, which is not the order
in which the store was filled: so the store has to find them, and this program does not.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from contestants.processes import FORK, Part, together

if TYPE_CHECKING:
    from collections.abc import Iterable

KEYS, KEY, VALUE = 100_000, 16, 100
AT_ONCE = 1000
"""Pairs between two looks at the clock."""
WARM_UP, SECONDS = 0.3, 1.0

Pairs = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Access:
    """What one process does with a store."""

    fill: Callable[[Pairs], None]
    """By any means: it is not measured."""
    read: Callable[[Pairs], None]
    """`wrong()` for a value that is not as it is here."""
    write: Callable[[Pairs], None]


Opening = AbstractContextManager[Callable[[], Access]]
"""A store for as long as it lasts; each process that uses it calls what it gives."""


def wrong(key: bytes) -> ValueError:
    """Return the error for a value that was not what had been put."""
    return ValueError(f"the value of {key.hex()} is not what was put")


def reads(opening: Callable[[], Opening], cpus: Iterable[int]) -> float:
    """Return gets per second, of all processes together: one on each CPU."""
    wanted = [frozenset({cpu}) for cpu in cpus]
    start = FORK.Barrier(len(wanted))
    with opening() as access:
        _fill(access, wanted[0])

        def read() -> float:
            there = access().read
            batches = _batches(0)
            done, _ = _for(WARM_UP, there, batches, 0)
            start.wait()
            return _for(SECONDS, there, batches, done)[1]

        return together(*(Part(read, one) for one in wanted))


def writes(opening: Callable[[], Opening], cpu: int) -> float:
    """Return puts per second, of values other than those that were there."""
    with opening() as access:
        _fill(access, frozenset({cpu}))

        def write() -> float:
            there = access()
            batches = _batches(1) + _batches(0)
            done, _ = _for(WARM_UP, there.write, batches, 0)
            done, rate = _for(SECONDS, there.write, batches, done)
            for number in range(max(0, done - KEYS // AT_ONCE), done):
                there.read(batches[number % len(batches)])
            return rate

        return together(Part(write, frozenset({cpu})))


def _fill(access: Callable[[], Access], cpus: frozenset[int]) -> None:
    def fill() -> None:
        pairs = [pair for batch in _batches(0) for pair in batch]
        Random(KEYS).shuffle(pairs)
        access().fill(pairs)

    together(Part(fill, cpus))


def _batches(version: int) -> list[Pairs]:
    keys, values = Random(KEY), Random(version)
    return [
        [(keys.randbytes(KEY), values.randbytes(VALUE)) for _ in range(AT_ONCE)]
        for _ in range(KEYS // AT_ONCE)
    ]


def _for(seconds: float, work: Callable[[Pairs], None], batches: list[Pairs], done: int) -> tuple[int, float]:
    """Go on with the batches for some time; how many are done now, and the pairs per second."""
    before, begun = done, time.perf_counter()
    while (taken := time.perf_counter() - begun) < seconds:
        work(batches[done % len(batches)])
        done += 1
    return done, (done - before) * AT_ONCE / taken
