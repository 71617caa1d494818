"""``eactors cpu``: the simulated processors of this installation."""

from __future__ import annotations

import click

from eactors.build.roots import installation_root


@click.group(short_help="Show what this installation's simulated processors are known by.")
def cpu() -> None:
    """Show what the simulated processors of this installation are known by."""


@cpu.command(short_help="Print the root certificate.")
def root() -> None:
    r"""Print the root certificate (PEM) that quotes of this installation's enclaves lead to.

    A deployment whose servers are several installations names the roots of all, each in a
    <trust root="FILE"/>.

    \b
    Example:
        eactors cpu root > first.pem
    """
    click.echo(installation_root(), nl=False)
