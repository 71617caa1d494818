"""What EActors does: the applications in apps/, run as a user would."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

APPS = Path(__file__).parents[1] / "apps"
LARGEST = 512 * 1024
ROOM = 2 * 1024 * 1024
"""Bytes that small messages may fill in a channel; large ones get eight nodes whatever they take."""


def run(source: str, deployment: Path | str, params: dict[str, int]) -> float:
    """Run an application of apps/, and return the rate that one of its actors prints."""
    command = [
        str(Path(sys.executable).parent / "eactors"),
        "run",
        str(APPS / source),
        str(APPS / deployment),
    ]
    for name, value in params.items():
        command += ["--param", f"{name}={value}"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise RuntimeError(f"{source} with {deployment} failed:\n{done.stderr}")
    return float(json.loads(done.stdout)["per_second"])


def pingpong(rounds: int) -> float:
    """Return round trips of 16 bytes per second, handlers on both sides."""
    return run("pingpong.py", "pingpong.xml", {"Ping.rounds": rounds})


def stream(count: int) -> float:
    """Return messages of 16 bytes per second, one way."""
    return run("stream.py", "stream.xml", {"Source.count": count, "Sink.count": count})


def fan_in(count: int) -> float:
    """Return messages of 16 bytes per second from two producers over one mbox."""
    actors = ("Producer1", "Producer2", "Consumer")
    return run("fan_in.py", "fan_in.xml", {f"{actor}.count": count for actor in actors})


def blocks(size: int, count: int, *, copy: bool) -> float:
    """Return messages of ``size`` bytes per second, written in place; read in place or from a copy."""
    capacity = max(8, min(1024, ROOM // size))
    node = max(size, 64)
    text = (APPS / ("copied.xml" if copy else "in-place.xml")).read_text()
    text = text.replace(f'"{LARGEST}"', f'"{node}"').replace('capacity="8"', f'capacity="{capacity}"')
    params = {"size": size, "count": count, "window": capacity}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        deployment = Path(folder) / "deployment.xml"
        deployment.write_text(text)
        given = {f"{actor}.{name}": value for actor in ("Source", "Sink") for name, value in params.items()}
        return run("blocks.py", deployment, given)
