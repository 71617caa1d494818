"""Judges a deployment alone, without the source of its actors.

The first fault found is raised, in the order in which a reader of the file would want to
know: what is declared, then the machines, then where the actors run, then the settings that
refer to all of these. An actor that is declared and not placed is legal, as it was in the
original: it does not run. Whether classes, connectors and pools exist is for ``plan``,
which knows the source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eactors.deployment.directories import check_directories
from eactors.deployment.keys import check_keys
from eactors.deployment.layout import check_layout
from eactors.deployment.lives import check_lives
from eactors.deployment.network import check_networks
from eactors.deployment.settings import check_settings
from eactors.deployment.stores import check_stores

if TYPE_CHECKING:
    from eactors.deployment.model import Deployment


def check(deployment: Deployment) -> None:
    """Refuse a deployment that contradicts itself.

    Raises:
        DeploymentError: Naming the first contradiction, its line and what would be right.
    """
    check_layout(deployment)
    check_settings(deployment)
    check_keys(deployment)
    check_directories(deployment)
    check_networks(deployment)
    check_stores(deployment)
    check_lives(deployment)
