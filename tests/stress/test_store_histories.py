"""Four processes use one store at random, and what they saw of it could have happened in some order.

EACTORS_STORE_HISTORIES (default 5) says how often.
"""

from __future__ import annotations

import os
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest
from tests.alone import alone
from tests.histories import linearizable, why_not_serializable
from tests.store_users import ACCOUNTS, EACH, all_at_once, change_many_keys, change_single_keys, transfer

if TYPE_CHECKING:
    from pathlib import Path

HISTORIES = int(os.environ.get("EACTORS_STORE_HISTORIES", "5"))

pytestmark = pytest.mark.stress


@pytest.mark.parametrize("number", range(HISTORIES))
def test_single_keys_are_linearizable(memory: Path, seed: int, number: int) -> None:
    """Each operation happens at one moment between its beginning and its end, whoever looks."""
    histories = defaultdict(list)
    for key, operation in alone(all_at_once, memory / "used.store", f"{seed}/{number}", change_single_keys):
        histories[key].append(operation)
    for history in histories.values():
        assert linearizable(history)


@pytest.mark.parametrize("number", range(HISTORIES))
def test_transactions_are_serializable(memory: Path, seed: int, number: int) -> None:
    """There is an order of all transactions and snapshots that explains what they saw, and respects time."""
    history = alone(all_at_once, memory / "used.store", f"{seed}/{number}", change_many_keys)
    assert why_not_serializable(history) is None


def test_what_is_moved_is_neither_lost_nor_made(memory: Path, seed: int) -> None:
    """Every snapshot has the whole, at any time."""
    totals = alone(all_at_once, memory / "used.store", str(seed), transfer)
    assert set(totals) == {EACH * len(ACCOUNTS)}
