"""Judges the settings: what refers to the actors, workers and enclaves of the layout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eactors.deployment.errors import DeploymentError
from eactors.deployment.hints import did_you_mean, quoted
from eactors.deployment.layout import placements
from eactors.deployment.model import UNTRUSTED
from eactors.deployment.twins import refuse_twins

if TYPE_CHECKING:
    from collections.abc import Iterable

    from eactors.deployment.model import Deployment

_MOST_LISTED = 16


def check_settings(deployment: Deployment) -> None:
    """Refuse settings of what is not there, and two settings of one thing."""
    _check_channels(deployment)
    _check_params(deployment)
    _check_waits(deployment)
    _check_enclaves(deployment)
    refuse_twins(
        deployment.file,
        ((pool.name, pool.line, f"pool {quoted(pool.name)} is set twice") for pool in deployment.pools),
        "delete one of the two",
    )


def _check_channels(deployment: Deployment) -> None:
    for channel in deployment.channels:
        first, second = channel.between
        if first == second:
            raise DeploymentError(
                f"a channel connects {quoted(first)} with itself",
                file=deployment.file,
                line=channel.line,
                hint="name the two different actors that the channel connects",
            )
    check_runs(
        deployment,
        ((actor, each.line, "<channel>") for each in deployment.channels for actor in each.between),
    )
    refuse_twins(
        deployment.file,
        (
            (frozenset(each.between), each.line, f"the channel between {_pair(each.between)} is set twice")
            for each in deployment.channels
        ),
        "there is one channel between two actors, whichever is named first; delete one of the two",
    )


def _pair(between: tuple[str, str]) -> str:
    return " and ".join(quoted(name) for name in between)


def _check_params(deployment: Deployment) -> None:
    check_runs(deployment, ((each.actor, each.line, "<param>") for each in deployment.params))
    refuse_twins(
        deployment.file,
        (
            (
                (each.actor, each.name),
                each.line,
                f"parameter {quoted(each.name)} of {quoted(each.actor)} is given twice",
            )
            for each in deployment.params
        ),
        "a parameter has one value; delete one of the two",
    )


def check_runs(deployment: Deployment, named: Iterable[tuple[str, int, str]]) -> None:
    """Refuse a setting (``named``: actor, line, element) of an actor that does not run."""
    declared = {actor.name: actor.line for actor in deployment.actors}
    placed = {actor for actor, _ in placements(deployment)}
    for actor, line, element in named:
        if actor not in declared:
            raise DeploymentError(
                f"{element} names the unknown actor {quoted(actor)}",
                file=deployment.file,
                line=line,
                hint=did_you_mean(actor, declared, "name an actor that <actors> declares"),
            )
        if actor not in placed:
            raise DeploymentError(
                f"{element} names the actor {quoted(actor)}, which has no worker",
                file=deployment.file,
                line=line,
                hint=f"{quoted(actor)} is declared in line {declared[actor]} and would not run: put it in an"
                f" <enclave> of a <worker>, or delete this {element}",
            )


def _check_waits(deployment: Deployment) -> None:
    workers = {worker.id for server in deployment.servers for worker in server.workers}
    for wait in deployment.waits:
        if wait.worker not in workers:
            raise DeploymentError(
                f"<wait> names the unknown worker {wait.worker}",
                file=deployment.file,
                line=wait.line,
                hint=f"the workers are {_listed(workers)}",
            )
    refuse_twins(
        deployment.file,
        (
            (each.worker, each.line, f"<wait> of worker {each.worker} is set twice")
            for each in deployment.waits
        ),
        "delete one of the two",
    )


def _check_enclaves(deployment: Deployment) -> None:
    file = deployment.file
    inhabited = set(deployment.share_lines())
    enclaves = inhabited - {UNTRUSTED}
    for settings in deployment.enclave_settings:
        if settings.enclave == UNTRUSTED:
            raise DeploymentError(
                f"enclave {UNTRUSTED} is the untrusted side and has no settings",
                file=file,
                line=settings.line,
                hint="delete this <enclave-settings>, or give its actors an enclave of their own",
            )
        if settings.enclave not in enclaves:
            raise DeploymentError(
                f"<enclave-settings> names the unknown enclave {settings.enclave}",
                file=file,
                line=settings.line,
                hint=f"the enclaves are {_listed(enclaves)}"
                if enclaves
                else "all actors are untrusted: there is no enclave",
            )
    for requirement in deployment.requirements:
        if requirement.enclave not in inhabited:
            raise DeploymentError(
                f"<requires> names the unknown enclave {requirement.enclave}",
                file=file,
                line=requirement.line,
                hint=f"the enclaves are {_listed(inhabited)}",
            )
    refuse_twins(
        file,
        (
            (each.enclave, each.line, f"<enclave-settings> of enclave {each.enclave} is given twice")
            for each in deployment.enclave_settings
        ),
        "delete one of the two",
    )
    refuse_twins(
        file,
        (
            (each.name, each.line, f"two enclaves are called {quoted(each.name)}")
            for each in deployment.enclave_settings
            if each.name is not None
        ),
        "an enclave's name is its own; choose another for one of the two",
    )
    refuse_twins(
        file,
        (
            (
                (each.enclave, each.module),
                each.line,
                f"{quoted(each.module)} is required twice in enclave {each.enclave}",
            )
            for each in deployment.requirements
        ),
        "delete one of the two",
    )


def _listed(numbers: Iterable[int]) -> str:
    """Return ``numbers`` in order, and no more of them than one reads."""
    ordered = sorted(numbers)
    shown = ", ".join(str(number) for number in ordered[:_MOST_LISTED])
    return shown if len(ordered) <= _MOST_LISTED else f"{shown}, and {len(ordered) - _MOST_LISTED} more"
