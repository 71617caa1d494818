"""Instances: what may run several times at once becomes so many enclaves, or actors.

A sealed enclave can map no more memory, so all room for channels is reserved at the
start; and each instance has channels of its own, whose ids are part of every key exchange. So
each instance of an enclave is an enclave of its own, with an image and a line in the manifest,
and each of an actor an actor of its own beside the others. The first keeps the ids that the
file gives; the others take free ones above all that are in use. The actor ``visitor`` becomes
``visitor1``, ``visitor2``, ..., and what is set of it is set of each.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from eactors.deployment.errors import DeploymentError
from eactors.deployment.hints import quoted
from eactors.deployment.limits import IDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eactors.deployment.model import (
        ActorSettings,
        ChannelSettings,
        Deployment,
        EnclaveSettings,
        EnclaveShare,
        Server,
    )


def expand(deployment: Deployment) -> Deployment:
    """Put its instances in the place of each enclave, and each actor, that has several.

    Args:
        deployment: One that the checks have found to be right.

    Raises:
        DeploymentError: Their names are taken, or there are no ids left for them.
    """
    for settings in deployment.enclave_settings:
        if settings.instances is not None:
            deployment = _Enclaves(deployment, settings, settings.instances).expanded()
    for each in deployment.actor_settings:
        if each.instances is not None:
            deployment = _Actors(deployment, each, each.instances).expanded()
    return deployment


class _Instances:
    """The instances of some actors: what stands for them wherever they are named.

    Args:
        deployment: Where they are named.
        who: Has so many instances, as people are told.
        line: Where that is said.
        count: How many.
        actors: Their names.
    """

    def __init__(
        self, deployment: Deployment, who: str, line: int, count: int, actors: Sequence[str]
    ) -> None:
        self._deployment, self._who, self._line, self._count = deployment, who, line, count
        ids = {actor.name: actor.id for actor in deployment.actors}
        numbers = self._ids([ids[name] for name in actors], set(ids.values()))
        self._numbers = {name: numbers[ids[name]] for name in actors}
        self._names = {name: [f"{name}{index}" for index in range(1, count + 1)] for name in actors}
        taken = set(ids) & {name for instances in self._names.values() for name in instances}
        if taken:
            raise self._refusal(
                f"one of them would be called {min(taken)!r}, and so is another actor",
                "rename one of the two",
            )

    def _ids(self, first: list[int], used: set[int]) -> dict[int, list[int]]:
        """The ids of the instances of each of these."""
        at = max(used) + 1
        if at + len(first) * (self._count - 1) > IDS.stop:
            raise self._refusal("there are not so many ids left", "use lower ids, or fewer instances")
        step = self._count - 1
        return {
            number: [number, *range(at + place * step, at + place * step + step)]
            for place, number in enumerate(first)
        }

    def _refusal(self, why: str, hint: str) -> DeploymentError:
        return DeploymentError(
            f"{self._who} cannot have {self._count} instances: {why}",
            file=self._deployment.file,
            line=self._line,
            hint=hint,
        )

    def expanded(self) -> Deployment:
        """The deployment with all of them."""
        deployment = self._deployment
        return replace(
            deployment,
            actors=tuple(
                instance
                for actor in deployment.actors
                for instance in (
                    [
                        replace(actor, id=number, name=name, of=actor.name, index=index)
                        for index, (number, name) in enumerate(
                            zip(self._numbers[actor.name], self._names[actor.name], strict=True), 1
                        )
                    ]
                    if actor.name in self._names
                    else [actor]
                )
            ),
            channels=tuple(each for channel in deployment.channels for each in self._channel(channel)),
            params=tuple(
                replace(param, actor=name)
                for param in deployment.params
                for name in self._names.get(param.actor, [param.actor])
            ),
            directories=tuple(
                replace(directory, actor=name)
                for directory in deployment.directories
                for name in self._names.get(directory.actor or "", [directory.actor])
            ),
            networks=tuple(
                replace(network, actor=name)
                for network in deployment.networks
                for name in self._names.get(network.actor or "", [network.actor])
            ),
        )

    def _channel(self, channel: ChannelSettings) -> list[ChannelSettings]:
        one, other = (self._names.get(name, [name]) for name in channel.between)
        if len(one) == len(other):  # both of one instance, or neither
            pairs = list(zip(one, other, strict=True))
        else:
            pairs = [(first, second) for first in one for second in other]
        return [replace(channel, between=pair) for pair in pairs]


class _Enclaves(_Instances):
    """The instances of one enclave: what stands for its actors, workers and itself."""

    def __init__(self, deployment: Deployment, settings: EnclaveSettings, count: int) -> None:
        self._settings = settings
        workers = [worker for server in deployment.servers for worker in server.workers]
        shares = [share for worker in workers for share in worker.shares]
        own = [share for share in shares if share.enclave == settings.enclave]
        actors = [name for share in own for name in share.actors]
        super().__init__(deployment, f"enclave {settings.enclave}", settings.line, count, actors)
        moved = [worker.id for worker in workers if any(share in own for share in worker.shares)]
        self._enclaves = self._ids([settings.enclave], {share.enclave for share in shares})
        self._workers = self._ids(moved, {worker.id for worker in workers})

    def expanded(self) -> Deployment:
        """The deployment with all of them."""
        deployment = super().expanded()
        return replace(
            deployment,
            servers=tuple(map(self._server, deployment.servers)),
            waits=tuple(
                replace(wait, worker=worker)
                for wait in deployment.waits
                for worker in self._workers.get(wait.worker, [wait.worker])
            ),
            enclave_settings=tuple(
                each for settings in deployment.enclave_settings for each in self._each(settings)
            ),
            requirements=tuple(
                replace(requirement, enclave=enclave)
                for requirement in deployment.requirements
                for enclave in self._enclaves.get(requirement.enclave, [requirement.enclave])
            ),
        )

    def _server(self, server: Server) -> Server:
        return replace(
            server,
            workers=tuple(
                replace(
                    worker,
                    id=number,
                    shares=tuple(
                        replace(
                            share,
                            enclave=self._enclaves[share.enclave][place],
                            actors=tuple(self._names[name][place] for name in share.actors),
                        )
                        for share in worker.shares
                    )
                    if worker.id in self._workers
                    else worker.shares,
                )
                for worker in server.workers
                for place, number in enumerate(self._workers.get(worker.id, [worker.id]))
            ),
        )

    def _each(self, settings: EnclaveSettings) -> list[EnclaveSettings]:
        if settings is not self._settings:
            return [settings]
        return [
            replace(
                settings,
                enclave=enclave,
                name=None if settings.name is None else f"{settings.name}{index}",
                instances=None,
            )
            for index, enclave in enumerate(self._enclaves[settings.enclave], 1)
        ]


class _Actors(_Instances):
    """The instances of one actor, all of them where it is placed."""

    def __init__(self, deployment: Deployment, settings: ActorSettings, count: int) -> None:
        super().__init__(
            deployment, f"actor {quoted(settings.actor)}", settings.line, count, [settings.actor]
        )

    def expanded(self) -> Deployment:
        """The deployment with all of them."""
        deployment = super().expanded()
        return replace(
            deployment,
            servers=tuple(
                replace(
                    server,
                    workers=tuple(
                        replace(worker, shares=tuple(map(self._share, worker.shares)))
                        for worker in server.workers
                    ),
                )
                for server in deployment.servers
            ),
            actor_settings=tuple(
                replace(settings, actor=name)
                for settings in deployment.actor_settings
                for name in self._names.get(settings.actor, [settings.actor])
            ),
        )

    def _share(self, share: EnclaveShare) -> EnclaveShare:
        names = tuple(each for name in share.actors for each in self._names.get(name, [name]))
        return replace(share, actors=names)
