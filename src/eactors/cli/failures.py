"""How failures of a run, and warnings, are shown."""

from __future__ import annotations

import errno
import linecache
import re
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pathlib import Path

    from eactors.host.outcome import Failure


# An enclave calls its code by the place in its image; the untrusted side runs a copy.
_RUNTIME = re.compile(r".*/(enclave-\d+|untrusted(-\d+)?)/eactors/")


_NOT_IN_THE_CODE = frozenset({"SiteError"})
"""Errors of the place where an application runs: where in the code they were noticed is of no use."""

_NEXT: dict[int | None, str] = {
    errno.EADDRINUSE: "see who listens there, with 'ss -ltnp', or choose another port",
    errno.EADDRNOTAVAIL: "choose an address of this machine: 'ip address' shows them",
}
"""What to do about errors of the operating system, where a user of the application can do something."""


def warn(message: str) -> None:
    """Print a warning to stderr."""
    click.echo(f"{click.style('warning:', fg='yellow')} {message}", err=True)


def notice(message: str) -> None:
    """Print what is worth knowing, though nothing is wrong, to stderr."""
    click.echo(f"{click.style('notice:', fg='cyan')} {message}", err=True)


def show(failure: Failure, source: Path) -> None:
    """Print a failure, with its traceback from the application's code on, if that is where to look.

    Args:
        failure: What went wrong.
        source: The application's source file.
    """
    if failure.error is not None and failure.error["type"] not in _NOT_IN_THE_CODE:
        _trace(failure.error, source.parent)
    click.echo(f"{click.style('error:', fg='red', bold=True)} {failure.message}", err=True)
    hint = failure.hint or _NEXT.get(failure.error["errno"] if failure.error else None)
    if hint:
        click.echo(f"{click.style('hint:', fg='cyan')} {hint}", err=True)


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
