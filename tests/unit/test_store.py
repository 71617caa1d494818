"""A store as an actor finds it: a mapping, atomic operations, transactions, typed values, watches."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import pytest

from eactors import _store
from eactors.answer import Answer
from eactors.errors import SourceError
from eactors.store import LiveStore, Store, StoreFull, StoreTooLarge, TransactionConflict, WrongType
from eactors.store.values import Values
from eactors.store.watching import Watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from eactors.actor import Actor


class Account(msgspec.Struct):
    """A typed value."""

    owner: str
    cents: int = 0


class World(NamedTuple):
    """A private store, and another actor's view of it."""

    native: _store.Store
    changes: list[None]
    rotations: list[None]

    def view(self, declared: Store) -> LiveStore:
        """The store as an actor's class declares it."""
        changed, rotate = (partial(told.append, None) for told in (self.changes, self.rotations))
        return LiveStore(self.native, Values(declared), changed, Answer, rotate)


@pytest.fixture
def world() -> World:
    """An empty store."""
    return World(_store.Store(None, 4096, title="store 'accounts'"), [], [])


@pytest.fixture
def accounts(world: World) -> LiveStore:
    """A store of bytes."""
    return world.view(Store("accounts"))


@pytest.fixture
def typed(world: World) -> LiveStore:
    """The same, of typed values."""
    return world.view(Store("accounts", value=Account))


def test_it_is_a_mapping(accounts: LiveStore) -> None:
    """All that Python programmers know of dictionaries works."""
    accounts[b"alice"] = b"100"
    accounts.update({b"bob": b"50", b"carol": b"0"})
    assert accounts[b"alice"] == b"100"
    assert (len(accounts), sorted(accounts)) == (3, [b"alice", b"bob", b"carol"])
    assert sorted(accounts.items()) == [(b"alice", b"100"), (b"bob", b"50"), (b"carol", b"0")]
    assert sorted(accounts.values()) == [b"0", b"100", b"50"]
    assert b"bob" in accounts
    assert accounts.pop(b"bob") == b"50"
    assert accounts.pop(b"bob", None) is None
    assert accounts.setdefault(b"alice", b"1") == b"100"
    assert accounts.setdefault(b"dave", b"1") == b"1"
    del accounts[b"dave"]
    accounts.clear()
    assert dict(accounts) == {}


@pytest.mark.parametrize(
    "lookup",
    [lambda store: store[b"x"], lambda store: store.pop(b"x"), lambda store: store.__delitem__(b"x")],
)
def test_what_is_not_there(accounts: LiveStore, lookup: Callable[[LiveStore], object]) -> None:
    """As in a dictionary."""
    with pytest.raises(KeyError, match="x"):
        lookup(accounts)
    assert (accounts.get(b"x"), accounts.get(b"x", b"0"), accounts.delete(b"x")) == (None, b"0", False)


def test_atomic_operations(accounts: LiveStore) -> None:
    """Each decides and writes at once; None is absent."""
    assert accounts.put_if_absent(b"a", b"1")
    assert not accounts.put_if_absent(b"a", b"2")
    assert accounts.compare_and_set(b"a", b"1", b"2")
    assert not accounts.compare_and_set(b"a", b"1", b"3")
    assert accounts.compare_and_set(b"b", None, b"1")
    assert accounts.compare_and_set(b"a", b"2", None)
    assert dict(accounts) == {b"b": b"1"}


def test_what_has_no_file_is_not_called_durable(accounts: LiveStore) -> None:
    """Of a store in memory there is no version that is on the disk."""
    accounts[b"alice"] = b"100"
    assert set(accounts.statistics()) == {
        *("keys", "version", "record_blocks", "branch_blocks", "fresh", "usable", "limit", "pins"),
    }


def test_counters(accounts: LiveStore) -> None:
    """They begin at 0, and what is no counter is not made one."""
    assert accounts.counter(b"n") == 0
    assert (accounts.add(b"n"), accounts.add(b"n", -3), accounts.counter(b"n")) == (1, -2, -2)
    accounts[b"x"] = b"abc"
    for wrong in (accounts.add, accounts.counter):
        with pytest.raises(
            WrongType, match="store 'accounts', key b'x': what is there has 3 bytes and is no"
        ):
            wrong(b"x")


def test_what_does_not_fit_is_named(accounts: LiveStore) -> None:
    """By the limit that it breaks, and by the store that is full."""
    for key, value in ((bytes(1025), b""), (b"", bytes((1 << 24) + 1))):
        with pytest.raises(StoreTooLarge, match=r"at most \d+ bytes") as info:
            accounts[key] = value
        assert info.value.hint
    with pytest.raises(StoreFull, match=r"^store 'accounts' is full: all of its 4096 blocks") as full:
        accounts[b""] = bytes(1 << 20)
    assert full.value.hint
    assert dict(accounts) == {}


def test_a_snapshot_stays_as_it_was(accounts: LiveStore) -> None:
    """Whatever is written meanwhile; and so does an iteration that has begun."""
    accounts.update({b"a1": b"1", b"a2": b"2", b"b": b"3"})
    with accounts.snapshot() as snapshot:
        iteration = accounts.scan(b"a")
        first = next(iteration)
        accounts.update({b"a1": b"9", b"a2": b"9", b"a3": b"9"})
        assert sorted([first, *iteration]) == [(b"a1", b"1"), (b"a2", b"2")]
        assert sorted(snapshot.scan(b"a")) == [(b"a1", b"1"), (b"a2", b"2")]
        assert (len(snapshot), snapshot[b"a1"], snapshot.get(b"a3")) == (3, b"1", None)
        assert snapshot.version < accounts.version
    assert dict(accounts.scan(b"a")) == {b"a1": b"9", b"a2": b"9", b"a3": b"9"}


def test_a_transaction_is_all_or_nothing(accounts: LiveStore) -> None:
    """It sees its own writes, others see them all at once, and none after an exception."""
    accounts.update({b"a": b"1", b"b": b"2"})
    with accounts.transaction() as t:
        t[b"a"], t[b"c"] = b"9", b"3"
        del t[b"b"]
        assert (t[b"a"], t.get(b"b"), b"c" in t) == (b"9", None, True)
        assert (t.add(b"n", 5), t.counter(b"n")) == (5, 5)
        assert dict(accounts) == {b"a": b"1", b"b": b"2"}
    assert (accounts[b"a"], accounts.get(b"b"), accounts[b"c"], accounts.counter(b"n")) == (
        b"9",
        None,
        b"3",
        5,
    )
    version = accounts.version
    with pytest.raises(ZeroDivisionError):
        _fail(accounts)
    assert (accounts[b"a"], accounts.version) == (b"9", version)


def _fail(accounts: LiveStore) -> None:
    with accounts.transaction() as t:
        t[b"a"] = b"0"
        raise ZeroDivisionError


def test_a_conflict_names_the_key(accounts: LiveStore) -> None:
    """Nothing was written, and the way out is said."""
    accounts.update({b"a": b"1", b"b": b"2"})
    with pytest.raises(TransactionConflict) as caught:
        _lose(accounts)
    assert caught.value.message == (
        "store 'accounts': a transaction was not written: b'a', which it had read, has changed since"
    )
    assert caught.value.hint == "do all of it again, best by transact(function), which does so by itself"
    assert accounts[b"b"] == b"2"


def _lose(accounts: LiveStore) -> None:
    with accounts.transaction() as t:
        t[b"b"] = t[b"a"] + t[b"b"]
        accounts[b"a"] = b"9"


def test_writes_alone_never_conflict(accounts: LiveStore) -> None:
    """What was not read may change."""
    with accounts.transaction() as t:
        t[b"a"] = b"1"
        accounts[b"a"] = b"2"
    assert accounts[b"a"] == b"1"


def test_transact_does_it_again(accounts: LiveStore) -> None:
    """Until nobody has come between."""
    accounts[b"a"] = b"1"
    seen: list[bytes] = []

    def double(t: Any) -> bytes:
        seen.append(t[b"a"])
        if len(seen) == 1:
            accounts[b"a"] = b"5"
        t[b"a"] = t[b"a"] * 2
        return b"done"

    assert accounts.transact(double) == b"done"
    assert (seen, accounts[b"a"]) == ([b"1", b"5"], b"55")


def test_a_transaction_is_used_inside_its_with(accounts: LiveStore) -> None:
    """Neither before nor after."""
    with accounts.transaction() as t:
        pass
    for use in (lambda: t.get(b"a"), lambda: t.put(b"a", b"1"), lambda: accounts.transaction().get(b"a")):
        with pytest.raises(ValueError, match="store 'accounts' is used inside its `with` only"):
            use()


def test_typed_values(typed: LiveStore) -> None:
    """Structs go in, and come out, wherever there are values."""
    typed[b"a"] = Account("alice", 5)
    assert (typed[b"a"], typed.get(b"b")) == (Account("alice", 5), None)
    assert typed.compare_and_set(b"a", Account("alice", 5), Account("alice", 6))
    assert list(typed.items()) == [(b"a", Account("alice", 6))]
    with typed.transaction() as t:
        t[b"b"] = t[b"a"]
    with typed.snapshot() as snapshot:
        assert snapshot[b"b"] == Account("alice", 6)


WRONG = {
    "no struct": (lambda store: store.put(b"a", b"1"), "store 'accounts', key b'a': bytes is not a Account"),
    "no key": (
        lambda store: store.put("a", Account("x")),
        "store 'accounts': a key is bytes, and 'a' is str",
    ),
    "looking for no key": (lambda store: store["a"], "store 'accounts': a key is bytes, and 'a' is str"),
    "deleting no key": (lambda store: store.delete("a"), "store 'accounts': a key is bytes, and 'a' is str"),
    "a counter": (lambda store: store.add(b"a"), "store 'accounts' has values of Account, and no counters"),
}


@pytest.mark.parametrize(("use", "message"), WRONG.values(), ids=WRONG)
def test_wrong_types(typed: LiveStore, use: Callable[[Any], object], message: str) -> None:
    """A TypeError that names the store and the key, and says what to do; nothing is written."""
    with pytest.raises(TypeError) as caught:
        use(typed)
    assert isinstance(caught.value, WrongType)
    assert caught.value.message == message
    assert caught.value.hint is not None
    assert len(typed) == 0


def test_what_is_inside_a_value_is_looked_at_before_it_is_put(typed: LiveStore) -> None:
    """What could not be read again would be in the way of everyone who looks at all values."""
    with pytest.raises(WrongType, match=r"key b'a': Expected `int`, got `str` - at `\$.cents`") as info:
        typed[b"a"] = Account("Ann", "many")  # type: ignore[arg-type]
    assert info.value.hint == "it is declared with value=Account"
    assert dict(typed) == {}


def test_text_is_no_bytes(accounts: LiveStore) -> None:
    """Said with the two ways out."""
    with pytest.raises(WrongType, match="key b'a': a value is bytes, and this is str") as caught:
        accounts[b"a"] = "1"
    assert caught.value.hint == "encode it, or declare the type of all values: Store(..., value=...)"


def test_what_others_have_written(accounts: LiveStore, typed: LiveStore) -> None:
    """A value of another type is told from the right one when it is read."""
    accounts[b"a"] = b"no struct"
    with pytest.raises(WrongType, match="store 'accounts', key b'a': what is there is no Account"):
        typed.get(b"a")


def test_who_watches_is_told_of_every_change(world: World, accounts: LiveStore) -> None:
    """Whoever writes by whatever operation; and not when nothing was written."""
    accounts[b"a"] = b"1"
    accounts.add(b"n")
    accounts.update({b"b": b"2"})
    assert accounts.put_if_absent(b"c", b"3")
    assert accounts.delete(b"c")
    with accounts.transaction() as t:
        t[b"d"] = b"4"
    assert len(world.changes) == 6
    accounts.delete(b"c")
    accounts.put_if_absent(b"a", b"3")
    with accounts.transaction() as t:
        t.get(b"a")
    assert len(world.changes) == 6


class Watcher:
    """As much of an actor as a watch needs."""

    def __init__(self) -> None:
        self.stopped = False
        self.told: list[tuple[bytes, Any, Any]] = []

    def changed(self, key: bytes, old: Any, new: Any) -> None:
        """Take it down."""
        self.told.append((key, old, new))


def watch(world: World, watcher: Watcher, declared: Store, *prefixes: bytes) -> Watch:
    """What looks for a watcher."""
    handlers = [(prefix, type(watcher).changed) for prefix in prefixes]
    actor: Actor = watcher  # type: ignore[assignment]
    return Watch(actor, world.native, Values(declared), handlers)


def test_a_watch_tells_what_is_different(world: World, typed: LiveStore) -> None:
    """From when it began; of the keys with its prefix; skipping what lay between."""
    typed[b"a1"] = Account("x", 1)
    watcher = Watcher()
    looks = watch(world, watcher, Store("accounts", value=Account), b"a")
    assert not looks.look()
    assert watcher.told == []
    for cents in (2, 3):
        typed[b"a1"] = Account("x", cents)
    typed[b"a2"] = Account("y")
    typed[b"b"] = Account("z")
    assert not looks.look()
    assert sorted(watcher.told, key=lambda one: one[0]) == [
        (b"a1", Account("x", 1), Account("x", 3)),
        (b"a2", None, Account("y", 0)),
    ]
    del watcher.told[:], typed[b"a2"]
    assert not looks.look()
    assert watcher.told == [(b"a2", Account("y", 0), None)]


def test_a_watch_tells_much_in_several_turns(world: World, accounts: LiveStore) -> None:
    """So that no actor starves another; what changes meanwhile comes after."""
    watcher = Watcher()
    looks = watch(world, watcher, Store("accounts"), b"")
    accounts.update({b"%d" % number: b"" for number in range(150)})
    assert looks.look()
    accounts[b"0"] = b"again"
    assert len(watcher.told) == 64
    while looks.look():
        pass
    assert len(watcher.told) == 150
    assert not looks.look()
    assert watcher.told[150:] == [(b"0", b"", b"again")]


def test_a_stopped_watcher_is_told_nothing_more(world: World, accounts: LiveStore) -> None:
    """As no message is handed to a stopped actor."""
    watcher = Watcher()
    looks = watch(world, watcher, Store("accounts"), b"")
    accounts.update({b"a": b"1", b"b": b"2"})
    watcher.stopped = True
    assert not looks.look()
    assert watcher.told == []


def test_another_key_is_a_change(world: World, accounts: LiveStore) -> None:
    """The others look, and find the values that they know."""
    accounts.rotate()
    assert (len(world.rotations), len(world.changes)) == (1, 1)


def test_a_prefix_is_bytes() -> None:
    """Said where it is declared."""
    with pytest.raises(SourceError, match="needs a prefix of bytes, not 'a'"):
        Store("accounts").on_change("a")  # type: ignore[arg-type]
