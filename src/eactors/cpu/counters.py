"""Monotonic counters: what makes an old state of a store known as one, after any number of restarts.

A counter is a number that only rises, and 16 bytes beside it; it is read, or advanced by whoever
knows what it is. All CPUs of this installation have the same ones, each in a file of its own,
and one at a time changes any: a lock on their folder. When an advance is answered it is on the disk.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from eactors.cpu.structures import DEBUG, POLICY_MRENCLAVE, POLICY_MRSIGNER, Refused
from eactors.errors import EActorsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from eactors.cpu.instructions import Secs

NAME_SIZE, VALUE_SIZE = 32, 24
_NUMBER = 8
_ANYONE = 0
_DRAFT = "draft"


class Counters:
    """The counters of an installation.

    Args:
        folder: Where they are kept; made when the first one is.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, secs: Secs, operands: bytes) -> bytes:
        """Read a counter.

        Args:
            secs: Who asks.
            operands: The policy (1 byte: 0 anyone who knows the name, 1 this measurement, 2 this
                signer and product id) and the name (32 bytes).

        Returns:
            The number (8 bytes, little-endian) and what is beside it (16); nothing: there is none.

        Raises:
            Refused: The operands are malformed.
            EActorsError: The counter's file is damaged.
        """
        if len(operands) != 1 + NAME_SIZE:
            raise Refused(f"what names a counter has {1 + NAME_SIZE} bytes, not {len(operands)}")
        return self._read(self._path(secs, operands))

    def advance(self, secs: Secs, operands: bytes) -> bytes:
        """Advance a counter, if it is what is expected.

        Args:
            secs: Who asks.
            operands: What names it, the new value, and the expected one; no expected one: there is
                to be no such counter, and it is made.

        Returns:
            What it is then: the new value, or why that was not put.

        Raises:
            Refused: The operands are malformed, or the number would not rise.
            EActorsError: The counter's file is damaged.
            OSError: The disk is full, or failing.
        """
        named, values = operands[: 1 + NAME_SIZE], operands[1 + NAME_SIZE :]
        new, expected = values[:VALUE_SIZE], values[VALUE_SIZE:]
        if len(new) != VALUE_SIZE or len(expected) not in (0, VALUE_SIZE):
            raise Refused("what a counter is advanced to, or from, has another size")
        if expected and _number(new) <= _number(expected):
            raise Refused("the number of a counter only rises")
        path = self._path(secs, named)
        with self._locked() as folder:
            now = self._read(path)
            if now != expected:
                return now
            self._write(path, new)
            os.fsync(folder)
        return new

    def _path(self, secs: Secs, named: bytes) -> Path:
        """Whoever may not use a counter arrives at another one."""
        policy = named[0]
        if policy not in (_ANYONE, POLICY_MRENCLAVE, POLICY_MRSIGNER):
            raise Refused(f"nobody is meant by policy {policy} of a counter")
        who = bytes(34)
        if policy == POLICY_MRENCLAVE:
            who = secs.measurement + bytes(2)
        elif policy == POLICY_MRSIGNER:
            who = secs.signer + secs.product_id.to_bytes(2, "little")
        debug = bytes((secs.attributes[0] & DEBUG,))
        return self._folder / hashlib.sha256(named + who + debug).hexdigest()

    def _read(self, path: Path) -> bytes:
        try:
            value = path.read_bytes()
        except FileNotFoundError:
            return b""
        if len(value) != VALUE_SIZE:
            raise EActorsError(
                f"{path} is damaged: it has {len(value)} bytes instead of {VALUE_SIZE}; restore it, for"
                " without it the store whose counter it was cannot be used again"
            )
        return value

    @contextmanager
    def _locked(self) -> Iterator[int]:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield folder
        finally:
            os.close(folder)

    def _write(self, path: Path, value: bytes) -> None:
        """Put it there whole, or not at all."""
        draft = self._folder / _DRAFT
        with draft.open("wb") as file:
            file.write(value)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)


def _number(value: bytes) -> int:
    return int.from_bytes(value[:_NUMBER], "little")
