"""How much of the network the deployment lets actors have.

The limits protect the host's memory and descriptors from actors, and actors from each other.
They are the host's affair: nothing of them is measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eactors.deployment.hints import quoted
from eactors.deployment.plan import DEFAULT_SOCKETS, DEFAULT_UNREAD, PlannedNetwork
from eactors.deployment.settings import check_runs
from eactors.deployment.twins import refuse_twins

if TYPE_CHECKING:
    from eactors.deployment.model import Deployment


def check_networks(deployment: Deployment) -> None:
    """Refuse limits of actors that do not run, and two of one actor or of all."""
    check_runs(
        deployment,
        ((each.actor, each.line, "<network>") for each in deployment.networks if each.actor is not None),
    )
    refuse_twins(
        deployment.file,
        (
            (
                each.actor,
                each.line,
                "<network> of "
                + ("all actors" if each.actor is None else quoted(each.actor))
                + " is set twice",
            )
            for each in deployment.networks
        ),
        "delete one of the two, or write actor= to set one actor's",
    )


def plan_networks(deployment: Deployment) -> tuple[PlannedNetwork, ...]:
    """The limits that are set, complete: what is not said of an actor is as for all."""
    general = next((each for each in deployment.networks if each.actor is None), None)
    sockets, unread = (general.sockets, general.unread) if general is not None else (None, None)
    return tuple(
        PlannedNetwork(
            each.actor,
            each.sockets or sockets or DEFAULT_SOCKETS,
            each.unread or unread or DEFAULT_UNREAD,
        )
        for each in deployment.networks
    )
