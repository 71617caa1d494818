"""The command ``eactors``."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from eactors.cli.errors import explain

_COMMANDS = (
    "new",
    "check",
    "build",
    "run",
    "measure",
    "verify",
    "key",
    "sign",
    "provision",
    "attest",
    "cpu",
    "store",
)
"""Each is what its module is called; in the order in which one meets them."""


class Commands(click.Group):
    """Imports a command when it is asked for: what one needs, most others do not."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click gives it
        """All names."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of that name; None: there is none."""
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"eactors.cli.{cmd_name}"), cmd_name)
        # The docstrings are raw; click wants the character itself before lines that it must not join.
        for each in (command, *getattr(command, "commands", {}).values()):
            each.help = (each.help or "").replace("\\b\n", "\b\n")
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="eactors", prog_name="eactors")
def cli() -> None:
    """Run actors in mutually distrusting enclaves.

    An application is a Python file of actors and an XML deployment that says which actor
    runs in which enclave, on which worker.
    """


def main() -> None:
    """Run the command line; a user's mistake ends in ``error:`` and ``hint:``, and status 2."""
    try:
        cli(standalone_mode=False)
    except BaseException:  # noqa: BLE001 - explain() raises again what it cannot explain
        sys.exit(explain())
