"""Eight processes on one mbox, two of them killed with -9, over many seeds.

EACTORS_STRESS_SEEDS (default 50) says over how many; EACTORS_STRESS_FIRST (default 1) from
which on, so that a long campaign can be cut into pieces.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

NATIVE = Path(__file__).resolve().parents[2] / "native"
SEEDS = int(os.environ.get("EACTORS_STRESS_SEEDS", "50"))
FIRST = int(os.environ.get("EACTORS_STRESS_FIRST", "1"))
MESSAGES = 1_000_000


@pytest.mark.stress
@pytest.mark.timeout(120 + 120 * SEEDS)
def test_every_message_is_delivered_once_though_processes_are_killed() -> None:
    """Nothing hangs, nothing comes twice, only what the killed held is missing, the pool is complete.

    The program checks all of it, and watches itself: one seed may take two minutes on a busy machine, and
    takes some tenths of a second on an idle one. Its own message names the seed that failed.
    """
    print(f"seeds {FIRST} to {FIRST + SEEDS - 1}")  # noqa: T201
    done = subprocess.run(
        [
            "make",
            "--no-print-directory",
            "-C",
            NATIVE,
            "test-kill",
            f"SEED={FIRST}",
            f"COUNT={SEEDS}",
            f"MESSAGES={MESSAGES}",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("\nok test_kill ") == SEEDS, done.stdout
