"""The picture: throughput over message size."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from schedule import SIZES

if TYPE_CHECKING:
    from pathlib import Path

    from ratios import Round

LINES = (
    ("in-place", "EActors, in place", "o-"),
    ("copied", "EActors, copied", "s-"),
    ("pipe", "Pipe", "^--"),
)
LABELS = ("16", "1 Ki", "16 Ki", "128 Ki", "512 Ki")


def draw(rounds: list[Round], folder: Path) -> None:
    """Write throughput.png and throughput.svg into ``folder``."""
    import matplotlib as mpl  # noqa: PLC0415 - takes a second that only a run with a picture should wait

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415 - likewise

    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    for name, label, style in LINES:
        rates = [median(each[f"blocks-{size}/{name}"] for each in rounds) * size / 2**20 for size in SIZES]
        axes.plot(SIZES, rates, style, label=label)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(SIZES, LABELS)
    axes.set_xlabel("message size, bytes")
    axes.set_ylabel("throughput, MiB/s")
    axes.set_title("One-way throughput between two cores")
    axes.grid(visible=True, which="major", alpha=0.3)
    axes.legend()
    folder.mkdir(parents=True, exist_ok=True)
    for kind in ("png", "svg"):
        figure.savefig(folder / f"throughput.{kind}", dpi=150)
    plt.close(figure)
