"""What a built deployment says to its launcher: the workers, channels and pools to make room for.

Nobody signs it, for nobody trusts it: an enclave takes only places in shared memory from
its launcher. What the enclaves do is in their images.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec

from eactors.deployment.model import UNTRUSTED

# At run time, for msgspec reads the annotations of `Deployed`.
from eactors.deployment.plan import (  # noqa: TC001
    PlannedChannel,
    PlannedDirectory,
    PlannedKeyChannel,
    PlannedLife,
    PlannedNetwork,
    PlannedPool,
    PlannedServer,
    PlannedService,
    PlannedStore,
)
from eactors.errors import ImageError

if TYPE_CHECKING:
    from pathlib import Path

    from eactors.deployment.plan import Plan

FILE = "deployment.json"
FORMAT = 5


@dataclass(frozen=True, slots=True)
class Deployed:
    """The launcher's part of a plan.

    Attributes:
        source: The application's source file, for showing tracebacks.
        actors: The enclave of each actor.
        images: The folder of each enclave's image below the deployment's folder.
        lives: When each enclave is started.
        actor_lives: When each actor is started that is not with its enclave.
        untrusted: The folder of each server's untrusted side, by the server's place.
        digest: Of all that the servers of one run must have in common.
        place: The one server that this is the part of; see `on`.
    """

    format: int
    source: str
    actors: dict[str, int]
    servers: tuple[PlannedServer, ...]
    channels: tuple[PlannedChannel, ...]
    services: tuple[PlannedService, ...]
    directories: tuple[PlannedDirectory, ...]
    networks: tuple[PlannedNetwork, ...]
    pools: tuple[PlannedPool, ...]
    stores: tuple[PlannedStore, ...]
    key_channels: tuple[PlannedKeyChannel, ...]
    images: dict[int, str]
    lives: dict[int, PlannedLife]
    actor_lives: dict[str, PlannedLife]
    untrusted: dict[int, str] = field(default_factory=dict)
    digest: str = ""
    place: int = 0

    def on(self, place: int) -> Deployed:
        """The part of it that one server runs."""
        workers = self.servers[place].workers
        own = {actor for worker in workers for share in worker.shares for actor in share.actors}
        here = set(self.servers[place].enclaves)
        images = {enclave: folder for enclave, folder in self.images.items() if enclave in here}
        if place in self.untrusted:
            images[UNTRUSTED] = self.untrusted[place]
        return replace(
            self,
            actors={name: enclave for name, enclave in self.actors.items() if name in own},
            actor_lives={name: life for name, life in self.actor_lives.items() if name in own},
            channels=tuple(each for each in self.channels if own & {end.actor for end in each.ends}),
            services=tuple(service for service in self.services if service.server == place),
            directories=tuple(each for each in self.directories if each.actor is None or each.actor in own),
            networks=tuple(each for each in self.networks if each.actor is None or each.actor in own),
            pools=tuple(pool for pool in self.pools if own & set(pool.users)),
            stores=tuple(store for store in self.stores if store.server == place),
            key_channels=tuple(each for each in self.key_channels if each.server == place),
            images=images,
            place=place,
        )

    def party_of(self, actor: str) -> int | str:
        """Whose life an actor shares: that of its enclave, or its own."""
        return actor if actor in self.actor_lives else self.actors[actor]

    @property
    def server(self) -> PlannedServer:
        """The server that this is the part of."""
        return self.servers[self.place]

    @property
    def peers(self) -> tuple[int, ...]:
        """The places of the other servers."""
        return tuple(place for place in range(len(self.servers)) if place != self.place)

    @property
    def remote(self) -> dict[str, int]:
        """The servers of the actors that are on others."""
        return {
            actor: place
            for place in self.peers
            for worker in self.servers[place].workers
            for share in worker.shares
            for actor in share.actors
        }


def describe(plan: Plan, images: dict[int, str], untrusted: dict[int, str], common: bytes) -> bytes:
    """The launcher's part of ``plan``, as `read_deployed` reads it.

    Args:
        plan: The plan.
        images: The folder of each enclave's image.
        untrusted: The folder of each server's untrusted side, by its place.
        common: What the servers of one run must have in common besides the plan.
    """
    deployed = Deployed(
        format=FORMAT,
        source=str(plan.source),
        actors={name: actor.enclave for name, actor in plan.actors.items()},
        servers=plan.servers,
        channels=plan.channels,
        services=plan.services,
        directories=plan.directories,
        networks=plan.networks,
        pools=plan.pools,
        stores=plan.stores,
        key_channels=plan.key_channels,
        images=images,
        lives={enclave: planned.life for enclave, planned in plan.enclaves.items()},
        actor_lives={name: actor.life for name, actor in plan.actors.items() if actor.life.family},
        untrusted=untrusted,
    )
    # Where its source, directories and stores lie, and what it can bear, may differ from machine to machine.
    same = msgspec.json.encode(replace(deployed, source="", directories=(), networks=(), stores=()))
    deployed = replace(deployed, digest=sha256(same + common).hexdigest())
    return msgspec.json.format(msgspec.json.encode(deployed), indent=1) + b"\n"


def read_deployed(folder: Path) -> Deployed:
    """Read the description in a folder that ``eactors build`` wrote.

    Raises:
        ImageError: The folder is no such folder.
    """
    file = folder / FILE
    try:
        deployed = msgspec.json.decode(file.read_bytes(), type=Deployed)
    except OSError as error:
        raise ImageError(
            f"{folder} is no built deployment: {FILE} cannot be read: {error.strerror}",
            hint="build one: eactors build SOURCE.py DEPLOYMENT.xml -o DIR",
        ) from error
    except msgspec.MsgspecError as error:
        raise ImageError(f"{file} is damaged: {error}", hint="build the deployment again") from error
    if deployed.format != FORMAT:
        raise ImageError(
            f"{file} has format {deployed.format}, and this version reads {FORMAT}", hint="build again"
        )
    return deployed
