"""How failures of a run, and warnings, are shown."""

from __future__ import annotations

import linecache
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from eactors.host.outcome import Failure


def warn(message: str) -> None:
    """Print a warning to stderr."""
    click.echo(f"{click.style('warning:', fg='yellow')} {message}", err=True)


def show(failure: Failure) -> None:
    """Print a failure, with its traceback from the application's code on."""
    if failure.error is not None:
        _trace(failure.error)
    click.echo(f"{click.style('error:', fg='red', bold=True)} {failure.message}", err=True)
    if failure.hint:
        click.echo(f"{click.style('hint:', fg='cyan')} {failure.hint}", err=True)


def _trace(error: dict[str, Any]) -> None:
    if error["cause"] is not None:
        _trace(error["cause"])
        click.echo(f"{error['cause']['type']}: {error['cause']['message']}\n", err=True)
    frames = [frame for frame in error["frames"] if "/eactors/" not in frame[0]]
    if frames:
        click.echo("Traceback (most recent call last):", err=True)
    for file, line, function in frames:
        click.echo(f'  File "{file}", line {line}, in {function}', err=True)
        text = linecache.getline(file, line).strip()
        if text:
            click.echo(f"    {text}", err=True)
