"""A store does what a dictionary does, and a reader that shares no code with it finds the same in its file.

Plain, encrypted, and with authenticated branches; its snapshots stay as they are while the store goes on.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.conftest import SHARED_MEMORY
from tests.store_reader import StoreReader

from eactors._store import Keeper, Snapshot, Store
from eactors.store.differences import differences
from eactors.store.errors import StoreFull

if TYPE_CHECKING:
    from eactors._store import Wanted

BOOT = b"one boot id of 16"[:16]
KEY = bytes(range(32))
LIMIT = 20_000
MOST_KEPT = 60
KEYS = st.binary(max_size=2) | st.integers(0, 300).map(lambda n: b"key %d" % n) | st.just(b"k" * 1024)
VALUES = st.binary(max_size=40) | st.integers(200, 1200).map(lambda size: b"v" * size)
CHANGES = st.dictionaries(KEYS, VALUES | st.none(), max_size=40)
WHICH = st.integers(0, 63)


def has_kept(machine: Machine) -> bool:
    """Whether there are snapshots."""
    return bool(machine.kept)


class Machine(RuleBasedStateMachine):
    """One store in a file, and what it has to hold."""

    encryption = 0
    detects = False

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir=SHARED_MEMORY))
        self.path = self.folder / "model.store"
        self.model: dict[bytes, bytes] = {}
        self.keys = [KEY]
        self.kept: list[tuple[Snapshot, dict[bytes, bytes]]] = []

    @initialize()
    def open(self) -> None:
        """Make it, or open it again."""
        self.keeper = Keeper(str(self.path), LIMIT, BOOT, encryption=self.encryption, detects=self.detects)
        self.store = Store(
            str(self.path),
            LIMIT,
            keys=self.keys.__getitem__ if self.encryption else None,
            id=self.keeper.id,
            detects=self.detects,
            wait=self.provide,
        )

    def provide(self, wanted: Wanted) -> None:
        """Do what the keeper is for."""
        if wanted == "sync":
            self.keeper.sync()
        else:
            assert self.keeper.grow()

    @rule(key=KEYS, value=VALUES)
    def put(self, key: bytes, value: bytes) -> None:
        """A new key, or a new value."""
        self.store.put(key, value)
        self.model[key] = value

    @rule(key=KEYS)
    def delete(self, key: bytes) -> None:
        """Of a key that is there, or is not."""
        assert self.store.delete(key) == (self.model.pop(key, None) is not None)

    @rule(key=KEYS, right=st.booleans(), expected=VALUES | st.none(), value=VALUES | st.none())
    def replace(self, key: bytes, right: bool, expected: bytes | None, value: bytes | None) -> None:  # noqa: FBT001
        """With what is there, or with anything; to put, to change, to delete."""
        now = self.model.get(key)
        expected = now if right else expected
        assert self.store.replace(key, expected, value) == (expected == now)
        if expected == now:
            self.set(key, value)

    def set(self, key: bytes, value: bytes | None) -> None:
        """Change the dictionary."""
        if value is None:
            self.model.pop(key, None)
        else:
            self.model[key] = value

    @rule(key=KEYS, amount=st.integers(-(1 << 63), (1 << 63) - 1))
    def add(self, key: bytes, amount: int) -> None:
        """To a counter, or to what is none."""
        now = self.model.get(key, bytes(8))
        total = int.from_bytes(now, "little", signed=True) + amount
        if len(now) != 8:
            with pytest.raises(ValueError, match="8 bytes"):
                self.store.add(key, amount)
        elif not -(1 << 63) <= total < 1 << 63:
            with pytest.raises(OverflowError):
                self.store.add(key, amount)
        else:
            assert self.store.add(key, amount) == total
            self.model[key] = total.to_bytes(8, "little", signed=True)

    @rule(changes=CHANGES)
    def commit(self, changes: dict[bytes, bytes | None]) -> None:
        """Many keys at once."""
        assert self.store.commit(None, [], list(changes.items()))
        for key, value in changes.items():
            self.set(key, value)

    @precondition(has_kept)
    @rule(which=WHICH, reads=st.lists(KEYS, max_size=5), changes=CHANGES)
    def commit_since(self, which: int, reads: list[bytes], changes: dict[bytes, bytes | None]) -> None:
        """A transaction, if what it has read is as it was.

        Whoever has written the same value again, or all of them under another key, has changed it, or has
        not: both are right.
        """
        snapshot, then = self.kept[which % len(self.kept)]
        same = all(then.get(key) == self.model.get(key) for key in reads)
        done = self.store.commit(snapshot, reads, list(changes.items()))
        assert same or not done
        if done:
            for key, value in changes.items():
                self.set(key, value)

    @rule(key=KEYS)
    def get(self, key: bytes) -> None:
        """What was put last."""
        assert self.store.get(key) == self.model.get(key)

    @precondition(lambda self: len(self.kept) < MOST_KEPT)
    @rule()
    def snapshot(self) -> None:
        """Keep this version."""
        self.kept.append((self.store.snapshot(), dict(self.model)))

    @precondition(has_kept)
    @rule(which=WHICH, key=KEYS, prefix=st.sampled_from([b"", b"k", b"key 1", b"\0"]))
    def look_back(self, which: int, key: bytes, prefix: bytes) -> None:
        """A snapshot is as it was."""
        snapshot, then = self.kept[which % len(self.kept)]
        assert len(snapshot) == len(then)
        assert snapshot.get(key) == then.get(key)
        found = list(snapshot.scan(prefix))
        assert len(found) == len(dict(found))
        assert dict(found) == {key: value for key, value in then.items() if key.startswith(prefix)}

    @precondition(has_kept)
    @rule(one=WHICH, other=WHICH, prefix=st.sampled_from([b"", b"key 2"]))
    def compare(self, one: int, other: int, prefix: bytes) -> None:
        """What has changed between two snapshots."""
        pairs = sorted((one % len(self.kept), other % len(self.kept)))
        (earlier, before), (later, after) = (self.kept[each] for each in pairs)
        found = {key: values for key, *values in differences(earlier, later, prefix)}
        keys = {key for key in before | after if key.startswith(prefix)}
        wanted = {key: [before.get(key), after.get(key)] for key in keys if before.get(key) != after.get(key)}
        assert found == wanted

    @precondition(has_kept)
    @rule(which=WHICH)
    def forget(self, which: int) -> None:
        """Its blocks may be used again."""
        snapshot, _ = self.kept.pop(which % len(self.kept))
        snapshot.close()

    @precondition(lambda self: self.encryption)
    @rule(seed=st.integers(0, 255))
    def rotate(self, seed: int) -> None:
        """All of it under another key, if there is room; which is no change of anything."""
        number = self.store.key_number + 1
        old = [pair for pair in self.kept if pair[0].key_number < number - 3]
        for pair in old:
            pair[0].close()
            self.kept.remove(pair)
        self.keys[number:] = [bytes([seed]) * 32]
        with contextlib.suppress(StoreFull):
            assert self.store.rotate(number, self.keys[number])
            assert self.store.key_number == number
        assert not self.store.rotate(number + 2, KEY)

    @rule()
    def sync(self) -> None:
        """What is there, is durable."""
        assert self.keeper.sync() == self.store.version == self.store.statistics()["durable"]

    @rule()
    def read_by_another(self) -> None:
        """Close it, let the reader read it, and open it again. Snapshots end with that."""
        key = self.keys[self.store.key_number] if self.encryption else None
        self.close()
        image = self.path.read_bytes()
        reader = StoreReader(image, BOOT, key)
        assert reader.items == self.model
        assert (reader.in_order, reader.lost) == (True, 0)
        self.open()
        checked = self.keeper.check()
        assert (checked["keys"], checked["lost_blocks"]) == (len(self.model), 0)

    @invariant()
    def it_has_as_many_keys(self) -> None:
        """By its own count."""
        assert len(self.store) == len(self.model)

    def close(self) -> None:
        """Close all that is open."""
        while self.kept:
            self.forget(0)
        self.store.close()
        self.keeper.close()

    def teardown(self) -> None:
        """Read it once more."""
        try:
            self.read_by_another()
            self.close()
        finally:
            shutil.rmtree(self.folder)


class Sealed(Machine):
    """With encryption."""

    encryption = 1


class Authenticated(Sealed):
    """With authenticated branches, too."""

    detects = True


for machine in (Machine, Sealed, Authenticated):
    machine.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestPlain, TestSealed, TestAuthenticated = Machine.TestCase, Sealed.TestCase, Authenticated.TestCase
