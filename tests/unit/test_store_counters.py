"""The counters of stores: what a host can do that keeps old copies, and what a crash leaves."""

from __future__ import annotations

import contextlib
import itertools
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from tests.attested import SIGNER, measurement_of
from tests.fake_platform import FakeCpu

from eactors import _store
from eactors.enclave import store_counters
from eactors.enclave.store_counters import StoreCounter
from eactors.errors import PlatformError
from eactors.store import RollbackDetected, StoreCounterLost, StoreError, StoreFull

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fake_platform import FakePlatform

KEY, BOOT = bytes(range(32)), bytes(16)
LIMIT = 4096


class Killed(BaseException):
    """The enclave is no more."""


class User:
    """An enclave that uses a store, and the store."""

    def __init__(self, host: Host, path: Path, number: int = 1, policy: str = "signer") -> None:
        self.platform: FakePlatform = host.cpu.enclave(measurement_of(number), SIGNER)
        self.store = _store.Store(str(path), LIMIT, number, keys=lambda _: KEY, detects=True)
        arguments = self.store, self.platform, policy, KEY if policy == "shared" else b""
        self.counter = StoreCounter("accounts", *arguments, lambda: host.sync(path))

    def open(self) -> User:
        """Do what an enclave does with a store first."""
        self.counter.open()
        return self

    def protect(self) -> bool:
        """Protect all that was committed, as far as the host lets us."""
        return any(self.counter.protect(self.store.version) for _ in range(3))


class Host:
    """A folder with stores, their keepers, and copies of the stores; and the machine."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "accounts.store"
        self.cpu = FakeCpu()
        self.syncs = True
        self._keepers: dict[Path, _store.Keeper] = {}
        self.keep(self.path)

    def keep(self, path: Path) -> None:
        """Open a store's file."""
        self._keepers[path] = _store.Keeper(str(path), LIMIT, BOOT, encryption=1, detects=True)

    def sync(self, path: Path) -> None:
        """Do what an enclave asks for."""
        if self.syncs:
            self._keepers[path].sync()

    def copy(self) -> Path:
        """Copy the store to another file, and keep that, too."""
        path = self.path.with_name("copy.store")
        path.write_bytes(self.path.read_bytes())
        self.keep(path)
        return path

    def put_back(self, content: bytes) -> None:
        """Write an old state into the file, which others have mapped."""
        with self.path.open("r+b") as file:
            file.write(content)

    def restart(self) -> None:
        """End in order, and begin again."""
        self._keepers[self.path].close()
        self.keep(self.path)

    def close(self) -> None:
        """End."""
        for keeper in self._keepers.values():
            keeper.close()

    def user(self, number: int = 1) -> User:
        """An enclave that uses the store."""
        return User(self, self.path, number)


def at(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let it be so many seconds later than it is."""
    now = time.monotonic() + seconds
    monkeypatch.setattr(store_counters, "time", SimpleNamespace(monotonic=lambda: now, sleep=time.sleep))


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """A host with a new store."""
    host = Host(tmp_path)
    yield host
    host.close()


def test_a_store_goes_on_where_it_was(host: Host) -> None:
    """Run after run, whether or not the last one has ended in order."""
    for run in range(5):
        user = host.user().open()
        assert user.store.add(b"runs", 1) == run + 1
        if run % 2:
            user.counter.close()
        user.store.close()
        host.restart()


@pytest.mark.parametrize("protected", ["opening", "sync", "end", "time"])
def test_an_old_copy_is_refused(host: Host, protected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever came after it: another opening, a sync, an end in order, or ten seconds."""
    user = host.user().open()
    user.store.put(b"alice", b"100")
    old = host.path.read_bytes()
    user.store.put(b"alice", b"0")
    if protected == "opening":
        host.user().open()
    elif protected == "sync":
        assert user.protect()
    elif protected == "end":
        user.counter.close()
    else:
        assert user.counter.tend()
        for seconds in (11, 13):
            at(monkeypatch, seconds)
            left = user.counter.tend()
        assert not left
        monkeypatch.undo()
    user.store.close()
    host.put_back(old)
    host.restart()
    with pytest.raises(
        RollbackDetected, match=r"'accounts': version 3 of it lacks version 5, which"
    ) as caught:
        host.user().open()
    assert caught.value.hint is not None


def test_the_empty_store_of_the_beginning_is_an_old_copy(host: Host) -> None:
    """Its first commit is not authentic, for the host has made it, but it has made no step."""
    empty = host.path.read_bytes()
    host.user().open().store.close()
    host.put_back(empty)
    host.restart()
    with pytest.raises(RollbackDetected):
        host.user().open()


@pytest.mark.parametrize("when", [1, 2, 3])
@pytest.mark.parametrize("what", ["counter", "advance"])
def test_killed_at_any_point_of_a_step(host: Host, what: str, when: int) -> None:
    """The step was made, and its counter not advanced, or not even there: the next to come does that."""
    for _ in range(4):
        user = host.user()
        calls = 0
        real = getattr(user.platform, what)

        def call(*arguments: object) -> bytes:
            nonlocal calls
            calls += 1
            if calls == when:
                raise Killed
            return real(*arguments)  # type: ignore[no-any-return] # noqa: B023

        setattr(user.platform, what, call)
        try:
            user.counter.open()
            user.store.add(b"runs", 1)
            user.protect()
        except Killed:
            pass
        user.store.close()
        host.restart()
    host.user().open()


def test_after_a_power_cut_the_counter_is_not_ahead_of_the_disk(host: Host) -> None:
    """It is advanced to what the disk has, and to nothing else."""
    user = host.user().open()
    counters = dict(host.cpu.counters)
    host.syncs = False
    user.store.put(b"alice", b"100")
    assert not user.protect()
    assert host.cpu.counters == counters
    host.syncs = True
    host.sync(host.path)
    assert user.protect()
    assert host.cpu.counters != counters


def test_a_host_that_does_not_sync(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """The opening says so; an end is as if the enclave had been killed."""
    times = iter(range(0, 1000, 10))
    clock = SimpleNamespace(monotonic=lambda: next(times), sleep=time.sleep)
    monkeypatch.setattr(store_counters, "time", clock)
    user = host.user().open()
    host.syncs = False
    user.store.put(b"alice", b"100")
    user.counter.close()
    with pytest.raises(StoreError, match="its opening is not on the disk after 30 s"):
        host.user().open()


def test_enclaves_that_share_a_store_share_its_counter(host: Host) -> None:
    """None takes the steps of another for a fork, in whatever order they come."""
    users = [host.user(number).open() for number in range(1, 5)]
    for turn in range(200):
        user, other = users[turn % 4], users[(turn * 7 + turn // 5) % 4]
        user.store.add(b"turns", 1)
        other.counter.tend()
        if turn % 3 == 0:
            assert other.protect()
    assert users[0].store.get(b"turns") == (200).to_bytes(8, "little")


def test_of_two_copies_the_first_that_was_opened_is_the_old_one(host: Host) -> None:
    """Opening one makes the other an old one, at its next look; also if nothing was written."""
    first = host.user().open()
    second = User(host, host.copy()).open()
    with pytest.raises(RollbackDetected, match="another is in use"):
        first.counter.tend()
    second.counter.close()


def test_two_copies_that_are_opened_at_once(host: Host) -> None:
    """One of them is late, and says so."""
    first, second = host.user(), User(host, host.copy())
    host.syncs = False
    assert not first.counter.protect(2)
    assert not second.counter.protect(2)
    host.syncs = True
    for path in (host.path, host.path.with_name("copy.store")):
        host.sync(path)
    assert second.counter.protect(2)
    with pytest.raises(RollbackDetected):
        first.counter.protect(2)


def test_what_one_has_seen_is_not_put_back_behind_another(host: Host) -> None:
    """Without any counter: the other's commits, higher in number, lack what the first has made."""
    first, second = host.user(1).open(), host.user(2).open()
    first.store.put(b"alice", b"100")
    assert second.store.get(b"alice") == b"100"
    old = host.path.read_bytes()
    first.store.put(b"alice", b"0")
    host.put_back(old)
    for _ in range(3):
        second.store.put(b"bob", b"1")
    with pytest.raises(RollbackDetected, match="has become two"):
        first.store.get(b"alice")


@pytest.mark.parametrize("number", [1, 2, 9])
def test_old_bytes_put_back_under_a_running_enclave(host: Host, number: int) -> None:
    """Seen by the next read, and by the next write."""
    user = host.user(number).open()
    old = host.path.read_bytes()
    user.store.put(b"alice", b"100")
    host.put_back(old)
    with pytest.raises(RollbackDetected, match="older than it has been"):
        user.store.get(b"alice")
    with pytest.raises(RollbackDetected, match="older than it has been"):
        user.store.put(b"alice", b"1")


def test_a_counter_that_is_gone(host: Host) -> None:
    """Nobody can tell then which copy is the newest; the error says what to bring back."""
    host.user().open()
    before = dict(host.cpu.counters)
    host.user().open()
    host.user().open()
    host.cpu.counters = before
    with pytest.raises(StoreCounterLost, match="has made 3 steps, and its counter has counted 1"):
        host.user().open()
    host.cpu.counters = {}
    with pytest.raises(StoreCounterLost, match="has made 3 steps, and its counter is not there") as caught:
        host.user().open()
    assert "bring back the folder `counters`" in str(caught.value.hint)


def test_whose_the_counter_is(host: Host) -> None:
    """Of whoever can have the key: by measurement, by signer, or by the shared key itself."""
    counters = host.cpu.counters
    for number, policy, expected in (
        *((1, "signer", 1), (2, "signer", 1)),
        *((1, "shared", 2), (2, "shared", 2)),
        *((1, "measurement", 3), (2, "measurement", 4)),
    ):
        # Each policy has a store of its own; here it is the same, so look for no more than the first step.
        user = User(host, host.path, number, policy)
        user.platform.advance(user.counter._policy, user.counter._label, b"", bytes(24))
        assert len(counters) == expected


def test_a_full_store_is_not_the_readers_fault(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no room for a step; what was protected before still is."""
    user = host.user().open()
    with contextlib.suppress(StoreFull):
        for number in itertools.count():
            user.store.put(b"%d" % number, bytes(1 << 12))
    at(monkeypatch, 11)
    assert user.counter.tend()
    user.counter.close()


def test_a_platform_without_counters(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused in its words, as hardware would: SGX has none."""

    def refuse(*_: object) -> bytes:
        raise PlatformError("there are no counters")

    user = host.user()
    monkeypatch.setattr(user.platform, "counter", refuse)
    with pytest.raises(PlatformError, match="no counters"):
        user.counter.open()
