"""``eactors check``: show what would run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click
from rich.console import Console

from eactors.cli import failures
from eactors.cli.files import plan_of, takes_files
from eactors.cli.plan_json import plan_json
from eactors.cli.plan_tree import plan_tree
from eactors.deployment.lives import unstartable

if TYPE_CHECKING:
    from pathlib import Path

_ANY_WIDTH = 1 << 16


@click.command(short_help="Show what would run, without running it.")
@takes_files
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a tree.")
def check(source: Path, deployment: Path, params: tuple[str, ...], *, as_json: bool) -> None:
    r"""Show the servers, workers, enclaves, actors and channels of an application.

    Nothing is run but the import of SOURCE. A private channel stays inside one enclave. The
    others go through shared memory: an encrypted one with a key that its two enclaves agree
    on, a plain one for the host to read.

    \b
    Example:
        eactors check pingpong.py two-enclaves.xml
    """
    plan = plan_of(source, deployment, params)
    for words in unstartable(plan):
        failures.warn(words)
    if as_json:
        click.echo(json.dumps(plan_json(plan), indent=1))
    else:
        console = Console(highlight=False)
        if not console.is_terminal:
            # A tree cuts or wraps its lines at the width, which only a terminal has.
            console.width = _ANY_WIDTH
        console.print(plan_tree(plan))
