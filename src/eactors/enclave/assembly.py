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
    from eactors.connector import Connector
    from eactors.enclave.entry import Enclave
    from eactors.enclave.pools import Pools
    from eactors.enclave.stores import Stores
    from eactors.enclave.trust import Trust

    Report = Callable[[str, Actor, object], None]

POLICIES = {"adaptive": 0, "spin": 1, "sleep": 2}


class Assembly:
    """The workers of one enclave with all that they execute.

    Args:
        enclave: With its plan, what the launcher said at the start, and whom to tell.
        module: The application's source.
        trust: Identity and keys; None on the untrusted side.

    Attributes:
        module: The application's source.
        channels: Those inside the enclave, in the order of the plan.
        workers: In the order of the plan.
        actors: With the workers that execute them, in the order of the deployment.
    """

    def __init__(self, enclave: Enclave, module: ModuleType, trust: Trust | None) -> None:
        plan, self._launch, self._region = enclave.plan, enclave.launch, enclave.region
        self.module, self._trust = module, trust
        self.channels = [_native.PrivateChannel(capacity) for capacity in plan["private_channels"]]
        self._pools = self._made_pools(plan) if plan["pools"] else None
        contexts = list(zip(plan["workers"], self._launch["workers"], strict=True))
        self.workers = [self._worker(entry, place, enclave.report) for entry, place in contexts]
        self._stores = self._made_stores(enclave) if plan["stores"] else None
        self.actors = [
            (worker, self.seat(worker, place, actor))
            for worker, (entry, place) in zip(self.workers, contexts, strict=True)
            for actor in entry["actors"]
        ]

    def close(self) -> bool:
        """The workers have ended; whether all is as it should be then."""
        return self._stores is None or self._stores.close()

    def _made_pools(self, plan: dict[str, Any]) -> Pools:
        from eactors.enclave.pools import Pools  # noqa: PLC0415 - not every enclave has any

        return Pools(plan, self._launch, self._region)

    def _made_stores(self, enclave: Enclave) -> Stores:
        from eactors.enclave.stores import Stores  # noqa: PLC0415 - not every enclave has any

        return Stores(enclave, self._trust, self.workers[0])

    def _worker(self, entry: dict[str, Any], place: dict[str, Any], report: Report) -> _native.Worker:
        worker = _native.Worker(
            region=self._region,
            participant=place["participant"][0],
            participant_id=place["participant"][1],
            bell=place["bell"],
            policy=POLICIES[entry["policy"]],
            futex=self._launch["futex"],
            crowded=place["crowded"],
            alone=len(self._launch["workers"]) == 1,
            report=report,
        )
        if entry["spans"]:
            _native.span(worker, *place["baton"])
        return worker

    def seat(self, worker: _native.Worker, place: dict[str, Any], entry: dict[str, Any]) -> Actor:
        """Make an actor with all that it has, but for what it makes itself, and have it executed."""
        cls: type[Actor] = getattr(self.module, entry["class"])
        actor = cls.__new__(cls)
        actor.name = entry["name"]
        actor.params = dict(entry["params"])
        if self._trust is not None:
            actor._trust = self._trust  # noqa: SLF001 - how it is done is nothing for actors
            if actor.name in self._launch["provisioned"]:
                sealed = bytes.fromhex(self._launch["provisioned"][actor.name])
                actor.provisioned = self._trust.power("provisioning").open(actor.name, sealed)
        links = []
        for attribute, declared in cls.__eactors__.connectors.items():
            for name, each in entry["connectors"].items():
                if name.partition(".")[0] == attribute:
                    connector = self._connector(actor, name, declared, place, each)
                    live = declared.live(connector, actor)
                    if name == attribute:
                        setattr(actor, attribute, live)
                    else:
                        vars(actor).setdefault(attribute, {})[each["peer"]] = live
                    links.append((connector, *declared.handlers(cls, live)))
        if self._pools is not None:
            self._pools.give(actor)
        body = getattr(cls, "body", None)
        worker.add(actor, body if self._stores is None else self._stores.give(actor, body, links), links)
        return actor

    def _connector(
        self, actor: Actor, attribute: str, declared: Connector, place: dict[str, Any], entry: dict[str, Any]
    ) -> _native.Connector:
        connector = _native.Connector(
            actor, entry["peer"], entry["message_size"], *declared.codec(), attribute=attribute
        )
        peer_bell = self._launch["bells"][entry["peer"]]
        if "private" in entry:
            channel = self.channels[entry["private"]]
            bells = place["bell"], peer_bell
            _native.attach_private(connector, self._region, channel, entry["side"], *bells)
            return connector
        where = self._launch["channels"][str(entry["channel"])]
        end = (
            self._region,
            *(where["pool"], where["shared"], tuple(where["mboxes"])),
            *(entry["capacity"], entry["payload"], entry["side"]),
            *(peer_bell, *place["participant"]),
        )

        def attach(opens: bool) -> None:  # noqa: FBT001 - what C calls
            if "cipher" not in entry:
                _native.attach_plain(connector, end, declared.copy)
                return
            assert self._trust is not None
            exchange = self._trust.power("exchanges").exchange(entry) if opens else None
            _native.attach_sealed(connector, end, entry["channel"], entry["cipher"], exchange)

        attach(where.get("epoch", 1) % 2 == 1)
        if "reopens" in entry:
            from eactors.enclave.reopening import reopen  # noqa: PLC0415 - few enclaves have such peers

            bell = self._launch["host"]["bell"]
            reopen(connector, declared, type(actor), entry, where, self._region, bell, attach)
        return connector
