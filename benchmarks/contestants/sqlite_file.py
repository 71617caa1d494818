"""What sqlite3 does: a write-ahead log that is never waited for, and one statement per transaction."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from typing import TYPE_CHECKING

from contestants.key_value import Access, Pairs, wrong

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAKE = """
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = OFF;
    PRAGMA mmap_size = 1073741824;
    CREATE TABLE IF NOT EXISTS pairs (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
"""
GET, PUT = "SELECT value FROM pairs WHERE key = ?", "REPLACE INTO pairs VALUES (?, ?)"


@contextlib.contextmanager
def store() -> Iterator[Callable[[], Access]]:
    """Give access to a database in a file."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        yield lambda: _access(f"{folder}/database")


def _access(path: str) -> Access:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(MAKE)
    execute = connection.cursor().execute

    def fill(pairs: Pairs) -> None:
        execute("BEGIN")
        connection.executemany(PUT, pairs)
        execute("COMMIT")

    def read(pairs: Pairs) -> None:
        for key, value in pairs:
            if execute(GET, (key,)).fetchone() != (value,):
                raise wrong(key)

    def write(pairs: Pairs) -> None:
        for pair in pairs:
            execute(PUT, pair)

    return Access(fill, read, write)
