"""Grants: the directories that the deployment names for one actor, and what it may do there."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from eactors.system.beneath import open_beneath

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Grants:
    """What one actor may open; opened itself when it is first used.

    Args:
        client: The actor's name.
        directories: All of the deployment; see `eactors.deployment.plan.PlannedDirectory`.
    """

    def __init__(self, client: str, directories: Iterable[Mapping[str, Any]]) -> None:
        self._directories = {
            each["name"].encode(): each for each in directories if each["actor"] in (None, client)
        }
        self._open: dict[bytes, int] = {}

    def open(self, path: bytes, flags: int, mode: int = 0o666) -> int:
        """Open what lies at ``directory/path/below/it``.

        Raises:
            OSError: It cannot be opened, or the deployment does not grant it.
        """
        name, below = self._split(path)
        return self._open_below(name, below, flags, mode)

    def locate(self, path: bytes) -> int:
        """A descriptor, good for naming it only, of what is written to otherwise than by opening it.

        Raises:
            OSError: There is nothing, or the deployment does not grant it.
        """
        name, below = self._split(path)
        self._may_write(name)
        return self._open_below(name, below, os.O_PATH)

    @contextmanager
    def parent(self, path: bytes) -> Iterator[tuple[int, bytes]]:
        """The directory that a path to be changed lies in, open, and the name in it.

        Raises:
            OSError: It cannot be opened, or the deployment does not grant it.
        """
        name, below = self._split(path)
        if not below:
            raise OSError(errno.EBUSY, "it is a directory of the deployment itself")
        self._may_write(name)
        folder, _, last = below.rpartition(b"/")
        descriptor = self._open_below(name, folder, os.O_PATH | os.O_DIRECTORY)
        try:
            yield descriptor, last
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Close all that is open."""
        for descriptor in self._open.values():
            os.close(descriptor)
        self._open.clear()

    def _split(self, path: bytes) -> tuple[bytes, bytes]:
        name, *below = path.split(b"/")
        if b"\0" in path:
            raise OSError(errno.EINVAL, "a path has no NUL")
        if any(part in (b"", b".", b"..") for part in below):
            raise OSError(errno.EINVAL, "a path has no empty names, no '.' and no '..'")
        if name not in self._directories:
            granted = ", ".join(sorted(each.decode() for each in self._directories)) or "none"
            shown = name.decode("utf-8", "backslashreplace")
            raise OSError(
                errno.EACCES, f"the deployment grants no directory {shown!r} (it grants: {granted})"
            )
        return name, b"/".join(below)

    def _open_below(self, name: bytes, below: bytes, flags: int, mode: int = 0o666) -> int:
        if flags & _WRITING and not flags & os.O_PATH:
            self._may_write(name)
        if name not in self._open:
            path = self._directories[name]["path"]
            self._open[name] = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            return open_beneath(self._open[name], below, flags, mode)
        except OSError as error:
            if error.errno == errno.EXDEV:
                raise OSError(errno.EACCES, f"it leads out of the directory {name.decode()!r}") from None
            raise

    def _may_write(self, name: bytes) -> None:
        if self._directories[name]["access"] != "write":
            words = f"the deployment grants the directory {name.decode()!r} for reading only"
            raise OSError(errno.EROFS, words)
