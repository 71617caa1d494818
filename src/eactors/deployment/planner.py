"""Making the plan."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from eactors.deployment import plan as planned
from eactors.deployment.channels import plan_channels
from eactors.deployment.checks import check
from eactors.deployment.directories import plan_directories
from eactors.deployment.enclaves import plan_enclaves, requirements
from eactors.deployment.errors import DeploymentError
from eactors.deployment.expansion import expand
from eactors.deployment.hints import did_you_mean
from eactors.deployment.labels import check_labels
from eactors.deployment.lives import planned_life
from eactors.deployment.model import UNTRUSTED
from eactors.deployment.network import plan_networks
from eactors.deployment.plan import (
    Plan,
    PlannedActor,
    PlannedPool,
    PlannedServer,
    PlannedShare,
    PlannedWorker,
)
from eactors.deployment.services import plan_services
from eactors.deployment.store_keys import plan_key_channels
from eactors.deployment.stores import plan_stores
from eactors.errors import EActorsError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from eactors.actor import Actor
    from eactors.build.source import Source
    from eactors.deployment.model import Deployment, Param, PoolSettings, Server


def make_plan(deployment: Deployment, source: Source, overrides: Iterable[tuple[str, str, str]] = ()) -> Plan:
    """Join a deployment with its source.

    Args:
        deployment: As read from the file.
        source: The application's actors.
        overrides: (actor, parameter, value) to use instead of what the deployment says.

    Raises:
        DeploymentError: The two do not fit together.
        SourceError: The source declares a label or a requirement wrongly.
        EActorsError: An override names something that is not there.
    """
    check(deployment)
    deployment = expand(deployment)
    values: Values = {(param.actor, param.name): (param.value, param) for param in deployment.params}
    values.update(((actor, name), (value, None)) for actor, name, value in overrides)
    actors = _place(deployment, source, values)
    _refuse_strays(deployment, actors, values)
    enclaves = plan_enclaves(deployment, actors.values())
    channels = plan_channels(deployment, actors, enclaves)
    services = plan_services(actors.values(), len(channels))
    stores = plan_stores(deployment, actors, enclaves)
    plan = Plan(
        source=source.path,
        deployment=deployment,
        actors=actors,
        servers=tuple(_server(deployment, server) for server in deployment.servers),
        channels=channels,
        services=services,
        directories=plan_directories(deployment),
        networks=plan_networks(deployment),
        pools=_pools(deployment, actors),
        stores=stores,
        key_channels=plan_key_channels(stores, actors, len(channels) + len(services)),
        enclaves=enclaves,
        keys={key.name: Path(deployment.file).parent / key.file for key in deployment.keys},
        untrusted_requires=requirements(deployment, actors.values(), UNTRUSTED),
        unplaced=tuple(actor.name for actor in deployment.actors if actor.name not in actors),
    )
    check_labels(plan)
    return plan


Values = dict[tuple[str, str], tuple[str, "Param | None"]]


def _place(deployment: Deployment, source: Source, values: Values) -> dict[str, PlannedActor]:
    declared = {actor.name: actor for actor in deployment.actors}
    settings = {each.actor: each for each in deployment.actor_settings}
    actors = {}
    for number, server in enumerate(deployment.servers):
        for worker in server.workers:
            for share in worker.shares:
                for name in share.actors:
                    cls, index = source.find(declared[name], deployment)
                    params = _params(deployment, name, cls, values)
                    family = declared[name].of
                    life = planned_life(settings.get(name), family or name)
                    actors[name] = PlannedActor(
                        name, cls, index, number, worker.id, share.enclave, params, family, life
                    )
    return actors


def _params(deployment: Deployment, actor: str, cls: type[Actor], values: Values) -> dict[str, Any]:
    defaults = dict(cls.params)
    params = dict(defaults)
    for (whose, name), (text, param) in values.items():
        if whose != actor:
            continue
        if defaults and name not in defaults:
            raise _wrong_param(
                deployment,
                param,
                f"actor {actor!r} has no parameter {name!r}; it has {', '.join(defaults)}",
                did_you_mean(name, defaults, f"add {name!r} to {cls.__name__}.params"),
            )
        try:
            params[name] = _convert(text, defaults.get(name))
        except ValueError:
            kind = type(defaults[name]).__name__
            raise _wrong_param(
                deployment,
                param,
                f"parameter {name!r} of actor {actor!r} is {text!r}, which is no {kind}",
                f"its default is {defaults[name]!r}: give a value of the same type",
            ) from None
    return params


def _convert(text: str, default: object) -> Any:
    """The value as the type of its default; without one, a whole number if it is one, else text."""
    if isinstance(default, bool):
        return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[_word(text)]
    if isinstance(default, int | float):
        return type(default)(text)
    if default is None:
        return int(text) if text.removeprefix("-").isdecimal() and text.isascii() else text
    return text


def _word(text: str) -> str:
    if text.lower() not in {"true", "yes", "1", "false", "no", "0"}:
        raise ValueError(text)
    return text.lower()


def _wrong_param(deployment: Deployment, param: Param | None, message: str, hint: str) -> EActorsError:
    if param is None:
        return EActorsError(f"--param: {message}", hint=hint)
    return DeploymentError(message, file=deployment.file, line=param.line, hint=hint)


def _refuse_strays(deployment: Deployment, actors: dict[str, PlannedActor], values: Values) -> None:
    for actor, name in values:
        if actor not in actors:
            raise _wrong_param(
                deployment,
                values[actor, name][1],
                f"there is no actor {actor!r} to give parameter {name!r} to",
                did_you_mean(actor, actors, f"the placed actors are {', '.join(actors)}"),
            )


def _server(deployment: Deployment, server: Server) -> PlannedServer:
    names = {entry.enclave: entry.name for entry in deployment.enclave_settings}
    policies = {entry.worker: entry.policy for entry in deployment.waits}
    workers = tuple(
        PlannedWorker(
            worker.id,
            worker.cpus,
            policies.get(worker.id, "adaptive"),
            tuple(PlannedShare(share.enclave, share.actors) for share in worker.shares if share.actors),
        )
        for worker in server.workers
        if any(share.actors for share in worker.shares)
    )
    enclaves = {share.enclave for worker in workers for share in worker.shares}
    titles = {enclave: planned.enclave_title(enclave, names.get(enclave)) for enclave in sorted(enclaves)}
    return PlannedServer(server.address, workers, titles)


def _pools(deployment: Deployment, actors: dict[str, PlannedActor]) -> tuple[PlannedPool, ...]:
    users: dict[str, list[str]] = {}
    mboxes: dict[str, dict[str, None]] = {}
    carried: dict[str, str] = {}
    for actor in actors.values():
        declaration = actor.cls.__eactors__
        for pool in [*declaration.pools.values(), *(mbox.pool for mbox in declaration.mboxes.values())]:
            users.setdefault(pool.name, []).append(actor.name)
        for mbox in declaration.mboxes.values():
            other = carried.setdefault(mbox.name, mbox.pool.name)
            if other != mbox.pool.name:
                raise DeploymentError(
                    f"mbox {mbox.name!r} of actor {actor.name!r} carries nodes of pool {mbox.pool.name!r},"
                    f" elsewhere of {other!r}",
                    file=deployment.file,
                    hint="an mbox carries the nodes of one pool; declare it with the same pool everywhere",
                )
            mboxes.setdefault(mbox.pool.name, {})[mbox.name] = None
    settings = {pool.name: pool for pool in deployment.pools}
    for name, setting in settings.items():
        if name not in users:
            raise DeploymentError(
                f"no placed actor uses a pool {name!r}",
                file=deployment.file,
                line=setting.line,
                hint=did_you_mean(name, users, "remove it, or declare Pool(...) in an actor"),
            )
    return tuple(
        _pool(deployment, name, who, tuple(mboxes.get(name, {})), settings.get(name), actors)
        for name, who in users.items()
    )


def _pool(
    deployment: Deployment,
    name: str,
    users: list[str],
    mboxes: tuple[str, ...],
    setting: PoolSettings | None,
    actors: dict[str, PlannedActor],
) -> PlannedPool:
    homes = {actors[user].home for user in users}
    kind = setting.kind if setting is not None else None
    if len({server for server, _ in homes}) > 1 or (kind == "private" and len(homes) > 1):
        where = "two servers" if len({server for server, _ in homes}) > 1 else "two enclaves"
        raise DeploymentError(
            f"pool {name!r} is used by actors in {where}: {', '.join(dict.fromkeys(users))}",
            file=deployment.file,
            line=setting.line if setting is not None else None,
            hint="make it public, or place its users together"
            if where == "two enclaves"
            else "use connectors",
        )
    return PlannedPool(
        name,
        kind or ("private" if len(homes) == 1 else "public"),
        (setting.nodes if setting is not None else None) or planned.DEFAULT_POOL_NODES,
        (setting.size if setting is not None else None) or planned.DEFAULT_POOL_SIZE,
        mboxes,
        tuple(dict.fromkeys(users)),
    )
