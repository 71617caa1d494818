"""What a disk may hold when the power fails, made from images of a file that were taken while it was written.

The kernel keeps what it was told to keep by a sync that has ended. Of what was written since that
sync began, each sector may be as it was at any time. So a cut at one image is made of sectors of all images
from the beginning of the last sync that had ended by then; before the first, from the file as it was
found, or made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from pathlib import Path


class Images:
    """All images of one run.

    Args:
        folder: Where they lie, as power_images.c has written them.
    """

    def __init__(self, folder: Path) -> None:
        files = sorted(folder.iterdir())
        self._kinds = [file.name.partition("-")[2] for file in files]
        self._images = [file.read_bytes() for file in files]

    def __len__(self) -> int:
        return len(self._images)

    def _candidates(self, at: int) -> list[bytes]:
        """What a sector may be of, when the power fails at an image; the oldest first."""
        ends = [number for number in range(at + 1) if self._kinds[number] == "end"]
        since = ends[-1] - 1 if ends else 0
        return self._images[since : at + 1]

    def cut(self, at: int, sector: int, chance: random.Random) -> bytes:
        """What is on the disk after a power cut at an image.

        Args:
            at: The image.
            sector: Bytes that the disk writes whole.
            chance: Which of the possibilities it is.
        """
        candidates = self._candidates(at)
        size = max(map(len, candidates))
        candidates = [image.ljust(size, b"\0") for image in candidates]
        sectors = -(-size // sector)
        pick = chance.choice((_any, _mostly, _first_part))(candidates, sectors, chance)
        return b"".join(pick(each)[each * sector : (each + 1) * sector] for each in range(sectors))


def _any(candidates: list[bytes], _: int, chance: random.Random) -> Callable[[int], bytes]:
    """Each sector of any time."""
    return lambda _: chance.choice(candidates)


def _mostly(candidates: list[bytes], _: int, chance: random.Random) -> Callable[[int], bytes]:
    """Few sectors have been written, or few are missing."""
    share = chance.choice((0.01, 0.1, 0.9, 0.99))
    return lambda _: candidates[-1] if chance.random() < share else candidates[0]


def _first_part(candidates: list[bytes], sectors: int, chance: random.Random) -> Callable[[int], bytes]:
    """In the order of the file, as far as the disk had come; or the other way round."""
    end, first, last = chance.randrange(sectors + 1), candidates[0], candidates[-1]
    if chance.random() < 0.5:
        first, last = last, first
    return lambda number: last if number < end else first
