"""Which actors use which system actors.

A service is a connector to a system actor, which every server has of its own. No deployment
places system actors: they are the host's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eactors.deployment.plan import PlannedService
from eactors.services.base import Service

if TYPE_CHECKING:
    from collections.abc import Iterable

    from eactors.deployment.plan import PlannedActor


def plan_services(actors: Iterable[PlannedActor], first: int) -> tuple[PlannedService, ...]:
    """Plan the services of the placed actors.

    Args:
        actors: The actors.
        first: The id of the first; they share their numbers with channels.
    """
    declared = [
        (actor, actor.cls, attribute, connector)
        for actor in actors
        for attribute, connector in actor.cls.__eactors__.connectors.items()
        if isinstance(connector, Service)
    ]
    return tuple(
        PlannedService(
            id=first + number,
            actor=actor.name,
            attribute=attribute,
            system=service.system,
            server=actor.server,
            capacity=service.capacity,
            message_size=service.message_size,
            node_size=service.node_size,
            ends_when_asked=service.tells_the_end and getattr(cls, "ends_when_asked", False),
        )
        for number, (actor, cls, attribute, service) in enumerate(declared)
    )
