"""How much of an image comes from whom, in files, bytes and lines of code."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from eactors.build import framework
from eactors.build.description import origin_of
from eactors.build.lines import native_lines, python_lines

if TYPE_CHECKING:
    from pathlib import Path

    from eactors.build.image import Image

ORIGINS = ("application", "eactors", "third-party", "standard library")


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
            share[2] += _lines(image.folder / path, entry["sha256"])
        elif path == f"eactors/{framework.NATIVE.name}":
            share[2] += native_lines()
    return {origin: Share(*share) for origin, share in counts.items()}


@lru_cache(maxsize=4096)
def _lines(path: Path, digest: str) -> int:  # noqa: ARG001 - the key of the cache
    return python_lines(path.read_bytes())
