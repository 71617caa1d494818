"""Measure everything against what a Python user would pick, interleaved, and print the ratios.

python benchmarks/run.py [--rounds 5] [--json FILE] [--plot FOLDER]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from pathlib import Path
from statistics import median

import native
from plot import draw
from rich.console import Console
from rich.table import Table
from suite import CONTESTANTS, RATIOS, Ratio


def main() -> None:
    """Measure, print, and write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default: 5)")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument(
        "--plot", type=Path, default=Path(__file__).parent / "results", help="folder of the picture"
    )
    options = parser.parse_args()
    if not {0, 1} <= os.sched_getaffinity(0):
        parser.error("needs CPUs 0 and 1")
    native.build()
    rounds = [measure(number, options.rounds) for number in range(options.rounds)]
    show(rounds)
    draw(rounds, options.plot)
    if options.json is not None:
        machine = {"python": sys.version, "kernel": platform.release(), "cpu": platform.processor()}
        ratios = {
            ratio.name: {"target": ratio.target, "rounds": of_rounds(ratio, rounds)} for ratio in RATIOS
        }
        options.json.write_text(
            json.dumps({"machine": machine, "ratios": ratios, "rounds": rounds}, indent=1)
        )


def measure(number: int, total: int) -> dict[str, float]:
    """One round: every contestant once, beginning with another one each time."""
    names = list(CONTESTANTS)
    names = names[number % len(names) :] + names[: number % len(names)]
    results = {}
    for done, name in enumerate(names):
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[Kround {number + 1}/{total}, {done + 1}/{len(names)}: {name}")
            sys.stderr.flush()
        results[name] = CONTESTANTS[name]()
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
    return results


def of_rounds(ratio: Ratio, rounds: list[dict[str, float]]) -> list[float]:
    """The ratio within each round."""
    return [one[ratio.ours] / one[ratio.theirs] for one in rounds]


def show(rounds: list[dict[str, float]]) -> None:
    """Print ratios and absolute figures."""
    console = Console(width=110)
    table = Table(title=f"ratios, median of {len(rounds)} interleaved rounds")
    table.add_column("ratio")
    for heading in ("median", "least", "most", "promised", ""):
        table.add_column(heading, justify="right")
    for ratio in RATIOS:
        values = of_rounds(ratio, rounds)
        kept = "[green]kept[/]" if median(values) >= ratio.target else "[red]missed[/]"
        table.add_row(
            ratio.name,
            f"{median(values):.2f}",
            f"{min(values):.2f}",
            f"{max(values):.2f}",
            f"{ratio.target:g}",
            kept,
        )
    console.print(table)
    absolute = Table(title="per second, median (absolute figures are this machine's, now)")
    absolute.add_column("what")
    absolute.add_column("per second", justify="right")
    for name in CONTESTANTS:
        absolute.add_row(name, f"{median(one[name] for one in rounds):,.0f}")
    console.print(absolute)


if __name__ == "__main__":
    main()
