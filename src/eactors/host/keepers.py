"""Keepers: the host's part in the stores of a run.

Each public or persistent store is a file: made or opened before anything starts, grown and synced
when somebody asks or it is time, and closed at the end. What is in it the host only keeps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eactors._store import Keeper
from eactors.deployment.sizes import STORE_BLOCK, size_words
from eactors.host.errors import LaunchError
from eactors.host.store_file import boot_id
from eactors.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from eactors import _native
    from eactors.deployment.plan import PlannedStore
    from eactors.host.deployed import Deployed
    from eactors.host.layout import Layout
    from eactors.host.workspace import Workspace


class Keepers:
    """Keeps the stores of one run.

    Args:
        deployed: What there is.
        layout: Of the region.
        region: The shared memory.
        workspace: Where public stores may be.

    Attributes:
        warnings: What people should know of the stores.

    Raises:
        LaunchError: A store's file is not what the deployment says, or cannot be used.
    """

    def __init__(
        self, deployed: Deployed, layout: Layout, region: _native.Region, workspace: Workspace
    ) -> None:
        self._deployed, self._layout, self._region = deployed, layout, region
        self.warnings: list[str] = []
        self._keepers: dict[str, Keeper] = {}
        self._paths: dict[str, str] = {}
        self._troubles: set[str] = set()
        try:
            for number, store in enumerate(deployed.stores):
                if store.kind != "private":
                    self._paths[store.name] = store.file or f"{workspace.region}-store-{number}"
                    self._keepers[store.name] = self._open(store)
        except BaseException:
            self.close()
            raise

    def _open(self, store: PlannedStore) -> Keeper:
        path = self._paths[store.name]
        boot = boot_id() if store.file is not None else b""
        wanted = int(store.encryption != "none")
        try:
            keeper = Keeper(path, store.limit, boot, encryption=wanted, detects=store.detects)
        except StoreError as error:
            raise LaunchError(f"store {store.name!r}: {error}", hint=error.hint) from error
        except OSError as error:
            hint = "see to it that the folder is there, may be written to, and has room"
            raise self._refusal(store, error.strerror or str(error), hint) from error
        problem = _difference(store, keeper)
        if problem is not None:
            keeper.close()
            raise self._refusal(store, *problem)
        if keeper.fell_back:
            self.warnings.append(
                f"store {store.name!r} is as it was at its last sync: the machine went off before the next"
            )
        return keeper

    def _refusal(self, store: PlannedStore, what: str, hint: str | None) -> LaunchError:
        return LaunchError(f"store {store.name!r}: {self._paths[store.name]}: {what}", hint=hint)

    def launch_of(self, enclave: int) -> dict[str, Any]:
        """What an enclave is told of its stores at its start: their files, and its number as a user."""
        names = {store.name for store in self._used_by(enclave)}
        return {
            "owner": self._owner(enclave),
            "stores": {
                name: {"path": self._paths[name], "limit": keeper.limit}
                for name, keeper in self._keepers.items()
                if name in names
            },
        }

    def take(self, event: dict[str, Any]) -> None:
        """Do what an enclave has asked for."""
        name, keeper = event["store"], self._keepers[event["store"]]
        if event["event"] == "store-key":
            self._keep_key(keeper, int(event["id"]), *map(bytes.fromhex, (event["owner"], event["sealed"])))
            return
        try:
            if event["wish"] == "sync":
                keeper.sync()
            else:
                keeper.grow()
        except (OSError, StoreError) as error:
            self._trouble(name, error)
        enclave = int(event["enclave"])
        self._region.ring(*{each.bell for each in self._layout.contexts if each.enclave == enclave})

    def tend(self) -> None:
        """Make room before it is needed."""
        for name, keeper in self._keepers.items():
            if name not in self._troubles and keeper.wants_room():
                try:
                    keeper.grow()
                except (OSError, StoreError) as error:
                    self._trouble(name, error)

    def mourn(self, enclave: int) -> None:
        """An enclave has ended: take back what it held, and tell what it may have left untold."""
        for store in self._used_by(enclave):
            if store.name in self._keepers:
                try:
                    self._keepers[store.name].mourn(self._owner(enclave))
                except StoreError as error:
                    self._trouble(store.name, error)
                self._region.ring(*{self._layout.context_of(name).bell for name in store.watchers})

    def close(self) -> None:
        """Sync and close all of them."""
        for name, keeper in self._keepers.items():
            try:
                keeper.close()
            except (OSError, StoreError) as error:
                self._trouble(name, error)
        self._keepers.clear()

    def _used_by(self, enclave: int) -> Iterator[PlannedStore]:
        own = {actor for actor, home in self._deployed.actors.items() if home == enclave}
        return (store for store in self._deployed.stores if own & set(store.users))

    def _owner(self, enclave: int) -> int:
        """Its number among the users of stores: 0 is nobody's."""
        return 1 + sorted(self._deployed.server.enclaves).index(enclave)

    @staticmethod
    def _keep_key(keeper: Keeper, number: int, owner: bytes, sealed: bytes) -> None:
        """Put a sealed key into a free slot, unless that owner has one: who comes second uses the first's."""
        slots = keeper.keys()
        if all(slot is None or slot[:2] != (number, owner) for slot in slots):
            keeper.set_key(slots.index(None), number, owner, sealed)

    def _trouble(self, name: str, error: OSError | StoreError) -> None:
        if name not in self._troubles:
            self._troubles.add(name)
            words = getattr(error, "strerror", None) or str(error)
            self.warnings.append(f"store {name!r}: {self._paths[name]}: {words}")


def _difference(store: PlannedStore, keeper: Keeper) -> tuple[str, str] | None:
    """In what a file is not what the deployment says, and what to do about it."""
    if keeper.encryption != int(store.encryption != "none"):
        says = "the file is encrypted, and the deployment says that it is not"
        return (
            says if keeper.encryption else "the file is not encrypted, and the deployment says that it is",
            "change encryption= of its <store>, or give it another file",
        )
    if keeper.detects != store.detects:
        return (
            f'the file was made {"with" if keeper.detects else "without"} rollback="detect"',
            "change rollback= of its <store>, or give it another file",
        )
    if keeper.limit > store.limit:
        sizes = size_words(keeper.limit * STORE_BLOCK), size_words(store.limit * STORE_BLOCK)
        return (
            f"the file may grow to {sizes[0]} already, and the deployment says {sizes[1]}",
            "a store does not shrink: give its <store> that size=, or another file",
        )
    return None
