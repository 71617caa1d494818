"""A process that forks while it has a store open."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from eactors._store import Keeper, Store

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = 256


def inherit(path: Path) -> tuple[int, int, bytes | None]:
    """How often a child that uses its parent's store was refused; the parent's pins and value after that."""
    keeper = Keeper(str(path), LIMIT, b"")
    store = Store(str(path), LIMIT, 1)
    for number in range(20):
        store.put(b"key", b"%d" % number)
    snapshot = store.snapshot()
    child = os.fork()
    if child == 0:
        refused = 0
        for use in (lambda: store.put(b"key", b"the child's"), lambda: snapshot.get(b"key"), store.snapshot):
            try:
                use()
            except ValueError as error:
                refused += "forked" in str(error)
        snapshot.close()
        store.close()
        os._exit(refused)
    _, status = os.waitpid(child, 0)
    store.put(b"key", b"new")
    pins = store.statistics()["pins"]
    old = snapshot.get(b"key")
    snapshot.close()
    store.close()
    assert keeper.check()["lost_blocks"] == 0
    keeper.close()
    return os.waitstatus_to_exitcode(status), pins, old
