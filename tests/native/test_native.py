"""The native core's own tests, each variant built and run by native/Makefile."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

NATIVE = Path(__file__).resolve().parents[2] / "native"
VARIANTS = {
    "test-plain": "unit, hostile host, threads",
    "test-asan": "the same under AddressSanitizer and UndefinedBehaviorSanitizer",
    "test-tsan": "threads under ThreadSanitizer",
    "test-model": "seeded interleavings of the real code",
    "test-kill": "processes killed with -9",
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("target", VARIANTS)
def test_variant_passes(target: str) -> None:
    """Every check of the variant holds; what it printed is shown if not, the seed included."""
    done = subprocess.run(
        ["make", "--no-print-directory", "-C", NATIVE, target],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{target} ({VARIANTS[target]}) failed:\n{done.stdout}"
    assert "warning:" not in done.stdout, f"the compiler warns:\n{done.stdout}"
