"""A store whose writers and keeper are killed with -9 at random points, and what is there afterwards."""

from __future__ import annotations

import random
import signal
from contextlib import closing
from typing import TYPE_CHECKING

from tests.conftest import App
from tests.store_reader import StoreReader
from tests.store_writer import LIMIT, PROCESSES, WRITERS, Acknowledged, Expected, progress, start

from eactors._store import Keeper, Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.process import BaseProcess
    from pathlib import Path

BOOT = bytes(range(16))
KEEPER = len(WRITERS)


class Killing:
    """A store, its writers, and who kills them.

    Args:
        folder: For its files.
        seed: Of all that is random.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.path = folder / "killed.store"
        self.seed, self.chance = seed, random.Random(seed)
        self.acknowledged = Acknowledged(folder / "acknowledged")
        self.expected = Expected(seed)

    def start(self, writer: int) -> BaseProcess:
        """Start a writer where the last one had come to."""
        return start(self.path, self.seed, writer, self.acknowledged)

    def let_them_write(self, meanwhile: Callable[[], object] = int) -> None:
        """Until there is a random number of transactions more."""
        wanted = sum(self.acknowledged.all()) + self.chance.randrange(1, 60)

        def done() -> bool:
            meanwhile()
            return sum(self.acknowledged.all()) >= wanted

        assert App.wait_until(done, 30)

    def check(self, found: dict[bytes, bytes], said: list[int]) -> None:
        """All that was acknowledged is there, and all of what there is, is whole."""
        done = progress(found)
        for writer in WRITERS:
            assert said[writer] <= done[writer] <= self.acknowledged[writer] + 1
        assert found == self.expected.after(done)
        self.expected.forget_before(done)

    def check_file(self) -> None:
        """Check what the independent reader finds, then what the store does, and go on from there."""
        said = self.acknowledged.all()
        reader = StoreReader(self.path.read_bytes(), BOOT)
        self.check(reader.items, said)
        keeper = Keeper(str(self.path), 0, BOOT)
        assert keeper.recovered
        assert not keeper.fell_back
        store = Store(str(self.path), LIMIT, len(WRITERS))
        with closing(store.snapshot()) as snapshot:
            assert dict(snapshot.scan()) == reader.items
        store.close()
        keeper.close()
        assert StoreReader(self.path.read_bytes(), BOOT).lost == 0
        for writer, number in zip(WRITERS, progress(reader.items), strict=True):
            self.acknowledged[writer] = number


def keep(path: Path, acknowledged: Acknowledged) -> None:
    """Be a keeper until the process is killed, and sync without a pause."""
    keeper = Keeper(str(path), LIMIT, BOOT)
    acknowledged[KEEPER] = 1
    while True:
        keeper.sync()
        keeper.grow()


def kill(process: BaseProcess) -> None:
    """Kill it with -9, and wait for its end."""
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    process.close()


def kill_everybody(folder: Path, seed: int, rounds: int) -> None:
    """Two writers and the keeper, in any order, at any moment."""
    killing = Killing(folder, seed)
    for _ in range(rounds):
        killing.acknowledged[KEEPER] = 0
        keeper = PROCESSES.Process(target=keep, args=(killing.path, killing.acknowledged), daemon=True)
        keeper.start()
        assert App.wait_until(lambda: killing.acknowledged[KEEPER] == 1, 30)
        processes = [keeper, *map(killing.start, WRITERS)]
        killing.let_them_write()
        killing.chance.shuffle(processes)
        for process in processes:
            kill(process)
        killing.check_file()


def kill_writers(folder: Path, seed: int, rounds: int) -> None:
    """One of them at a time; the other goes on, and the keeper takes back what the first had held."""
    killing = Killing(folder, seed)
    keeper = Keeper(str(killing.path), LIMIT, BOOT)
    writers = [killing.start(writer) for writer in WRITERS]
    watcher = Store(str(killing.path), LIMIT, len(WRITERS))
    for _ in range(rounds):
        killing.let_them_write(keeper.sync)
        writer = killing.chance.choice(WRITERS)
        kill(writers[writer])
        keeper.mourn(writer)
        said = killing.acknowledged.all()
        with closing(watcher.snapshot()) as snapshot:
            found = dict(snapshot.scan())
        killing.check(found, said)
        killing.acknowledged[writer] = progress(found)[writer]
        writers[writer] = killing.start(writer)
    for writer in WRITERS:
        kill(writers[writer])
        keeper.mourn(writer)
    watcher.close()
    keeper.close()
    reader = StoreReader(killing.path.read_bytes(), BOOT)
    killing.check(reader.items, killing.acknowledged.all())
    assert (reader.in_order, reader.lost) == (True, 0)
