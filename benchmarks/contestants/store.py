"""What the object store does, as an actor uses it.

It is a file with a process that keeps it, as the host would.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from contestants.key_value import Access, Pairs, wrong
from contestants.processes import FORK

from eactors import Store, _store
from eactors._store import Keeper
from eactors.answer import Answer
from eactors.store.live import LiveStore
from eactors.store.values import Values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

    from eactors._store import Wanted

ROOM = (1 << 30) // 256
"""Blocks: as many bytes as py-lmdb's file may have."""
KEY = bytes(range(32))


@contextlib.contextmanager
def store(cpu: int, *, encrypted: bool = False, every: float | None = None) -> Iterator[Callable[[], Access]]:
    """Give access to a store in a file.

    Args:
        cpu: Where its keeper runs.
        encrypted: With a key that all of them have.
        every: Seconds from one time that everything is put on the disk to the next; None: only when there
            is no room without it.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        path = f"{folder}/store"
        mine, theirs = FORK.Pipe()
        process = FORK.Process(target=_keep, args=(path, cpu, int(encrypted), every, theirs))
        process.start()
        theirs.close()
        try:
            mine.recv()
            yield lambda: _access(path, KEY if encrypted else None, mine)
        finally:
            mine.send(None)
            process.join()


def _keep(path: str, cpu: int, encryption: int, every: float | None, users: Connection) -> None:
    os.sched_setaffinity(0, {cpu})
    boot = uuid.UUID(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip())
    keeper = Keeper(path, ROOM, boot.bytes, encryption=encryption)
    wanted: Wanted | None = "room"
    while wanted is not None:
        if wanted == "sync":
            keeper.sync()
        while keeper.wants_room() and keeper.grow():
            pass
        users.send(wanted)
        while not users.poll(every):
            keeper.sync()
        wanted = users.recv()
    keeper.close()


def _access(path: str, key: bytes | None, keeper: Connection) -> Access:
    def wait(wanted: Wanted) -> None:
        keeper.send(wanted)
        keeper.recv()

    core = _store.Store(
        path, ROOM, os.getpid() % 4095, keys=None if key is None else lambda _: key, wait=wait
    )
    there = LiveStore(core, Values(Store("bench")), _nothing, Answer, _nothing)
    get, put = there.get, there.put

    def fill(pairs: Pairs) -> None:
        for name, value in pairs:
            put(name, value)
        core.close()

    def read(pairs: Pairs) -> None:
        for name, value in pairs:
            if get(name) != value:
                raise wrong(name)

    def write(pairs: Pairs) -> None:
        for name, value in pairs:
            put(name, value)

    return Access(fill, read, write)


def _nothing() -> None:
    """Whom a change concerns: nobody watches."""
