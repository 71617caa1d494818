"""Which directories the deployment grants: below them alone system actors open anything.

A path is the host's affair: it is not measured, and what an actor reads from it, and whether
what it writes is kept, is the host's word. The grants protect the host's files from actors.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from eactors.deployment.errors import DeploymentError
from eactors.deployment.hints import quoted
from eactors.deployment.plan import PlannedDirectory
from eactors.deployment.settings import check_runs
from eactors.deployment.twins import refuse_twins

if TYPE_CHECKING:
    from eactors.deployment.model import Deployment


def check_directories(deployment: Deployment) -> None:
    """Refuse directories for actors that do not run, and two of one name for one actor."""
    check_runs(
        deployment,
        ((each.actor, each.line, "<directory>") for each in deployment.directories if each.actor is not None),
    )
    refuse_twins(
        deployment.file,
        (
            ((each.name, each.actor), each.line, f"directory {quoted(each.name)} is given twice")
            for each in deployment.directories
        ),
        "give one of the two another name, or to another actor",
    )
    everyones = {each.name: each.line for each in deployment.directories if each.actor is None}
    for each in deployment.directories:
        if each.actor is not None and each.name in everyones:
            raise DeploymentError(
                f"directory {quoted(each.name)} of {quoted(each.actor)} has the name of one for all actors,"
                f" in line {everyones[each.name]}",
                file=deployment.file,
                line=each.line,
                hint="give one of the two another name",
            )


def plan_directories(deployment: Deployment) -> tuple[PlannedDirectory, ...]:
    """The directories as the launcher needs them: wherever it runs, it opens the same."""
    folder = Path(deployment.file).parent.absolute()
    return tuple(
        PlannedDirectory(each.name, str(folder / each.path), each.access or "read", each.actor)
        for each in deployment.directories
    )
