"""The directories that a deployment grants are there, before anything starts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from eactors.host.errors import LaunchError

if TYPE_CHECKING:
    from eactors.deployment.plan import PlannedDirectory
    from eactors.host.deployed import Deployed


def check_directories(deployed: Deployed) -> None:
    """Refuse a directory that is not there, or that we may not use as the deployment says.

    Raises:
        LaunchError: Naming it.
    """
    for directory in deployed.directories:
        problem = _problem(directory)
        if problem is not None:
            raise LaunchError(
                f"the directory {directory.name!r} of the deployment, {directory.path}, {problem}",
                hint=f"make it, or change path= of its <directory>: mkdir -p {directory.path}",
            )


def _problem(directory: PlannedDirectory) -> str | None:
    path = Path(directory.path)
    if not path.exists():
        return "does not exist"
    if not path.is_dir():
        return "is no directory"
    wanted, words = (os.R_OK | os.X_OK, "read") if directory.access == "read" else (os.W_OK, "written to")
    return None if os.access(path, wanted) else f"cannot be {words} by the user who runs this"
