"""The two files that most commands take, read and joined."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from eactors.build.source import read_source
from eactors.deployment.planner import make_plan
from eactors.deployment.xml import read
from eactors.errors import EActorsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from eactors.deployment.plan import Plan


params_option = click.option(
    "--param",
    "params",
    multiple=True,
    metavar="ACTOR.NAME=VALUE",
    help="Set a parameter of an actor, instead of what the deployment says. Can be repeated.",
)


def takes_files(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command its SOURCE and DEPLOYMENT arguments, and ``--param``."""
    command = params_option(command)
    command = click.argument("deployment", type=click.Path(path_type=Path))(command)
    return click.argument("source", type=click.Path(path_type=Path))(command)


def plan_of(source: Path, deployment: Path, params: Sequence[str]) -> Plan:
    """Read both files and join them.

    Raises:
        EActorsError: One of them is wrong.
    """
    return make_plan(read(deployment), read_source(source), [_override(param) for param in params])


def _override(text: str) -> tuple[str, str, str]:
    where, equals, value = text.partition("=")
    actor, dot, name = where.rpartition(".")
    if not (equals and dot and actor and name):
        raise EActorsError(
            f"--param {text!r} is no ACTOR.NAME=VALUE", hint="for example --param Ping.rounds=10"
        )
    return actor, name, value
