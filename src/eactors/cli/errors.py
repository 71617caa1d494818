"""How every command says what went wrong, and with which status it ends."""

from __future__ import annotations

import errno
import os
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
        case click.ClickException():
            context = getattr(error, "ctx", None)
            say(error.format_message(), f"see '{context.command_path if context else 'eactors'} --help'")
            return WRONG_USE
        case click.Abort() | KeyboardInterrupt():
            return INTERRUPTED
        case BrokenPipeError():
            return BROKEN_PIPE
        case OSError(errno=errno.ENOSPC | errno.EDQUOT, filename=None):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nor can what is left be written
            say(f"the output cannot be written: {error.strerror}", "make room, or have it written elsewhere")
            return WRONG_USE
        case SystemExit():
            return error.code if isinstance(error.code, int) else 0 if error.code is None else 1
    raise  # noqa: PLE0704 - it is called while an exception is handled


def say(message: str, hint: str | None) -> None:
    """Print an error and its hint to stderr."""
    click.echo(f"{click.style('error:', fg='red', bold=True)} {message}", err=True)
    if hint:
        click.echo(f"{click.style('hint:', fg='cyan')} {hint}", err=True)
