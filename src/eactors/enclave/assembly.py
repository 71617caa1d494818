"""Putting an enclave together: its actors with their connectors, pools and mboxes, on workers.

What there is comes from the enclave's plan, which is measured; where it lies in shared
memory comes from the launcher, and is checked against the region's size by the native
types that use it.
"""

from __future__ import annotations

from eactors import _native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from eactors.actor import Actor
    from eactors.enclave.trust import Trust
    from eactors.private import PrivateMbox, PrivatePool

    Report = Callable[[str, Actor, object], None]

POLICIES = {"adaptive": 0, "spin": 1, "sleep": 2}


class Assembly:
    """The workers of one enclave with all that they execute.

    Args:
        plan: The enclave's plan.
        launch: What the launcher said at the start.
        region: The shared memory.
        module: The application's source.
        trust: Identity and keys; None on the untrusted side.
        report: Called when an actor has finished, failed, or asked for the exit.

    Attributes:
        workers: In the order of the plan.
    """

    def __init__(
        self,
        plan: dict[str, Any],
        launch: dict[str, Any],
        region: _native.Region,
        module: ModuleType,
        trust: Trust | None,
        report: Report,
    ) -> None:
        self._launch = launch
        self._trust = trust
        self._region = region
        self._module = module
        self._channels = [_native.PrivateChannel(capacity) for capacity in plan["private_channels"]]
        self._pools = {
            name: self._pool(entry, launch["pools"][name]) for name, entry in plan["pools"].items()
        }
        self._mboxes = {
            name: self._mbox(name, pool, plan["pools"][pool]) for name, pool in plan["mboxes"].items()
        }
        contexts = list(zip(plan["workers"], launch["workers"], strict=True))
        self.workers = [self._worker(entry["policy"], place, report) for entry, place in contexts]
        self._actors = [
            (worker, self._actor(worker, place, actor))
            for worker, (entry, place) in zip(self.workers, contexts, strict=True)
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

    def _pool(self, entry: dict[str, Any], place: dict[str, Any]) -> _native.Pool | PrivatePool:
        if entry["kind"] == "private":
            from eactors.private import PrivatePool  # noqa: PLC0415 - few enclaves have any

            return PrivatePool(entry["nodes"], entry["payload"], self._moved(place["bells"]))
        return _native.Pool(self._region, place["offset"], entry["nodes"], entry["payload"], place["bells"])

    def _mbox(self, name: str, of: str, entry: dict[str, Any]) -> _native.Mbox | PrivateMbox:
        pool, bells = self._pools[of], self._launch["pools"][of]["bells"]
        if entry["kind"] == "private":
            from eactors.private import PrivateMbox  # noqa: PLC0415

            return PrivateMbox(pool, self._moved(bells))  # type: ignore[arg-type]
        slots = 1 << (entry["nodes"] - 1).bit_length()
        return _native.Mbox(pool, self._launch["mboxes"][name], slots, bells)  # type: ignore[arg-type]

    def _worker(self, policy: str, place: dict[str, Any], report: Report) -> _native.Worker:
        baton, position, positions = place["baton"]
        return _native.Worker(
            region=self._region,
            participant=place["participant"][0],
            participant_id=place["participant"][1],
            bell=place["bell"],
            policy=POLICIES[policy],
            futex=self._launch["futex"],
            crowded=place["crowded"],
            alone=len(self._launch["workers"]) == 1,
            report=report,
            baton=baton,
            position=position,
            positions=positions,
        )

    def _actor(self, worker: _native.Worker, place: dict[str, Any], entry: dict[str, Any]) -> Actor:
        cls: type[Actor] = getattr(self._module, entry["class"])
        actor = cls.__new__(cls)
        actor.name = entry["name"]
        actor.params = dict(entry["params"])
        if self._trust is not None:
            actor._trust = self._trust  # noqa: SLF001 - how it is done is nothing for actors
            actor.provisioned = self._trust.provisioned(actor.name)
        links = []
        for attribute, declared in cls.__eactors__.connectors.items():
            connector = self._connector(actor, attribute, place, entry["connectors"][attribute])
            live = declared.live(connector)
            setattr(actor, attribute, live)
            links.append((connector, *cls.links(declared, live)))
        for attribute, pool in cls.__eactors__.pools.items():
            setattr(actor, attribute, self._pools[pool.name])
        for attribute, mbox in cls.__eactors__.mboxes.items():
            setattr(actor, attribute, self._mboxes[mbox.name])
        worker.add(actor, getattr(cls, "body", None), links)
        return actor

    def _connector(
        self, actor: Actor, attribute: str, place: dict[str, Any], entry: dict[str, Any]
    ) -> _native.Connector:
        declared = type(actor).__eactors__.connectors[attribute]
        connector = _native.Connector(
            actor, entry["peer"], entry["message_size"], *declared.codec(), attribute=attribute
        )
        peer_bell = self._launch["bells"][entry["peer"]]
        if "private" in entry:
            channel = self._channels[entry["private"]]
            connector._attach_private(self._region, channel, entry["side"], place["bell"], peer_bell)  # noqa: SLF001
            return connector
        common = {
            "region": self._region,
            "participant": place["participant"][0],
            "participant_id": place["participant"][1],
            "side": entry["side"],
            "capacity": entry["capacity"],
            "payload": entry["payload"],
            "peer_bell": peer_bell,
            **self._launch["channels"][str(entry["channel"])],
        }
        if "cipher" not in entry:
            connector._attach_shared(**common, copy=declared.copy)  # noqa: SLF001
            return connector
        assert self._trust is not None
        exchange = self._trust.exchange(entry)
        connector._attach_sealed(  # noqa: SLF001
            **common, channel_id=entry["channel"], cipher=entry["cipher"], exchange=exchange
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
