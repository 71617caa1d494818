"""What each enclave is: its settings with their defaults, and what its actors ask of its image."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from eactors.deployment.errors import DeploymentError
from eactors.deployment.hints import quoted
from eactors.deployment.lives import planned_life
from eactors.deployment.model import UNTRUSTED
from eactors.deployment.plan import PlannedEnclave, enclave_title
from eactors.deployment.values import MODULE
from eactors.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Collection

    from eactors.deployment.model import Deployment, EnclaveSettings
    from eactors.deployment.plan import PlannedActor, PlannedLife


def plan_enclaves(deployment: Deployment, actors: Collection[PlannedActor]) -> dict[int, PlannedEnclave]:
    """Settle the settings of all enclaves with actors, but of the untrusted side, by id.

    Raises:
        DeploymentError: Two servers use the same id for an enclave.
    """
    _check_ids(deployment)
    ids = {actor.enclave for actor in actors} - {UNTRUSTED}
    return {enclave: _enclave(deployment, actors, enclave) for enclave in sorted(ids)}


def _check_ids(deployment: Deployment) -> None:
    """An enclave is on one server: manifest and channels know it by its id alone."""
    seen: dict[int, str] = {}
    for server in deployment.servers:
        for share in (share for worker in server.workers for share in worker.shares):
            first = seen.setdefault(share.enclave, server.address)
            if share.enclave != UNTRUSTED and first != server.address:
                taken = deployment.share_lines()
                free = next(number for number in itertools.count(1) if number not in taken)
                raise DeploymentError(
                    f"enclave {share.enclave} is on servers {quoted(first)} and {quoted(server.address)}",
                    file=deployment.file,
                    line=share.line,
                    hint=f"an enclave is on one server, and all are in one manifest: {free} is a free id",
                )


def requirements(deployment: Deployment, actors: Collection[PlannedActor], enclave: int) -> tuple[str, ...]:
    """What the deployment and the classes of an enclave's actors require, in alphabetical order.

    Raises:
        SourceError: A class does not declare it as a tuple of such names.
    """
    required = {each.module for each in deployment.requirements if each.enclave == enclave}
    for actor in actors:
        if actor.enclave == enclave:
            required.update(_required_by(actor))
    return tuple(sorted(required))


def _enclave(deployment: Deployment, actors: Collection[PlannedActor], enclave: int) -> PlannedEnclave:
    settings = deployment.settings_of(enclave)
    keys = tuple(key.name for key in deployment.keys)
    name = settings.name if settings else None
    signer = settings.signer if settings else None
    if signer is None and keys:
        # Where there are several, the checks have seen to it that one is named.
        (signer,) = keys
    debug = settings.debug if settings else None
    return PlannedEnclave(
        id=enclave,
        name=name,
        title=enclave_title(enclave, name),
        signer=signer,
        owners=(settings.owners if settings else None) or keys,
        debug=signer is None if debug is None else debug,
        product_id=(settings.product_id if settings else None) or 0,
        security_version=(settings.security_version if settings else None) or 0,
        platform=(settings.platform if settings else None) or "simulation",
        requires=requirements(deployment, actors, enclave),
        life=_life(settings, actors, enclave),
    )


def _life(settings: EnclaveSettings | None, actors: Collection[PlannedActor], enclave: int) -> PlannedLife:
    family = next(actor.family or actor.name for actor in actors if actor.enclave == enclave)
    return planned_life(settings, family)


def _required_by(actor: PlannedActor) -> tuple[str, ...]:
    required: object = actor.cls.requires
    where = f"{actor.cls.__name__}.requires"
    hint = 'write a tuple, such as requires = ("package.module", "module:NAME")'
    if not isinstance(required, tuple):
        raise SourceError(f"{where} is {required!r}, which is no tuple", hint=hint)
    for module in required:
        if not isinstance(module, str) or not MODULE.fullmatch(module):
            raise SourceError(f"{where} has {module!r}, which names no module", hint=hint)
    return required
