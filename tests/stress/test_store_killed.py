"""Processes that write to a store are killed with -9 at random points, over many rounds.

EACTORS_STORE_ROUNDS (default 250) says how many: with four kills in each, 1,000.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from tests.alone import alone
from tests.killing import kill_everybody, kill_writers

if TYPE_CHECKING:
    from pathlib import Path

ROUNDS = int(os.environ.get("EACTORS_STORE_ROUNDS", "250"))

pytestmark = [pytest.mark.stress, pytest.mark.timeout(120 + 2 * ROUNDS)]


def test_what_was_acknowledged_outlives_everybody(memory: Path, seed: int) -> None:
    """Whoever is killed whenever: every transaction is there whole, or, if it had not ended, not at all."""
    alone(kill_everybody, memory, seed, ROUNDS)


def test_a_killed_writer_takes_nothing_with_it(memory: Path, seed: int) -> None:
    """Neither what others have written, nor a block that they will need."""
    alone(kill_writers, memory, seed, ROUNDS)
