"""What the tests of stores with many processes have in common."""

from __future__ import annotations

import os
import random
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.conftest import SHARED_MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def seed() -> int:
    """Where the random numbers of one test begin: EACTORS_STORE_SEED, or anywhere."""
    number = int(os.environ.get("EACTORS_STORE_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
    sys.stdout.write(f"EACTORS_STORE_SEED={number}\n")
    return number


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder in memory, where a sync costs nothing."""
    folder = Path(tempfile.mkdtemp(dir=SHARED_MEMORY))
    yield folder
    shutil.rmtree(folder)
