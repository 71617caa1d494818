"""What no honest user does to a store, and the extension module does not let anybody do."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from tests.alone import alone
from tests.inherited import LIMIT, inherit

from eactors._store import Keeper, Store

if TYPE_CHECKING:
    from pathlib import Path

BOOT = bytes(16)


def test_a_forked_child_does_not_have_its_parents_store(tmp_path: Path) -> None:
    """It cannot use it, and what it closes is not what its parent holds."""
    assert alone(inherit, tmp_path / "store") == (3, 1, b"19")


def test_what_is_committed_is_what_was_given(tmp_path: Path) -> None:
    """Though the caller's lists change while the store waits for room."""
    path = str(tmp_path / "store")
    keeper = Keeper(path, 8192, b"")
    value = bytes(4096)
    writes = [(b"%d" % number, value) for number in range(300)]
    given = dict(writes)

    def wait(wish: str) -> None:
        writes.clear()
        assert wish == "room"
        keeper.grow()

    store = Store(path, 8192, 1, wait=wait)
    assert store.commit(None, [], writes)
    assert writes == []
    assert dict(store.snapshot().scan()) == given


def test_a_snapshot_that_was_closed_while_the_store_waits(tmp_path: Path) -> None:
    """The transaction fails: nobody can tell any more what it has read."""
    path = str(tmp_path / "store")
    keeper = Keeper(path, 8192, b"")

    def wait(_: str) -> None:
        snapshot.close()
        keeper.grow()

    store = Store(path, 8192, 1, wait=wait)
    snapshot = store.snapshot()
    with pytest.raises(ValueError, match="no open snapshot"):
        store.commit(snapshot, [b"key"], [(b"%d" % number, bytes(4096)) for number in range(300)])
    assert len(store) == 0


def test_a_keeper_is_used_by_one_thread_at_a_time(tmp_path: Path) -> None:
    """Another that comes meanwhile is refused, and breaks nothing."""
    keeper = Keeper(str(tmp_path / "store"), LIMIT, BOOT)
    store = Store(str(tmp_path / "store"), LIMIT, 1)
    end = threading.Event()
    refused: list[str] = []

    def sync() -> None:
        while not end.is_set():
            try:
                keeper.sync()
            except ValueError as error:
                refused.append(str(error))

    threads = [threading.Thread(target=sync) for _ in range(2)]
    for thread in threads:
        thread.start()
    while not refused:
        store.put(b"key", b"value")
    end.set()
    for thread in threads:
        thread.join()
    assert set(refused) == {"another thread uses the keeper"}
    assert keeper.sync() == store.version
    keeper.close()
