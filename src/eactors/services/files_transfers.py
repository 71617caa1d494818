"""What takes several messages: reading and writing more than a chunk, listing many names.

A transfer has a few requests under way at once, so that neither the channel nor the system
actor ever holds much of it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from eactors.answer import Answer
from eactors.services import files_messages as messages
from eactors.services.base import nonsense
from eactors.services.errors import SystemActorError
from eactors.services.files_messages import CHUNK, Kind

if TYPE_CHECKING:
    from eactors.services.base import Client

_WINDOW = 4
"""Requests of one transfer that are under way at once."""


class Entry:
    """A name in a directory.

    Attributes:
        name: The name.
        kind: ``"file"``, ``"directory"``, ``"link"``, ``"pipe"`` or ``"other"``.
    """

    __slots__ = ("kind", "name")

    def __init__(self, name: str, kind: Kind) -> None:
        self.name = name
        self.kind = kind

    def __repr__(self) -> str:
        return f"Entry({self.name!r}, {self.kind!r})"


class Reading:
    """Reads more than one message carries: some chunks at once, put together in their order."""

    def __init__(self, client: Client, file: int, offset: int, size: int) -> None:
        if offset < 0 or size < 0:
            raise ValueError(f"{size} bytes from {offset} on")
        self.answer: Answer[bytes] = Answer()
        self._client = client
        self._file = file
        self._next = offset
        self._end = offset + size
        self._chunks: list[bytes] = []
        self._open = 0
        self._ended = False
        self._ask()

    def _ask(self) -> None:
        while self._open < _WINDOW and self._next < self._end and not self.answer.done and not self._ended:
            size = min(CHUNK, self._end - self._next)
            request = messages.Read(self._client.next_number(), self._file, self._next, size)
            self._next += size
            self._open += 1
            self._client.ask(request, messages.Data, partial(_of_size, size)).then(
                partial(self._read, size), lambda error: self.answer.settle(None, error)
            )
        if self._open == 0:
            self.answer.settle(b"".join(self._chunks))

    def _read(self, size: int, data: bytes) -> None:
        self._open -= 1
        if not self._ended:
            self._chunks.append(data)
            # What was asked for beyond the end counts for nothing, though the file may have grown.
            self._ended = len(data) < size
        self._ask()


class Writing:
    """Writes more than one message carries; after a failure nothing more is asked for."""

    def __init__(self, client: Client, file: int, offset: int, data: bytes | memoryview) -> None:
        if offset < 0:
            raise ValueError(f"offset {offset}")
        self.answer: Answer[None] = Answer()
        self._client = client
        self._file = file
        self._offset = offset
        self._data = memoryview(data).cast("B")
        self._at = 0
        self._open = 0
        self._ask()

    def _ask(self) -> None:
        while self._open < _WINDOW and self._at < len(self._data) and not self.answer.done:
            chunk = bytes(self._data[self._at : self._at + CHUNK])
            place = self._offset + self._at
            self._at += len(chunk)
            self._open += 1
            self._client.ask(messages.Write(self._client.next_number(), self._file, place, chunk)).then(
                self._wrote, lambda error: self.answer.settle(None, error)
            )
        if self._open == 0:
            self.answer.settle(None)

    def _wrote(self, _: None) -> None:
        self._open -= 1
        self._ask()


class Listing:
    """Asks for one page of names after the other."""

    def __init__(self, client: Client, path: str, name: bytes, limit: int) -> None:
        self.answer: Answer[tuple[Entry, ...]] = Answer()
        self._client = client
        self._path = path
        self._name = name
        self._limit = limit
        self._entries: list[Entry] = []
        self._ask(b"")

    def _ask(self, after: bytes) -> None:
        request = messages.List(self._client.next_number(), self._name, after)
        self._client.ask(request, messages.Listed, partial(_page, after)).then(
            self._listed, lambda error: self.answer.settle(None, error)
        )

    def _listed(self, listed: messages.Listed) -> None:
        self._entries += [Entry(_decoded(name), kind) for name, kind in listed.entries]
        if len(self._entries) > self._limit:
            words = f"the directory has more than {self._limit} names"
            self.answer.settle(None, SystemActorError(f"list {self._path}", 75, words))  # EOVERFLOW
        elif listed.more:
            self._ask(listed.entries[-1][0])
        else:
            self.answer.settle(tuple(self._entries))


def checked_name(name: bytes) -> str:
    """A name in a directory, as the host says; it may not lead out of it."""
    if b"/" in name or b"\0" in name or name in (b".", b".."):
        raise nonsense(f"says that a name in a directory is {name!r}")
    return _decoded(name)


def _decoded(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def _of_size(size: int, message: messages.Data) -> bytes:
    if len(message.data) > size:
        raise nonsense(f"read {len(message.data)} bytes where {size} were asked for")
    return message.data


def _page(after: bytes, message: messages.Listed) -> messages.Listed:
    names = [name for name, _ in message.entries]
    if any(one >= other for one, other in zip([after, *names], names, strict=False)):
        raise nonsense("lists names that are not in their order")
    if message.more and not names:
        raise nonsense("says that more names follow no names")
    for name in names:
        checked_name(name)
    return message
