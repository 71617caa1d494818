"""A process that keeps a store while two others write to it, with power_images.c preloaded."""

from __future__ import annotations

import ctypes
import os
import random
import signal
import time
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from tests.store_writer import LIMIT, WRITERS, Acknowledged, progress, write

from eactors._store import Keeper, Store

if TYPE_CHECKING:
    from pathlib import Path

_IMAGES = ctypes.CDLL(None)


def image(kind: str) -> int:
    """Take an image of the file now; its number."""
    return int(_IMAGES.power_image(kind.encode()))


class Sure(NamedTuple):
    """Which transactions are sure to be on the disk, from an image on."""

    image: int
    done: list[int]


def keep(path: Path, seed: int, boot: bytes, syncs: int) -> list[Sure]:
    """Open a store, have others write while it syncs so many times, and close it; what was sure when."""
    chance = random.Random(seed)
    acknowledged = Acknowledged(path.with_name("acknowledged"))
    said = []
    if path.exists():
        image("stable")
    keeper = Keeper(str(path), LIMIT, boot)
    resume(path, acknowledged)
    writers = [fork(path, seed, writer, acknowledged) for writer in WRITERS]
    for _ in range(syncs):
        for _ in range(chance.randrange(3)):
            wait_for(acknowledged, chance.randrange(8))
            image("between")
        wait_for(acknowledged, chance.randrange(30))
        done = acknowledged.all()
        keeper.sync()
        if keeper.wants_room():
            keeper.grow()
        said.append(Sure(image("between"), done))
    for writer, process in zip(WRITERS, writers, strict=True):
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        keeper.mourn(writer)
    done = acknowledged.all()
    keeper.close()
    return [*said, Sure(image("between"), done)]


def resume(path: Path, acknowledged: Acknowledged) -> None:
    """Go on from what there is."""
    store = Store(str(path), LIMIT, len(WRITERS))
    with closing(store.snapshot()) as snapshot:
        for writer, number in zip(WRITERS, progress(dict(snapshot.scan())), strict=True):
            acknowledged[writer] = number
    store.close()


def fork(path: Path, seed: int, writer: int, acknowledged: Acknowledged) -> int:
    """Start a writer; its process id."""
    child = os.fork()
    if child == 0:
        write(path, seed, writer, acknowledged)
    return child


def wait_for(acknowledged: Acknowledged, more: int) -> None:
    """Let the writers do so many transactions, unless they wait for the next sync themselves."""
    wanted, deadline = sum(acknowledged.all()) + more, time.monotonic() + 1
    while sum(acknowledged.all()) < wanted and time.monotonic() < deadline:
        os.sched_yield()
