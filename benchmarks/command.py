"""The command: run the rounds, print the table, write the files."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from dataclasses import asdict
from pathlib import Path

import machine
import plot
import table
from contestants import eactors
from ratios import Round, results
from schedule import SIZES, Contestant, contestants, in_turn


def main() -> None:
    """Run what the arguments ask for."""
    given = _arguments()
    chosen = [each for each in contestants() if given.only is None or each.key.startswith(given.only)]
    if not chosen and given.only not in ("mesh", "spawn"):
        sys.exit(f"error: nothing is called {given.only!r}; there are {', '.join(_events(contestants()))}")
    chosen = _possible(chosen)
    rounds: list[Round] = []
    for number in range(given.rounds):
        measured = {each.key: 0.0 for each in chosen}
        for done, contestant in enumerate(in_turn(chosen, number)):
            _progress(f"round {number + 1}/{given.rounds}, {done + 1}/{len(chosen)}: {contestant.key}")
            measured[contestant.key] = contestant.run()
        rounds.append(measured)
    _progress("")
    found = results(rounds)
    table.show(found, rounds)
    if given.only is None or given.only == "mesh":
        mesh = eactors.mesh()
        sys.stdout.write(
            f"8 enclaves in a full mesh: 28 channels attested and open {mesh['seconds']:.3f} s after the last"
            f" was constructed (at most 2), at most {mesh['mebibytes']:.1f} MiB PSS each (at most 16)\n"
        )
    if given.only is None or given.only == "spawn":
        sys.stdout.write(
            f"an enclave started while running: {eactors.spawn(20) * 1000:.0f} ms from asking for it to its"
            " first message, median of 20 (at most 200)\n"
        )
    if given.json is not None:
        ratios = [{**asdict(each), "holds": each.holds} for each in found]
        outcome = {"time": time.time(), "machine": machine.describe(), "ratios": ratios, "rounds": rounds}
        given.json.write_text(json.dumps(outcome, indent=1) + "\n")
    if all(any(each.event == f"blocks-{size}" for each in chosen) for size in SIZES):
        plot.draw(rounds, given.plot)
        sys.stdout.write(f"picture: {given.plot}/throughput.png and .svg\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/run.py", description="Measure EActors against others.")
    parser.add_argument("--rounds", type=_positive, default=5, help="interleaved rounds (default: 5)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was measured")
    parser.add_argument(
        "--plot", type=Path, metavar="DIR", default=Path("build/benchmarks"), help="where the picture goes"
    )
    parser.add_argument("--only", metavar="NAME", help=f"events: {', '.join(_events(contestants()))}")
    return parser.parse_args()


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least one round")
    return number


def _events(all_of_them: list[Contestant]) -> list[str]:
    return list(dict.fromkeys(each.event for each in all_of_them))


def _possible(chosen: list[Contestant]) -> list[Contestant]:
    """Leave out those who need what is not installed, and say so."""
    found = []
    for each in chosen:
        if each.needs is None or shutil.which(each.needs.program) is not None:
            found.append(each)
        else:
            sys.stderr.write(
                f"skipped: {each.key}: {each.needs.program} is not installed\n"
                f"hint: as root: apt-get install {each.needs.package}\n"
            )
    return found


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()
