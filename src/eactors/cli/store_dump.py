"""What ``eactors store export`` writes and ``import`` reads: lines of JSON.

The first line says what it is: ``{"eactors store": 1, "id": "...", "keys": 2, "limit": 4194304}``, where
1 is the version of this format, ``keys`` how many lines follow, and ``limit`` the bytes that the store
could grow to. Each other line is one key: ``{"key": "YWxpY2U=", "value": "MTAw"}``, both in base64, in no
order that means anything. So a dump that was cut short is told from a whole one.
"""

from __future__ import annotations

import binascii
import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eactors.errors import EActorsError
from eactors.host.store_file import LARGEST_VALUE, LONGEST_KEY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FORMAT = "eactors store"
VERSION = 1
_LIMITS = range(1 << 14, 1 << 39)


@dataclass(frozen=True)
class Header:
    """The first line.

    Attributes:
        id: Of the store that was exported.
        keys: How many lines follow.
        limit: Bytes that the store could grow to.
    """

    id: str
    keys: int
    limit: int

    def line(self) -> str:
        """As it is written."""
        return json.dumps({FORMAT: VERSION, "id": self.id, "keys": self.keys, "limit": self.limit})


def record_json(key: bytes, value: bytes) -> dict[str, str]:
    """A key with its value, as JSON has them."""
    return {"key": b64encode(key).decode(), "value": b64encode(value).decode()}


class Dump:
    """A dump that is being read.

    Args:
        lines: All of it.

    Attributes:
        header: Its first line.

    Raises:
        EActorsError: It is no dump.
    """

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = enumerate(lines, 1)
        _, first = next(self._lines, (1, b""))
        self.header = _header(first)

    def records(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield every key with its value.

        Raises:
            EActorsError: A line is wrong, or there are not as many as the first has said.
        """
        count = 0
        for number, line in self._lines:
            yield _record(number, line)
            count += 1
        if count != self.header.keys:
            raise EActorsError(
                f"the dump has {count:,} keys, and its first line says {self.header.keys:,}",
                hint="it was cut short, or changed: export it again",
            )


def _header(line: bytes) -> Header:
    found = _object(line)
    version = found.get(FORMAT)
    if version is None:
        raise EActorsError(
            "standard input is no dump of a store", hint="give what 'eactors store export' has written"
        )
    if version != VERSION:
        raise EActorsError(
            f"the dump is of version {version!r}, and this reads version {VERSION}",
            hint="import it with the EActors that has exported it",
        )
    keys, limit = found.get("keys"), found.get("limit")
    if not (isinstance(keys, int) and keys >= 0 and isinstance(limit, int) and limit in _LIMITS):
        raise EActorsError(
            "line 1 of the dump says neither how many keys follow nor how large a store they need",
            hint="export it again",
        )
    return Header(str(found.get("id")), keys, limit)


def _record(number: int, line: bytes) -> tuple[bytes, bytes]:
    found = _object(line)
    try:
        key, value = (b64decode(found[name], validate=True) for name in ("key", "value"))
    except (KeyError, TypeError, binascii.Error) as error:
        raise _wrong(number, "is no key with its value") from error
    if len(key) > LONGEST_KEY:
        raise _wrong(number, f"has a key of {len(key):,} bytes, and the longest has {LONGEST_KEY:,}")
    if len(value) > LARGEST_VALUE:
        raise _wrong(number, f"has a value of {len(value):,} bytes, and the largest has {LARGEST_VALUE:,}")
    return key, value


def _object(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _wrong(number: int, what: str) -> EActorsError:
    return EActorsError(
        f"line {number:,} of the dump {what}",
        hint="what stands before it may be in the store already: correct it, and import it again",
    )
