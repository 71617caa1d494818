"""The table that a run prints."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from ratios import Result, Round


def show(results: list[Result], rounds: list[Round]) -> None:
    """Print the ratios and the medians of all contestants to stdout."""
    terminal = Console()
    console = terminal if terminal.is_terminal else Console(width=120)
    ratios = Table(title=f"ratios, median of {len(rounds)} interleaved rounds")
    ratios.add_column("ours : theirs", no_wrap=True)
    for heading in ("ratio", "min..max", "target", "", "ours/s", "theirs/s"):
        ratios.add_column(heading, justify="right", no_wrap=True)
    for each in results:
        ratios.add_row(
            each.title,
            f"{each.median:.2f}",
            f"{each.least:.2f}..{each.most:.2f}",
            f">= {each.target:g}",
            "[green]holds[/]" if each.holds else "[red]missed[/]",
            f"{each.ours:,.0f}",
            f"{each.other:,.0f}",
        )
    console.print(ratios)
    rates = Table(
        title="per second: round trips of ping-pong, gets and puts of stores, messages of all others"
    )
    rates.add_column("contestant", no_wrap=True)
    for heading in ("median", "min..max"):
        rates.add_column(heading, justify="right", no_wrap=True)
    for key in rounds[0]:
        values = [each[key] for each in rounds]
        rates.add_row(key, f"{median(values):,.0f}", f"{min(values):,.0f}..{max(values):,.0f}")
    console.print(rates)
