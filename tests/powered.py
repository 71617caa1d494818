"""A process that keeps a store while two others write to it, run with power_images.c preloaded.

    python -m tests.powered STORE WORDS SEED BOOT SYNCS

It opens the store, has the writers write while it syncs so many times, and is killed with them, or closes
the store in order. To standard output it says, line by line as JSON, after how many images which
transactions were sure to be on the disk.
"""

from __future__ import annotations

import ctypes
import json
import os
import random
import signal
import sys
import time
from contextlib import closing
from pathlib import Path

from tests.store_writer import LIMIT, WRITERS, Acknowledged, progress, write

from eactors._store import Keeper, Store

_IMAGES = ctypes.CDLL(None)


def image(kind: str) -> int:
    """Take an image of the file now; how many there are then."""
    return int(_IMAGES.power_image(kind.encode()))


def main(path: Path, words: Path, seed: int, boot: bytes, syncs: int) -> None:
    """Keep the store."""
    chance = random.Random(seed)
    acknowledged = Acknowledged(words)
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
        sure = acknowledged.all()
        keeper.sync()
        if keeper.wants_room():
            keeper.grow()
        say(image("between"), sure)
    for writer in writers:
        os.kill(writer, signal.SIGKILL)
        os.waitpid(writer, 0)
    sure = acknowledged.all()
    keeper.close()
    say(image("between"), sure)


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


def say(images: int, sure: list[int]) -> None:
    """Say what is sure from now on."""
    sys.stdout.write(json.dumps({"images": images, "sure": sure}) + "\n")


if __name__ == "__main__":
    store, words, seed, boot, syncs = sys.argv[1:]
    main(Path(store), Path(words), int(seed), bytes.fromhex(boot), int(syncs))
