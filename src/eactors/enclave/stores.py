"""The stores of an enclave: opened before it is sealed, and looked after in its actors' turns."""

from __future__ import annotations

from functools import partial

from eactors import _store
from eactors.enclave.failure import describe
from eactors.errors import EActorsError
from eactors.store.errors import StoreError
from eactors.store.live import LiveStore
from eactors.store.values import Values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

    from eactors import _native
    from eactors.actor import Actor
    from eactors.answer import Answer
    from eactors.enclave.entry import Enclave
    from eactors.enclave.store_counters import StoreCounter
    from eactors.enclave.store_keys import StoreKey
    from eactors.enclave.trust import Trust
    from eactors.store.syncing import Syncs
    from eactors.store.watching import Watch

    Body = Callable[[Any], object]

_FOREVER = float("inf")
_WATCHFUL = 1.0


class Stores:
    """Opens them, and gives each actor what its class declares.

    Args:
        enclave: With its plan, what the launcher said at the start, and whom to tell.
        trust: Where keys come from; None on the untrusted side.
        worker: Who gives keys to other enclaves, if this one has some to give.
    """

    def __init__(self, enclave: Enclave, trust: Trust | None, worker: _native.Worker) -> None:
        self._plan, self._launch, self._region = enclave.plan["stores"], enclave.launch, enclave.region
        self._trust, self._worker, self._tell = trust, worker, enclave.link.event
        self._syncs: dict[str, Syncs] = {}
        self._keys: dict[str, StoreKey] = {}
        self._counters: dict[str, StoreCounter] = {}
        self._stores = {name: self._open(name, entry) for name, entry in self._plan.items()}
        if any(entry["watched_here"] for entry in self._plan.values()):
            # Now, though who watches may be started later: a sealed enclave loads no code.
            from eactors.store.watching import Watch  # noqa: PLC0415 - few actors watch

            self._watch = Watch

    def _open(self, name: str, entry: dict[str, Any]) -> _store.Store:
        open_it = partial(_store.Store, owner=self._launch["owner"], title=f"store {name!r}")
        if entry["kind"] == "private":
            return open_it(None, entry["limit"])
        path, limit = (self._launch["stores"][name][what] for what in ("path", "limit"))
        from eactors.store.waiting import Waiting  # noqa: PLC0415 - a private store asks nobody for room

        wait = Waiting(name, lambda wish: self._tell("store", store=name, wish=wish))
        keys = id_ = None
        if entry["key"] is not None:
            key = self._keys[name] = self._key(name, entry, path)
            keys, id_ = key.fetch, key.id
        detects, sync = entry["detects"], partial(wait.ask, "sync")
        wait.store = store = open_it(path, limit, keys=keys, id=id_, detects=detects, wait=wait)
        if name in self._keys:
            self._keys[name].head = store.head
        if detects:
            assert self._trust is not None
            counters, policy = self._trust.power("store_counters"), entry["key"]
            secret = self._keys[name].fetch(store.key_number) if policy == "shared" else b""
            self._counters[name] = counters.open(name, store, policy, secret, sync)
        if entry["kind"] == "persistent":
            from eactors.store.syncing import Syncs  # noqa: PLC0415 - the others are on no disk

            self._syncs[name] = Syncs(name, store, sync, self._counters.get(name))
        return store

    def close(self) -> bool:
        """The actors have had their last turns: protect what they have left; False: it is not what it was."""
        try:
            for counter in self._counters.values():
                counter.close()
        except EActorsError as error:
            self._tell("failed", actor=None, error=describe(error))
            return False
        return True

    def _rotate(self, name: str) -> None:
        """Another key for a store; the host forgets the old one once the disk has all under the new one."""
        if name not in self._keys or self._plan[name]["key"] == "shared":
            raise _no_other_key(name, shared=name in self._keys)
        store = self._stores[name]
        number = store.key_number + 1
        store.rotate(number, self._keys[name].renew(number))
        self._tell("store", store=name, wish="sync")

    def _key(self, name: str, entry: dict[str, Any], path: str) -> StoreKey:
        assert self._trust is not None
        ask, channels = None, entry["key_channels"]
        if channels:
            from eactors.enclave.store_sharing import Sharing  # noqa: PLC0415 - most keys are sealed only

            sharing = Sharing(self._launch, self._region, self._trust)
            if channels[0]["side"] == 1:
                ask = partial(sharing.ask, name, channels[0])
        key: StoreKey = self._trust.power("store_keys").open(name, entry, path, self._tell, ask)
        if channels and ask is None:
            sharing.give(self._worker, name, channels, key.fetch(0))
        return key

    def give(self, actor: Actor, body: Body | None, links: list[_native.Attached]) -> Body | None:
        """Set the attributes of an actor that are stores; what its worker is to call as its body.

        Args:
            actor: The actor.
            body: Its own; None: it has none.
            links: Its connectors, with their handlers; for an actor without a body of its own
                those without get one, for nobody else takes what comes there.
        """
        watches: list[Watch] = []
        syncs: list[Syncs] = []
        counters: list[StoreCounter] = []
        for attribute, declared in type(actor).__eactors__.stores.items():
            name, values = declared.name, Values(declared)
            store = self._stores[name]
            bells = sorted({self._launch["bells"][each] for each in self._plan[name]["watchers"]})
            changed = partial(self._region.ring, *bells) if bells else _nobody
            sync: Callable[[], Answer[int]] = partial(_refuse_sync, name, self._plan[name]["kind"])
            if name in self._syncs:
                sync = self._syncs[name].sync
                syncs.append(self._syncs[name])
            if name in self._counters:
                counters.append(self._counters[name])
            setattr(actor, attribute, LiveStore(store, values, changed, sync, partial(self._rotate, name)))
            if declared.watches:
                handlers = [(prefix, getattr(type(actor), name)) for prefix, name in declared.watches]
                watches.append(self._watch(actor, store, values, handlers))
        if not watches and not syncs and not counters:
            return body
        if body is None:
            links[:] = [(end, handler or _nobody, lost) for end, handler, lost in links]
        return _turn(body, watches, syncs, counters)


def _turn(body: Body | None, watches: list[Watch], syncs: list[Syncs], counters: list[StoreCounter]) -> Body:
    """A body that looks after stores first."""

    def turn(actor: Actor) -> object:
        more = unprotected = False
        for counter in counters:
            unprotected |= counter.tend()
        for watch in watches:
            more |= watch.look()
        for sync in syncs:
            if sync.are_open:
                sync.look()
        if body is not None and not actor.stopped:
            answer = body(actor)
            if unprotected and type(answer) is float:
                answer = min(answer, _WATCHFUL)
            return True if more else answer
        wakes = unprotected or watches or any(sync.are_open for sync in syncs)
        return more or (_WATCHFUL if wakes else _FOREVER)

    return turn


def _nobody(*_: object) -> None:
    """Nobody is interested."""


def _no_other_key(name: str, *, shared: bool) -> StoreError:
    if shared:
        return StoreError(
            f"the key of store {name!r} is shared by several signers, and stays what it is",
            hint="copy what is in it to another store, whose key is a new one",
        )
    return StoreError(
        f"store {name!r} is not encrypted, so it has no key",
        hint=f'encrypt it: <store name="{name}" encryption="aes-gcm"/>, with another file',
    )


def _refuse_sync(name: str, kind: str) -> NoReturn:
    raise StoreError(
        f"store {name!r} is {kind}, and on no disk to be synced with",
        hint=f'make it persistent: <store name="{name}" kind="persistent" file="..."/>',
    )
