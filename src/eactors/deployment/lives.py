"""Judges when enclaves and actors are started: what may be started on demand, and what anew.

A worker that moves between enclaves waits in each of them for its turn, so an enclave that
is not there, or ends by itself, has workers of its own. An actor that is started on demand
needs none: its enclave is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eactors.deployment.errors import DeploymentError
from eactors.deployment.hints import quoted
from eactors.deployment.model import ActorSettings, EnclaveSettings
from eactors.deployment.plan import DEFAULT_RESTARTS, PlannedLife
from eactors.deployment.settings import check_runs
from eactors.deployment.twins import refuse_twins

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eactors.deployment.model import Deployment
    from eactors.deployment.plan import Plan

Settings = EnclaveSettings | ActorSettings


def check_lives(deployment: Deployment) -> None:
    """Refuse enclaves and actors that cannot be started as their settings say."""
    for settings in deployment.enclave_settings:
        on_demand = settings.start == "on-demand"
        _check_instances(deployment, settings)
        if settings.restarts is not None and not on_demand and settings.restart != "on-failure":
            raise _refusal(
                deployment,
                settings,
                "says how often it may be started anew, but not that it is",
                'add restart="on-failure", or delete restarts',
            )
        if on_demand or settings.restart == "on-failure":
            _check_workers(deployment, settings)
    _check_actors(deployment)


def _check_instances(deployment: Deployment, settings: Settings) -> None:
    if settings.instances is not None and settings.start != "on-demand":
        raise _refusal(
            deployment, settings, "has instances, but is not started on demand", 'add start="on-demand"'
        )


def _check_actors(deployment: Deployment) -> None:
    check_runs(
        deployment, ((each.actor, each.line, "<actor-settings>") for each in deployment.actor_settings)
    )
    refuse_twins(
        deployment.file,
        (
            (each.actor, each.line, f"<actor-settings> of actor {quoted(each.actor)} is given twice")
            for each in deployment.actor_settings
        ),
        "delete one of the two",
    )
    for settings in deployment.actor_settings:
        _check_instances(deployment, settings)
        if settings.start != "on-demand" and (
            settings.restart == "on-failure" or settings.restarts is not None
        ):
            raise _refusal(
                deployment,
                settings,
                "may be started anew, but is not started on demand",
                'add start="on-demand", or set restart="on-failure" of its enclave',
            )
        enclave = _enclave_of(deployment, settings.actor)
        home = deployment.settings_of(enclave)
        if settings.start == "on-demand" and home is not None and home.start == "on-demand":
            raise _refusal(
                deployment,
                settings,
                f"is started on demand, and so is its enclave {enclave}",
                "start one of the two with the application",
            )


def _enclave_of(deployment: Deployment, actor: str) -> int:
    return next(
        share.enclave
        for server in deployment.servers
        for worker in server.workers
        for share in worker.shares
        if actor in share.actors
    )


def _check_workers(deployment: Deployment, settings: EnclaveSettings) -> None:
    servers = [
        server.address
        for server in deployment.servers
        for worker in server.workers
        if any(share.enclave == settings.enclave for share in worker.shares)
        and _is_alone(deployment, settings, worker.id, len(worker.shares))
    ]
    if len(set(servers)) > 1:
        raise _refusal(
            deployment, settings, "is on several servers", "give the enclave of each server an id of its own"
        )


def _is_alone(deployment: Deployment, settings: EnclaveSettings, worker: int, shares: int) -> bool:
    if shares == 1:
        return True
    what = "is started on demand" if settings.start == "on-demand" else "may be started anew"
    raise _refusal(
        deployment,
        settings,
        f"{what}, but worker {worker} also has actors elsewhere, which would wait for it",
        "give it a worker of its own",
    )


def _refusal(deployment: Deployment, settings: Settings, what: str, hint: str) -> DeploymentError:
    who = (
        f"enclave {settings.enclave}"
        if isinstance(settings, EnclaveSettings)
        else f"actor {quoted(settings.actor)}"
    )
    return DeploymentError(f"{who} {what}", file=deployment.file, line=settings.line, hint=hint)


def planned_life(settings: Settings | None, name: str) -> PlannedLife:
    """When it is started; ``name`` is what a Factory is asked for if that is on demand."""
    if settings is None:
        return PlannedLife()
    return PlannedLife(
        name if settings.start == "on-demand" else None,
        settings.restart == "on-failure",
        settings.restarts or DEFAULT_RESTARTS,
    )


def unstartable(plan: Plan) -> Iterator[str]:
    """Say which enclaves and actors are started on demand where nobody can demand it."""
    servers = {service.server for service in plan.services if service.system == "factory"}
    told = set()
    for actor in plan.actors.values():
        enclave = plan.enclaves.get(actor.enclave)
        title, life = f"actor {quoted(actor.family or actor.name)}", actor.life
        if enclave is not None and enclave.life.family is not None:
            title, life = enclave.title, enclave.life
        if life.family is None or life.family in told or actor.server in servers:
            continue
        told.add(life.family)
        yield (
            f"{title} is started on demand, but no actor has a Factory, so it will never run:"
            " declare factory = Factory() in one"
        )
