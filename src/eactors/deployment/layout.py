"""Judges which actors there are and where they run."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING

from eactors.deployment.errors import DeploymentError
from eactors.deployment.hints import did_you_mean, quoted
from eactors.deployment.twins import refuse_twins

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from eactors.deployment.model import Deployment, Server, Worker


def check_layout(deployment: Deployment) -> None:
    """Refuse actors, servers and workers that contradict each other."""
    _check_declarations(deployment)
    _check_servers(deployment)
    _check_placements(deployment)


def placements(deployment: Deployment) -> Iterator[tuple[str, int]]:
    """Yield the name of each placed actor and the line that places it."""
    for server in deployment.servers:
        for worker in server.workers:
            for share in worker.shares:
                lines = share.actor_lines or (share.line,) * len(share.actors)
                yield from zip(share.actors, lines, strict=True)


def _check_declarations(deployment: Deployment) -> None:
    actors = deployment.actors
    refuse_twins(
        deployment.file,
        ((actor.name, actor.line, f"actor {quoted(actor.name)} is declared twice") for actor in actors),
        "give one of the two another name; <class> says what class an actor is an instance of",
    )
    refuse_twins(
        deployment.file,
        ((actor.id, actor.line, f"actor id {actor.id} is given twice") for actor in actors),
        f"a free id is {_free(actor.id for actor in actors)}",
    )


def _free(used: Iterable[int]) -> int:
    taken = set(used)
    return next(number for number in itertools.count() if number not in taken)


def _check_servers(deployment: Deployment) -> None:
    file = deployment.file
    if not deployment.servers:
        raise DeploymentError(
            "there is no server, so nothing would run",
            file=file,
            hint="add <server><ip>localhost</ip><workers>...</workers></server> to <servers>",
        )
    refuse_twins(
        file,
        (
            (each.address, each.line, f"server {quoted(each.address)} is listed twice")
            for each in deployment.servers
        ),
        "a <server> is a machine: put all workers of one machine below one <server>",
    )
    for server in deployment.servers:
        _check_workers(file, server)


def _check_workers(file: str, server: Server) -> None:
    where = f"server {quoted(server.address)}"
    if not server.workers:
        raise DeploymentError(
            f"{where} has no worker, so nothing would run there",
            file=file,
            line=server.line,
            hint="add a <worker> to its <workers>, or delete the <server>",
        )
    refuse_twins(
        file,
        ((each.id, each.line, f"worker {each.id} is listed twice in {where}") for each in server.workers),
        f"a free id is {_free(each.id for each in server.workers)}",
    )
    for worker in server.workers:
        _check_worker(file, worker)


def _check_worker(file: str, worker: Worker) -> None:
    if not worker.shares:
        raise DeploymentError(
            f"worker {worker.id} has no enclave, so it would have nothing to do",
            file=file,
            line=worker.line,
            hint="add <enclave><id>0</id><actors>...</actors></enclave> to it (0 is the untrusted side),"
            " or delete the worker",
        )
    refuse_twins(
        file,
        (
            (each.enclave, each.line, f"enclave {each.enclave} is listed twice in worker {worker.id}")
            for each in worker.shares
        ),
        "list all of its actors below one <enclave>",
    )
    for cpu, times in Counter(worker.cpus).items():
        if times > 1:
            raise DeploymentError(
                f"cpu {cpu} is listed {times} times in worker {worker.id}",
                file=file,
                line=worker.line,
                hint="list it once, or put the cpu that was meant in its place",
            )
    for share in worker.shares:
        if not share.actors:
            raise DeploymentError(
                f"enclave {share.enclave} has no actor in worker {worker.id}",
                file=file,
                line=share.line,
                hint="add <actor>NAME</actor> to its <actors>, or delete the <enclave>",
            )


def _check_placements(deployment: Deployment) -> None:
    declared = [actor.name for actor in deployment.actors]
    known = set(declared)
    for actor, line in placements(deployment):
        if actor not in known:
            raise DeploymentError(
                f"unknown actor {quoted(actor)}: an enclave holds it, but it is not declared",
                file=deployment.file,
                line=line,
                hint=did_you_mean(
                    actor, declared, "declare it in the <actors> below <data>, or delete it from the enclave"
                ),
            )
    refuse_twins(
        deployment.file,
        ((actor, line, f"actor {quoted(actor)} is placed twice") for actor, line in placements(deployment)),
        "an actor runs in exactly one place; delete one of the two",
    )
