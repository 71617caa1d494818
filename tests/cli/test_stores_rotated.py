"""Encrypted stores that get another key while applications use them."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import App

APP = """
class Owner(Actor):
    memory = Store("memory")
    other = Connector("Other")

    def constructor(self):
        print("before", len(self.memory), self.memory.counter(b"runs"))
        self.memory.update({b"%d" % n: b"value %d" % n for n in range(300)})
        self.memory.add(b"runs")
        self.other.send(b"written")

    @other.on_message
    def told(self, cargo):
        old = self.memory.snapshot()
        self.memory.rotate()
        assert old[b"7"] == self.memory[b"7"] == b"value 7"
        self.memory[b"theirs"] = b"%d" % self.memory.counter(b"runs")
        self.other.send(b"rotated")
        self.stop()


class Other(Actor):
    memory = Store("memory")
    owner = Connector("Owner")

    @owner.on_message
    def told(self, cargo):
        if cargo.data == b"written":
            self.kept = self.memory.snapshot()
            self.owner.send(b"seen")
            return
        assert self.memory[b"theirs"] == b"%d" % self.memory.counter(b"runs")
        assert self.kept[b"299"] == b"value 299" and self.kept.get(b"theirs") != self.memory[b"theirs"]
        assert all(self.memory[b"%d" % n] == b"value %d" % n for n in range(300))
        self.memory[b"ours"] = b"newer"
        print("after", len(self.memory))
        self.stop()
"""
WATCHED = """
class Owner(Actor):
    memory = Store("memory")
    other = Connector("Other")

    def constructor(self):
        self.memory.update({b"%d" % n: b"old" for n in range(100)})
        self.other.send(b"written")

    @other.on_message
    def told(self, cargo):
        self.memory[b"7"] = b"new"
        self.memory.rotate()
        del self.memory[b"8"]
        self.memory[b"last"] = b""
        self.stop()


class Other(Actor):
    memory = Store("memory")
    owner = Connector("Owner")

    @owner.on_message
    def told(self, cargo):
        self.owner.send(b"go on")

    @memory.on_change()
    def changed(self, key, old, new):
        if old is not None or new != b"old":
            print(key, old, new)
        if key == b"last":
            self.stop()
"""
REFUSED = """
class Owner(Actor):
    memory = Store("memory")

    def constructor(self):
        self.memory.rotate()
"""
SLOTS_AT, SLOT, SLOTS = 4096, 128, 32


def keys_in(file: Path) -> list[int]:
    """The numbers of the keys that are sealed in a store's file."""
    data = file.read_bytes()
    heads = (struct.unpack_from("<II", data, SLOTS_AT + SLOT * n) for n in range(SLOTS))
    return [number for state, number in heads if state == 1]


@pytest.mark.parametrize("rollback", ["none", "detect"])
@pytest.mark.parametrize(
    ("enclaves", "key"), [("Owner:1 | Other:2", "signer"), ("Owner:1 Other:1", "measurement")]
)
def test_another_key_in_every_run(app: App, enclaves: str, key: str, rollback: str) -> None:
    """All enclaves that have the store go on, and old versions are read; of the keys the newest is left."""
    store = f'<store name="memory" kind="persistent" file="memory.store" key="{key}" rollback="{rollback}"/>'
    app.write(APP, enclaves, store)
    before = ["before 0 0", "before 303 1", "before 303 2"]
    for run in range(3):
        done = app.run()
        assert (done.returncode, done.stderr) == (0, "")
        assert sorted(done.stdout.splitlines()) == ["after 303", before[run]]
        assert keys_in(app.folder / "memory.store") == [run + 1]


@pytest.mark.parametrize("kind", ["public", "persistent"])
def test_who_watches_hears_of_values_only(app: App, kind: str) -> None:
    """That all of them were written anew is nothing to be told of."""
    file = ' file="memory.store"' if kind == "persistent" else ""
    app.write(WATCHED, "Owner:1 | Other:2", f'<store name="memory" kind="{kind}"{file} key="signer"/>')
    done = app.run()
    assert (done.returncode, done.stderr) == (0, "")
    told = {line.partition(" ")[0] for line in done.stdout.splitlines()}
    assert told <= {"b'7'", "b'8'", "b'last'"}
    assert "b'last'" in told


@pytest.mark.parametrize(
    ("store", "words"),
    [
        ('kind="private"', "store 'memory' is not encrypted, so it has no key"),
        ('kind="public" encryption="none"', "store 'memory' is not encrypted, so it has no key"),
        ('kind="public" key="shared"', "store 'memory' is shared by several signers, and stays what it is"),
    ],
)
def test_where_there_is_no_other_key(app: App, store: str, words: str) -> None:
    """The actor is told so, with a way out."""
    done = app.write(REFUSED, "Owner:1", f'<store name="memory" {store}/>').run()
    assert done.returncode == 1
    assert words in done.stderr
    assert "hint: " in done.stderr
