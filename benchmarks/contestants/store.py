"""What the object store does: a file, and a process that keeps it as the host would, synced every second."""

from __future__ import annotations

import contextlib
import os
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from contestants.key_value import Access, Pairs, wrong
from contestants.processes import FORK

from eactors._store import Keeper, Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

    from eactors._store import Wanted

ROOM = (1 << 30) // 256
"""Blocks: as many bytes as py-lmdb's file may have."""
SYNCED = 1.0
"""Seconds from one time that everything is put on the disk to the next."""
KEY = bytes(range(32))


@contextlib.contextmanager
def store(cpu: int, *, encrypted: bool) -> Iterator[Callable[[], Access]]:
    """Give access to a store in a file, with its keeper on a CPU."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        path = f"{folder}/store"
        mine, theirs = FORK.Pipe()
        process = FORK.Process(target=_keep, args=(path, cpu, encrypted, theirs))
        process.start()
        theirs.close()
        try:
            mine.recv()
            yield lambda: _access(path, KEY if encrypted else None, mine)
        finally:
            mine.send(None)
            process.join()


def _keep(path: str, cpu: int, encrypted: bool, users: Connection) -> None:  # noqa: FBT001 - of a process
    os.sched_setaffinity(0, {cpu})
    boot = uuid.UUID(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip())
    keeper = Keeper(path, ROOM, boot.bytes, encryption=int(encrypted))
    wanted: Wanted | None = "room"
    while wanted is not None:
        if wanted == "sync":
            keeper.sync()
        while keeper.wants_room() and keeper.grow():
            pass
        users.send(wanted)
        while not users.poll(SYNCED):
            keeper.sync()
        wanted = users.recv()
    keeper.close()


def _access(path: str, key: bytes | None, keeper: Connection) -> Access:
    def wait(wanted: Wanted) -> None:
        keeper.send(wanted)
        keeper.recv()

    there = Store(path, ROOM, os.getpid() % 4095, keys=None if key is None else lambda _: key, wait=wait)
    get, put = there.get, there.put

    def fill(pairs: Pairs) -> None:
        for name, value in pairs:
            put(name, value)
        there.close()

    def read(pairs: Pairs) -> None:
        for name, value in pairs:
            if get(name) != value:
                raise wrong(name)

    def write(pairs: Pairs) -> None:
        for name, value in pairs:
            put(name, value)

    return Access(fill, read, write)
