"""Paths: how actors name what lies below a directory of the deployment, ``directory/path/below/it``."""

from __future__ import annotations

from typing import Annotated

import msgspec

LONGEST_PATH = 4096

Path = Annotated[bytes, msgspec.Meta(max_length=LONGEST_PATH)]
"""Bytes, as in the file system: names need not be text."""


def encoded_path(path: str) -> bytes:
    """A path as messages have it.

    Raises:
        ValueError: It is too long.
    """
    encoded = path.encode("utf-8", "surrogateescape")
    if len(encoded) > LONGEST_PATH:
        raise ValueError(f"a path of {len(encoded)} bytes")
    return encoded
