"""How much of an image comes from whom, in files, bytes and lines of code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from eactors.build import framework
from eactors.build.description import origin_of
from eactors.build.lines import native_lines, python_lines

if TYPE_CHECKING:
    from pathlib import Path

    from eactors.build.image import Image

ORIGINS = ("application", "resources", "eactors", "simulation", "third-party", "standard library")


@dataclass(frozen=True, slots=True)
class Share:
    """What an image has of one origin; lines without blanks, comments and docstrings.

    Of compiled modules only EActors' own has lines: those of its C sources.
    """

    files: int
    bytes: int
    lines: int


def summarise(image: Image) -> dict[str, Share]:
    """The shares of an image, by origin; an origin without files has a share of zeros.

    Raises:
        ImageError: The installation lacks the line counts of the native module.
    """
    counts = {origin: [0, 0, 0] for origin in ORIGINS}
    for path, entry in image.files.items():
        share = counts[origin_of(path)]
        share[0] += 1
        share[1] += entry["size"]
        if path.endswith(".py"):
            share[2] += _counted(entry["sha256"], image.folder / path)
        elif path in (f"eactors/{framework.NATIVE.name}", f"eactors/{framework.STORE.name}"):
            for origin, lines in native_lines(image.folder / path).items():
                counts[origin][2] += lines
    return {origin: Share(*share) for origin, share in counts.items()}


_known: dict[str, int] = {}
"""Lines by the hash of a file: several images hold the same ones, and counting is slow."""


def _counted(digest: str, path: Path) -> int:
    if digest not in _known:
        _known[digest] = python_lines(path.read_bytes())
    return _known[digest]
