"""How failures of a run, and warnings, are shown."""

from __future__ import annotations

import linecache
import re
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pathlib import Path

    from eactors.host.outcome import Failure


# An enclave calls its code by the place in its image; the untrusted side runs a copy.
_RUNTIME = re.compile(r".*/(enclave-\d+|untrusted(-\d+)?)/eactors/")


def warn(message: str) -> None:
    """Print a warning to stderr."""
    click.echo(f"{click.style('warning:', fg='yellow')} {message}", err=True)


def notice(message: str) -> None:
    """Print what is worth knowing, though nothing is wrong, to stderr."""
    click.echo(f"{click.style('notice:', fg='cyan')} {message}", err=True)


def show(failure: Failure, source: Path) -> None:
    """Print a failure, with its traceback from the application's code on.

    Args:
        failure: What went wrong.
        source: The application's source file.
    """
    if failure.error is not None:
        _trace(failure.error, source.parent)
    click.echo(f"{click.style('error:', fg='red', bold=True)} {failure.message}", err=True)
    if failure.hint:
        click.echo(f"{click.style('hint:', fg='cyan')} {failure.hint}", err=True)


def _place(folder: Path, file: str) -> str:
    """The user's file that a place in an image is a copy of."""
    return str(folder / file.removeprefix("app/")) if file.startswith("app/") else file


def _trace(error: dict[str, Any], folder: Path) -> None:
    if error["cause"] is not None:
        _trace(error["cause"], folder)
        click.echo(f"{error['cause']['type']}: {error['cause']['message']}\n", err=True)
    frames = [
        (_place(folder, file), line, function)
        for file, line, function in error["frames"]
        if not _RUNTIME.match(file)
    ]
    if frames:
        click.echo("Traceback (most recent call last):", err=True)
    for file, line, function in frames:
        click.echo(f'  File "{file}", line {line}, in {function}', err=True)
        text = linecache.getline(file, line).strip()
        if text:
            click.echo(f"    {text}", err=True)
