"""The command ``eactors``."""

from __future__ import annotations

import sys

import click

from eactors.cli.attest import attest
from eactors.cli.build import build
from eactors.cli.check import check
from eactors.cli.cpu import cpu
from eactors.cli.errors import explain
from eactors.cli.key import key
from eactors.cli.measure import measure
from eactors.cli.new import new
from eactors.cli.provision import provision
from eactors.cli.run import run
from eactors.cli.sign import sign
from eactors.cli.store import store
from eactors.cli.verify import verify


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="eactors", prog_name="eactors")
def cli() -> None:
    """Run actors in mutually distrusting enclaves.

    An application is a Python file of actors and an XML deployment that says which actor
    runs in which enclave, on which worker.
    """


def _add(group: click.Group, command: click.Command) -> None:
    group.add_command(command)
    # The docstrings are raw; click wants the character itself before lines that it must not join.
    for each in (command, *getattr(command, "commands", {}).values()):
        each.help = (each.help or "").replace("\\b\n", "\b\n")


for command in (new, check, build, run, measure, verify, key, sign, provision, attest, cpu, store):
    _add(cli, command)


def main() -> None:
    """Run the command line; a user's mistake ends in ``error:`` and ``hint:``, and status 2."""
    try:
        cli(standalone_mode=False)
    except BaseException:  # noqa: BLE001 - explain() raises again what it cannot explain
        sys.exit(explain())
