"""The power fails at any point of a sync, or between two; nothing that was synced is lost, nothing is torn.

EACTORS_STORE_CUTS (default 60) says how often. Each run goes on from what the last cut has left.
"""

from __future__ import annotations

import os
import random
import subprocess
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.alone import alone_with
from tests.power_cuts import Images
from tests.powered import keep
from tests.store_reader import StoreReader
from tests.store_writer import LIMIT, WRITERS, Expected, progress

from eactors._store import Keeper, Store

if TYPE_CHECKING:
    from tests.powered import Sure

CUTS = int(os.environ.get("EACTORS_STORE_CUTS", "60"))
CUTS_OF_A_RUN, SYNCS = 20, 8

pytestmark = [pytest.mark.stress, pytest.mark.timeout(120 + 2 * CUTS)]


@pytest.fixture(scope="session")
def preloaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What takes an image at each sync."""
    library = tmp_path_factory.mktemp("power") / "power_images.so"
    source = Path(__file__).with_name("power_images.c")
    subprocess.run(
        ["cc", "-Wall", "-Wextra", "-Werror", "-O2", "-shared", "-fPIC", "-o", library, source], check=True
    )
    return library


def run(folder: Path, library: Path, seed: int, boot: bytes) -> list[Sure]:
    """Keep and write the store in a folder for a while; the images are in folder/images."""
    store, images = folder / "cut.store", folder / "images"
    images.mkdir()
    environment = {"LD_PRELOAD": str(library), "POWER_FILE": str(store), "POWER_FOLDER": str(images)}
    return alone_with(environment, keep, store, seed, boot, SYNCS)


class Cuts:
    """One store that meets one power cut after the other.

    Args:
        folder: For its files.
        library: What takes the images.
        seed: Of all that is random.
    """

    def __init__(self, folder: Path, library: Path, seed: int) -> None:
        self.folder, self.library = folder, library
        self.seed, self.chance = seed, random.Random(seed)
        self.expected = Expected(seed)
        self.before = [0 for _ in WRITERS]

    def of_one_run(self, number: int, count: int) -> None:
        """Run, and try so many cuts; the last one's store is what the next run begins with."""
        folder = self.folder / str(number)
        folder.mkdir()
        left = self.folder / "left.store"
        if left.exists():
            left.replace(folder / "cut.store")
        boot = number.to_bytes(16, "little")
        said = run(folder, self.library, self.seed, boot)
        images = Images(folder / "images")
        for _ in range(count):
            at = self.chance.randrange(len(images))
            image = images.cut(at, self.chance.choice((512, 4096)), self.chance)
            sure = [self.before, *(each.done for each in said if each.image <= at)][-1]
            left.write_bytes(image)
            found = self.check(image, sure)
        self.before = found

    def check(self, image: bytes, sure: list[int]) -> list[int]:
        """What the cut has left: all that was sure, and nothing by half. How far each writer had come."""
        boot = b"another boot id!"
        reader = StoreReader(image, boot)
        done = progress(reader.items)
        assert all(least <= found for least, found in zip(sure, done, strict=True))
        assert reader.items == self.expected.after(done)
        path = self.folder / "checked.store"
        path.write_bytes(image)
        keeper = Keeper(str(path), 0, boot)
        store = Store(str(path), LIMIT, len(WRITERS))
        with closing(store.snapshot()) as snapshot:
            assert dict(snapshot.scan()) == reader.items
        assert store.version == reader.commit.version
        store.put(b"it", b"goes on")
        store.close()
        keeper.close()
        reader = StoreReader(path.read_bytes(), boot)
        assert (reader.items.pop(b"it"), reader.lost) == (b"goes on", 0)
        assert reader.items == self.expected.after(done)
        return done


def test_what_was_synced_outlives_a_power_cut(memory: Path, preloaded: Path, seed: int) -> None:
    """At any moment: while it is made, opened, grown, written, synced and closed; after a cut, too."""
    cuts = Cuts(memory, preloaded, seed)
    for number, first in enumerate(range(0, CUTS, CUTS_OF_A_RUN)):
        cuts.of_one_run(number, min(CUTS_OF_A_RUN, CUTS - first))
