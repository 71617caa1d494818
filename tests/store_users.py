"""Four processes that use one store at random, all at once, and say what they have seen of it."""

from __future__ import annotations

import os
import time
from contextlib import closing
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

from tests.histories import Operation, Transaction
from tests.store_writer import PROCESSES

from eactors._store import Keeper, Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.synchronize import Barrier
    from pathlib import Path

USERS, LIMIT = 4, 4_000
BOOT = bytes(range(16))
ACCOUNTS, EACH = [b"account %d" % number for number in range(6)], 100

Done = TypeVar("Done")

_start: Barrier


def _take(barrier: Barrier) -> None:
    global _start  # noqa: PLW0603 - what a process of the pool has from its beginning
    _start = barrier


def _use(path: Path, number: int, seed: str, user: Callable[[Store, int, Random], list[Any]]) -> Any:
    with closing(Store(str(path), LIMIT, number, wait=lambda _: os.sched_yield())) as store:
        _start.wait()
        return user(store, number, Random(f"{seed}/{number}"))


def all_at_once(path: Path, seed: str, user: Callable[[Store, int, Random], list[Done]]) -> list[Done]:
    """Let four processes use a new store; what all of them say that they have done."""
    with (
        closing(Keeper(str(path), LIMIT, BOOT)) as keeper,
        PROCESSES.Pool(USERS, _take, (PROCESSES.Barrier(USERS),)) as pool,
    ):
        logs = [pool.apply_async(_use, (path, number, seed, user)) for number in range(USERS)]
        while not all(log.ready() for log in logs):
            keeper.grow()
            keeper.sync()
        return [each for log in logs for each in log.get()]


def change_single_keys(store: Store, number: int, chance: Random) -> list[tuple[bytes, Operation]]:
    """Three keys with values that nobody writes twice, and a counter."""
    done = []
    seen: list[bytes | None] = [None]
    for step in range(150):
        value = b"%d/%d" % (number, step)
        choice: tuple[Any, ...] = chance.choice(
            [
                ("get",),
                ("get",),
                ("put", value),
                ("delete",),
                ("replace", chance.choice(seen[-3:]), chance.choice((value, None))),
                ("add", chance.randrange(1, 4)),
            ]
        )
        name, *arguments = choice
        key = b"counter" if name == "add" else chance.choice((b"a", b"b", b"c"))
        began = time.monotonic_ns()
        result = getattr(store, name)(key, *arguments)
        done.append((key, Operation(name, tuple(arguments), result, began, time.monotonic_ns())))
        if name == "get":
            seen.append(result)
    return done


def change_many_keys(store: Store, number: int, chance: Random) -> list[Transaction]:
    """Read three of eight keys, and write none, one or two of them, with values that nobody writes twice."""
    done = []
    for step in range(100):
        keys = chance.sample([b"key %d" % each for each in range(8)], 3)
        writes = {key: b"%d/%d/" % (number, step) + key for key in keys[: chance.randrange(3)]}
        committed = False
        while not committed:
            began = time.monotonic_ns()
            with closing(store.snapshot()) as snapshot:
                reads = {key: snapshot.get(key) for key in keys}
                committed = not writes or store.commit(snapshot, keys, list(writes.items()))
            ended = time.monotonic_ns()
        done.append(Transaction(reads, began, ended, writes))
    return done


def transfer(store: Store, _: int, chance: Random) -> list[int]:
    """Move money between accounts; what all of them had together at each look."""
    totals = []
    for _ in range(150):
        with closing(store.snapshot()) as snapshot:
            balances = {account: int(snapshot.get(account) or EACH) for account in ACCOUNTS}
            totals.append(sum(balances.values()))
            giver, taker = chance.sample(ACCOUNTS, 2)
            amount = chance.randrange(balances[giver] + 1)
            balances[giver] -= amount
            balances[taker] += amount
            store.commit(
                snapshot,
                [giver, taker],
                [(account, b"%d" % balances[account]) for account in (giver, taker)],
            )
    return totals
