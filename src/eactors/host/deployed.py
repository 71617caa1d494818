"""What a built deployment says to its launcher: the workers, channels and pools to make room for.

Nobody signs it, for nobody trusts it: an enclave takes only places in shared memory from
its launcher. What the enclaves do is in their images.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

# At run time, for msgspec reads the annotations of `Deployed`.
from eactors.deployment.plan import (  # noqa: TC001
    PlannedChannel,
    PlannedDirectory,
    PlannedLife,
    PlannedPool,
    PlannedServer,
    PlannedService,
)
from eactors.errors import ImageError

if TYPE_CHECKING:
    from pathlib import Path

    from eactors.deployment.plan import Plan

FILE = "deployment.json"
FORMAT = 3


@dataclass(frozen=True, slots=True)
class Deployed:
    """The launcher's part of a plan.

    Attributes:
        source: The application's source file, for showing tracebacks.
        actors: The enclave of each actor.
        images: The folder of each enclave's image below the deployment's folder.
        lives: When each enclave is started.
    """

    format: int
    source: str
    actors: dict[str, int]
    servers: tuple[PlannedServer, ...]
    channels: tuple[PlannedChannel, ...]
    services: tuple[PlannedService, ...]
    directories: tuple[PlannedDirectory, ...]
    pools: tuple[PlannedPool, ...]
    images: dict[int, str]
    lives: dict[int, PlannedLife]


def describe(plan: Plan, images: dict[int, str]) -> bytes:
    """The launcher's part of ``plan``, as `read_deployed` reads it."""
    deployed = Deployed(
        format=FORMAT,
        source=str(plan.source),
        actors={name: actor.enclave for name, actor in plan.actors.items()},
        servers=plan.servers,
        channels=plan.channels,
        services=plan.services,
        directories=plan.directories,
        pools=plan.pools,
        images=images,
        lives={enclave: planned.life for enclave, planned in plan.enclaves.items()},
    )
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
