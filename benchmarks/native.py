"""The native queue without Python: two C processes over the same channel code."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROGRAM = ROOT / "build" / "native" / "pingpong"


def build() -> None:
    """Compile the C ping-pong."""
    subprocess.run(["make", "-s", "-C", ROOT / "native", "bench"], check=True)


def pingpong() -> float:
    """Round trips of 16 bytes per second, on two cores."""
    return float(
        subprocess.run([PROGRAM, "2000000", "0", "1"], check=True, capture_output=True, timeout=120).stdout
    )
