"""Four processes use one store at random, and what they saw of it could have happened in some order.

EACTORS_STORE_HISTORIES (default 5) says how often.
"""

from __future__ import annotations

import os
import random
import time
from collections import defaultdict
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from tests.histories import Operation, Transaction, linearizable, why_not_serializable
from tests.store_writer import PROCESSES

from eactors._store import Keeper, Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.synchronize import Barrier
    from pathlib import Path

HISTORIES = int(os.environ.get("EACTORS_STORE_HISTORIES", "5"))
USERS, LIMIT = 4, 4_000
BOOT = bytes(range(16))
ACCOUNTS, EACH = [b"account %d" % number for number in range(6)], 100

pytestmark = [pytest.mark.stress, pytest.mark.timeout(120 + 60 * HISTORIES)]

_start: Barrier


def _take(barrier: Barrier) -> None:
    global _start  # noqa: PLW0603 - what a process of the pool has from its beginning
    _start = barrier


def _use(path: Path, number: int, seed: str, user: Callable[[Store, int, random.Random], list[Any]]) -> Any:
    with closing(Store(str(path), LIMIT, number, wait=lambda _: os.sched_yield())) as store:
        _start.wait()
        return user(store, number, random.Random(f"{seed}/{number}"))


def all_at_once(folder: Path, seed: str, user: Callable[[Store, int, random.Random], list[Any]]) -> list[Any]:
    """Let four processes use a new store; what all of them say that they have done."""
    path = folder / "used.store"
    path.unlink(missing_ok=True)
    with (
        closing(Keeper(str(path), LIMIT, BOOT)) as keeper,
        PROCESSES.Pool(USERS, _take, (PROCESSES.Barrier(USERS),)) as pool,
    ):
        logs = [pool.apply_async(_use, (path, number, seed, user)) for number in range(USERS)]
        while not all(log.ready() for log in logs):
            keeper.grow()
            keeper.sync()
        return [each for log in logs for each in log.get()]


def change_single_keys(store: Store, number: int, chance: random.Random) -> list[tuple[bytes, Operation]]:
    """Three keys with values that nobody writes twice, and a counter."""
    done = []
    seen: list[bytes | None] = [None]
    for step in range(150):
        value = b"%d/%d" % (number, step)
        name, *arguments = chance.choice(
            [
                ("get",),
                ("get",),
                ("put", value),
                ("delete",),
                ("replace", chance.choice(seen[-3:]), chance.choice((value, None))),
                ("add", chance.randrange(1, 4)),
            ]
        )
        key = b"counter" if name == "add" else chance.choice((b"a", b"b", b"c"))
        began = time.monotonic_ns()
        result = getattr(store, name)(key, *arguments)
        done.append((key, Operation(name, tuple(arguments), result, began, time.monotonic_ns())))
        if name == "get":
            seen.append(result)
    return done


def change_many_keys(store: Store, number: int, chance: random.Random) -> list[Transaction]:
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


def transfer(store: Store, _: int, chance: random.Random) -> list[int]:
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


@pytest.mark.parametrize("number", range(HISTORIES))
def test_single_keys_are_linearizable(memory: Path, seed: int, number: int) -> None:
    """Each operation happens at one moment between its beginning and its end, whoever looks."""
    histories = defaultdict(list)
    for key, operation in all_at_once(memory, f"{seed}/{number}", change_single_keys):
        histories[key].append(operation)
    for history in histories.values():
        assert linearizable(history)


@pytest.mark.parametrize("number", range(HISTORIES))
def test_transactions_are_serializable(memory: Path, seed: int, number: int) -> None:
    """There is an order of all transactions and snapshots that explains what they saw, and respects time."""
    assert why_not_serializable(all_at_once(memory, f"{seed}/{number}", change_many_keys)) is None


def test_what_is_moved_is_neither_lost_nor_made(memory: Path, seed: int) -> None:
    """Every snapshot has the whole, at any time."""
    totals = all_at_once(memory, str(seed), transfer)
    assert set(totals) == {EACH * len(ACCOUNTS)}
