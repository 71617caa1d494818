"""The C ping-pong over the same native channel, without Python."""

from __future__ import annotations

import functools
import subprocess
import tempfile
from pathlib import Path

NATIVE = Path(__file__).parents[2] / "native"


@functools.cache
def _program() -> tuple[str, tempfile.TemporaryDirectory[str]]:
    """Compile it, once; the folder lives as long as the path is kept with it."""
    folder = tempfile.TemporaryDirectory(prefix="bench-")
    program = f"{folder.name}/plain/pingpong"
    subprocess.run(["make", "-s", "-C", NATIVE, "bench", f"BUILD={folder.name}"], check=True)
    return program, folder


def pingpong(rounds: int, cpus: tuple[int, int]) -> float:
    """Return round trips of 16 bytes per second."""
    command = [_program()[0], str(rounds), *map(str, cpus)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout)
