"""One picture: throughput by message size, as in the talk."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

import matplotlib as mpl
from suite import SIZES

mpl.use("agg")
from matplotlib import pyplot as plt

if TYPE_CHECKING:
    from pathlib import Path


def draw(rounds: list[dict[str, float]], folder: Path) -> None:
    """Write throughput.png and throughput.svg."""
    folder.mkdir(parents=True, exist_ok=True)
    figure, axes = plt.subplots(figsize=(7, 4.5))
    for label, suffix, marker in (
        ("EActors, in place", "in place, ours", "o"),
        ("EActors, private copy", "copied, ours", "s"),
        ("multiprocessing.Pipe", "Pipe", "x"),
    ):
        separator = ", " if suffix == "Pipe" else " "
        rates = [
            median(one[f"{size} B{separator}{suffix}"] for one in rounds) * size / 2**20 for size in SIZES
        ]
        axes.plot(list(SIZES), rates, marker=marker, label=label)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(list(SIZES), ["16 B", "1 KiB", "16 KiB", "128 KiB", "512 KiB"])
    axes.set_xlabel("message size")
    axes.set_ylabel("MiB/s, one way, two cores")
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend()
    figure.tight_layout()
    for kind in ("png", "svg"):
        figure.savefig(folder / f"throughput.{kind}")
