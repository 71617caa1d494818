"""Putting an enclave together: its actors with their connectors, pools and mboxes, on workers.

Everything comes from the enclave's plan, which is part of its folder. Offsets into shared
memory are checked against its size by the native types that use them.
"""

from __future__ import annotations

from eactors import _native
from eactors.private import PrivateMbox, PrivatePool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from eactors.actor import Actor

    Report = Callable[[str, Actor, object], None]

POLICIES = {"adaptive": 0, "spin": 1, "sleep": 2}


class Assembly:
    """The workers of one enclave with all that they execute.

    Args:
        plan: The enclave's plan.
        region: The shared memory.
        module: The application's source.
        report: Called when an actor has finished, failed, or asked for the exit.

    Attributes:
        workers: In the order of the plan.
    """

    def __init__(
        self, plan: dict[str, Any], region: _native.Region, module: ModuleType, report: Report
    ) -> None:
        self._plan = plan
        self._region = region
        self._module = module
        self._channels = [_native.PrivateChannel(capacity) for capacity in plan["private_channels"]]
        self._pools = {name: self._pool(entry) for name, entry in plan["pools"].items()}
        self._mboxes = {name: self._mbox(entry) for name, entry in plan["mboxes"].items()}
        self.workers = [self._worker(entry, report) for entry in plan["workers"]]
        self._actors = [
            (worker, self._actor(worker, entry, actor))
            for worker, entry in zip(self.workers, plan["workers"], strict=True)
            for actor in entry["actors"]
        ]

    def construct(self) -> None:
        """Call the constructors, in the order of the deployment.

        Raises:
            ConstructorError: A constructor raised; its cause is what it raised.
        """
        for worker, actor in self._actors:
            try:
                # Only now, so that an actor's own __init__ finds its connectors, too.
                worker.construct(actor, actor.__init__)  # type: ignore[misc]
                worker.construct(actor, actor.constructor)
            except Exception as error:
                raise ConstructorError(actor.name) from error

    def _moved(self, bells: list[int]) -> Callable[[], None]:
        ring = self._region.ring
        return lambda: ring(*bells)

    def _pool(self, entry: dict[str, Any]) -> _native.Pool | PrivatePool:
        if entry["kind"] == "private":
            return PrivatePool(entry["nodes"], entry["payload"], self._moved(entry["bells"]))
        return _native.Pool(self._region, entry["offset"], entry["nodes"], entry["payload"], entry["bells"])

    def _mbox(self, entry: dict[str, Any]) -> _native.Mbox | PrivateMbox:
        pool = self._pools[entry["pool"]]
        if isinstance(pool, PrivatePool):
            return PrivateMbox(pool, self._moved(entry["bells"]))
        return _native.Mbox(pool, entry["offset"], entry["capacity"], entry["bells"])

    def _worker(self, entry: dict[str, Any], report: Report) -> _native.Worker:
        baton, position, positions = entry["baton"]
        return _native.Worker(
            region=self._region,
            participant=entry["participant"][0],
            participant_id=entry["participant"][1],
            bell=entry["bell"],
            policy=POLICIES[entry["policy"]],
            futex=self._plan["futex"],
            crowded=entry["crowded"],
            alone=len(self._plan["workers"]) == 1,
            report=report,
            baton=baton,
            position=position,
            positions=positions,
        )

    def _actor(self, worker: _native.Worker, where: dict[str, Any], entry: dict[str, Any]) -> Actor:
        cls: type[Actor] = getattr(self._module, entry["class"])
        actor = cls.__new__(cls)
        actor.name = entry["name"]
        actor.params = entry["params"]
        links = []
        for attribute, declared in cls.__eactors__.connectors.items():
            connector = self._connector(actor, declared, where, entry["connectors"][attribute])
            setattr(actor, attribute, connector)
            links.append((connector, None if declared.handler is None else getattr(cls, declared.handler)))
        for attribute, pool in cls.__eactors__.pools.items():
            setattr(actor, attribute, self._pools[pool.name])
        for attribute, mbox in cls.__eactors__.mboxes.items():
            setattr(actor, attribute, self._mboxes[mbox.name])
        worker.add(actor, getattr(cls, "body", None), links)
        return actor

    def _connector(
        self, actor: Actor, declared: Any, where: dict[str, Any], entry: dict[str, Any]
    ) -> _native.Connector:
        encode, decode = declared.codec()
        connector = _native.Connector(actor, entry["peer"], entry["message_size"], encode, decode)
        shared = entry.get("shared")
        if shared is None:
            channel = self._channels[entry["channel"]]
            connector._attach_private(self._region, channel, entry["side"], where["bell"], entry["peer_bell"])  # noqa: SLF001
        else:
            connector._attach_shared(  # noqa: SLF001 - how a connector is attached is nothing for actors
                region=self._region,
                participant=where["participant"][0],
                participant_id=where["participant"][1],
                side=entry["side"],
                peer_bell=entry["peer_bell"],
                copy=declared.copy,
                **shared,
            )
        return connector


class ConstructorError(Exception):
    """A constructor raised an exception, which is the cause of this one.

    Attributes:
        actor: Name of the actor.
    """

    def __init__(self, actor: str) -> None:
        super().__init__(actor)
        self.actor = actor
