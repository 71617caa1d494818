"""How every command says what went wrong, and with which status it ends."""

from __future__ import annotations

import sys

import click

from eactors.errors import EActorsError
from eactors.system.console import BROKEN_PIPE

WRONG_USE = 2
INTERRUPTED = 130


def explain() -> int:
    """Print the exception that is being handled; the exit status that it calls for.

    Raises:
        BaseException: The same, if it is no mistake of the user's.
    """
    error = sys.exception()
    match error:
        case EActorsError():
            for note in getattr(error, "__notes__", ()):
                click.echo(note, err=True)
            say(str(error), error.hint)
            return WRONG_USE
        case click.UsageError(ctx=click.Context(command_path=path)):
            say(error.format_message(), f"see '{path} --help'")
            return WRONG_USE
        case click.ClickException():
            say(error.format_message(), "see 'eactors --help'")
            return WRONG_USE
        case click.Abort() | KeyboardInterrupt():
            return INTERRUPTED
        case BrokenPipeError():
            return BROKEN_PIPE
        case SystemExit():
            return error.code if isinstance(error.code, int) else 0 if error.code is None else 1
    raise  # noqa: PLE0704 - it is called while an exception is handled


def say(message: str, hint: str | None) -> None:
    """Print an error and its hint to stderr."""
    click.echo(f"{click.style('error:', fg='red', bold=True)} {message}", err=True)
    if hint:
        click.echo(f"{click.style('hint:', fg='cyan')} {hint}", err=True)
