"""What py-lmdb does: one get or put per transaction, and nothing on the disk before it has to be."""

from __future__ import annotations

import contextlib
import tempfile
from typing import TYPE_CHECKING

import lmdb
from contestants.key_value import Access, Pairs, wrong

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOM = 1 << 30


@contextlib.contextmanager
def store(*, writemap: bool) -> Iterator[Callable[[], Access]]:
    """Give access to an environment in a file."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        yield lambda: _access(folder, writemap=writemap)


def _access(folder: str, *, writemap: bool) -> Access:
    environment = lmdb.open(folder, map_size=ROOM, sync=False, writemap=writemap)
    begin = environment.begin

    def fill(pairs: Pairs) -> None:
        with begin(write=True) as transaction, transaction.cursor() as cursor:
            cursor.putmulti(pairs)

    def read(pairs: Pairs) -> None:
        for key, value in pairs:
            with begin() as transaction:
                if transaction.get(key) != value:
                    raise wrong(key)

    def write(pairs: Pairs) -> None:
        for key, value in pairs:
            with begin(write=True) as transaction:
                transaction.put(key, value)

    return Access(fill, read, write)
