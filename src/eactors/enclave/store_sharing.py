"""How enclaves of different signers come to one key of a store: one has it, and gives it to the others.

They have no sealing key in common, so it goes over a channel: encrypted, attested by both ends, and
in the manifest like any other, only that no actor has it. Who gets the key needs it before any
actor is constructed, so it runs a worker for this alone. Who gives it does so in its first
worker's turns, whenever the other asks; most often nobody does, having sealed it in an earlier run.
"""

from __future__ import annotations

import time

from eactors import _native
from eactors.attestation.exchange import make_exchange
from eactors.store.errors import StoreKeyMissing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from eactors.enclave.trust import Trust

_PATIENCE = 30.0
_LOOK = 0.1


class _Over(Exception):  # noqa: N818 - it leaves the worker
    pass


class Sharing:
    """The channels for keys of one enclave.

    Args:
        launch: What the launcher said at the start.
        region: The shared memory.
        trust: Who the others are.
    """

    def __init__(self, launch: dict[str, Any], region: _native.Region, trust: Trust) -> None:
        self._launch, self._region, self._trust = launch, region, trust

    def ask(self, store: str, channel: dict[str, Any]) -> bytes:
        """The key of a store, from the enclave that has it.

        Raises:
            StoreKeyMissing: It has not come.
            ChannelBroken: Who answered is not that enclave, or was tampered with.
        """
        deadline = time.monotonic() + _PATIENCE
        answers: list[bytes] = []

        def take(actor: _native.Actor, cargo: _native.Cargo) -> None:
            answers.append(cargo.data)
            actor.stop()

        def look(_: object) -> float:
            if time.monotonic() > deadline:
                raise StoreKeyMissing(
                    f"{channel['peer']} has not given the key of store {store!r} for {_PATIENCE:.0f} s",
                    hint="it gives it once its own actors are constructed; see whether it has started",
                )
            return _LOOK

        def report(_: str, __: object, detail: object) -> NoReturn:
            raise detail if isinstance(detail, BaseException) else _Over

        worker = self._worker(report)
        actor = _actor(store)
        worker.add(actor, look, [(self._connector(actor, channel), take, None)])
        try:
            worker.run()
        except _Over:
            return answers[0]
        raise StoreKeyMissing(f"the application ended before the key of store {store!r} had come")

    def give(self, worker: _native.Worker, store: str, channels: list[dict[str, Any]], key: bytes) -> None:
        """Have a worker give the key of a store to whoever asks for it."""
        actor = _actor(store)
        connectors = [self._connector(actor, channel) for channel in channels]
        worker.add(actor, None, [(connector, None, None) for connector in connectors])

        def send() -> None:
            for connector in connectors:
                connector.send(key)

        worker.construct(actor, send)

    def _worker(self, report: Any) -> _native.Worker:
        place = self._launch["workers"][0]
        return _native.Worker(
            region=self._region,
            participant=place["participant"][0],
            participant_id=place["participant"][1],
            bell=place["bell"],
            policy=0,
            futex=self._launch["futex"],
            crowded=place["crowded"],
            alone=True,
            report=report,
        )

    def _connector(self, actor: _native.Actor, channel: dict[str, Any]) -> _native.Connector:
        connector = _native.Connector(actor, channel["peer"], channel["message_size"])
        where, place = self._launch["channels"][str(channel["channel"])], self._launch["workers"][0]
        end = (
            self._region,
            *(where["pool"], where["shared"], tuple(where["mboxes"])),
            *(channel["capacity"], channel["payload"], channel["side"]),
            *(self._launch["bells"][channel["peer"]], *place["participant"]),
        )
        exchange = make_exchange(channel, self._trust.manifest, self._trust.own, self._trust.platform)
        _native.attach_sealed(connector, end, channel["channel"], channel["cipher"], exchange)
        return connector


def _actor(store: str) -> _native.Actor:
    actor = _native.Actor()
    actor.name = f"key of store {store}"
    return actor
