"""Judges when enclaves are started: what may be started on demand, and what anew.

A worker that moves between enclaves waits in each of them for its turn, so an enclave that
is not there, or ends by itself, has workers of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eactors.deployment.errors import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eactors.deployment.model import Deployment, EnclaveSettings
    from eactors.deployment.plan import Plan


def check_lives(deployment: Deployment) -> None:
    """Refuse enclaves that cannot be started as their settings say."""
    for settings in deployment.enclave_settings:
        on_demand = settings.start == "on-demand"
        if settings.instances is not None and not on_demand:
            raise _refusal(
                deployment, settings, "has instances, but is not started on demand", 'add start="on-demand"'
            )
        if settings.restarts is not None and not on_demand and settings.restart != "on-failure":
            raise _refusal(
                deployment,
                settings,
                "says how often it may be started anew, but not that it is",
                'add restart="on-failure", or delete restarts',
            )
        if on_demand or settings.restart == "on-failure":
            _check_workers(deployment, settings)


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


def _refusal(deployment: Deployment, settings: EnclaveSettings, what: str, hint: str) -> DeploymentError:
    return DeploymentError(
        f"enclave {settings.enclave} {what}", file=deployment.file, line=settings.line, hint=hint
    )


def unstartable(plan: Plan) -> Iterator[str]:
    """Say which enclaves are started on demand where nobody can demand it."""
    servers = {service.server for service in plan.services if service.system == "factory"}
    told = set()
    for actor in plan.actors.values():
        enclave = plan.enclaves.get(actor.enclave)
        if enclave is None or enclave.life.family is None or enclave.life.family in told:
            continue
        if actor.server not in servers:
            told.add(enclave.life.family)
            yield (
                f"{enclave.title} is started on demand, but no actor has a Factory, so it will never run:"
                " declare factory = Factory() in one"
            )
