"""The pools and mboxes of an enclave: those in shared memory, and those of its own."""

from __future__ import annotations

from eactors import _native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from eactors.actor import Actor
    from eactors.private import PrivateMbox, PrivatePool


class Pools:
    """Makes them, and gives each actor what its class declares.

    Args:
        plan: The enclave's plan.
        launch: What the launcher said at the start.
        region: The shared memory.
    """

    def __init__(self, plan: dict[str, Any], launch: dict[str, Any], region: _native.Region) -> None:
        self._launch = launch
        self._region = region
        self._pools = {
            name: self._pool(entry, launch["pools"][name]) for name, entry in plan["pools"].items()
        }
        self._mboxes = {
            name: self._mbox(name, pool, plan["pools"][pool]) for name, pool in plan["mboxes"].items()
        }

    def give(self, actor: Actor) -> None:
        """Set the attributes of an actor that are pools and mboxes."""
        declared = type(actor).__eactors__
        for attribute, pool in declared.pools.items():
            setattr(actor, attribute, self._pools[pool.name])
        for attribute, mbox in declared.mboxes.items():
            setattr(actor, attribute, self._mboxes[mbox.name])

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
