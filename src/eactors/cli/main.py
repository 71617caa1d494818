"""The command ``eactors``, and how every command says what went wrong."""

from __future__ import annotations

import sys

import click

from eactors.cli.check import check
from eactors.cli.new import new
from eactors.cli.run import run
from eactors.errors import EActorsError
from eactors.system.console import BROKEN_PIPE

WRONG_USE = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="eactors", prog_name="eactors")
def cli() -> None:
    """Run actors in mutually distrusting enclaves.

    An application is a Python file of actors and an XML deployment that says which actor
    runs in which enclave, on which worker.
    """


cli.add_command(new)
cli.add_command(check)
cli.add_command(run)


def main() -> None:
    """Run the command line; a user's mistake ends in ``error:`` and ``hint:``, and status 2."""
    try:
        cli(standalone_mode=False)
    except EActorsError as error:
        for note in getattr(error, "__notes__", ()):
            click.echo(note, err=True)
        say(str(error), error.hint)
        sys.exit(WRONG_USE)
    except click.ClickException as error:
        say(error.format_message(), "see 'eactors --help'")
        sys.exit(WRONG_USE)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(BROKEN_PIPE)


def say(message: str, hint: str | None) -> None:
    """Print an error and its hint to stderr."""
    click.echo(f"{click.style('error:', fg='red', bold=True)} {message}", err=True)
    if hint:
        click.echo(f"{click.style('hint:', fg='cyan')} {hint}", err=True)
