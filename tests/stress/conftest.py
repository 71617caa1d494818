"""What the tests of stores with many processes have in common."""

from __future__ import annotations

import os
import random
import sys

import pytest


@pytest.fixture
def seed() -> int:
    """Where the random numbers of one test begin: EACTORS_STORE_SEED, or anywhere."""
    number = int(os.environ.get("EACTORS_STORE_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
    sys.stdout.write(f"EACTORS_STORE_SEED={number}\n")
    return number
