"""Pipes: named pipes of the host, below the directories that the deployment names.

A request to read is answered when there is something, one to write when all of it is in the
pipe: so nobody ever holds more than a chunk of what the other end has not taken.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import msgspec

from eactors.answer import Answer
from eactors.services.base import Client, Done, Failed, Message, Number, Service, nonsense
from eactors.services.paths import Path, encoded_path

if TYPE_CHECKING:
    from typing import Self, overload

    from eactors import _native

CHUNK = 1 << 16
"""Bytes that one message carries at most; as many as a pipe holds."""

End = Literal["read", "write"]
Chunk = Annotated[bytes, msgspec.Meta(max_length=CHUNK)]


class Make(Message, tag=10):
    """Make a named pipe."""

    id: Number
    path: Path


class Open(Message, tag=11):
    """Open one end; that to write is open when somebody has opened the other."""

    id: Number
    pipe: Number
    path: Path
    end: End


class Read(Message, tag=12):
    """Read what is there, at most so many bytes, or wait for it. Answer: `Data`."""

    id: Number
    pipe: Number
    size: Annotated[int, msgspec.Meta(ge=1, le=CHUNK)]


class Write(Message, tag=13):
    """Write all of it."""

    id: Number
    pipe: Number
    data: Chunk


class Close(Message, tag=14):
    """Close it; what it is waited for fails."""

    id: Number
    pipe: Number


class Data(Message, tag=20):
    """What was read; nothing: whoever wrote has closed."""

    id: Number
    data: Chunk


Requests = Make | Open | Read | Write | Close
Says = Done | Failed | Data


class Pipe:
    """One end of a named pipe.

    Attributes:
        path: What it was opened as.
    """

    def __init__(self, client: PipesClient, number: int, path: str) -> None:
        self._client = client
        self.number = number
        self.path = path
        # The first of each is under way.
        self._reads: deque[tuple[int, Answer[bytes]]] = deque()
        self._writes: deque[tuple[memoryview, Answer[None]]] = deque()

    def read(self, size: int = CHUNK) -> Answer[bytes]:
        """Read what is there, at most so many bytes, or wait for some; ``b""``: whoever wrote has closed."""
        if size < 1:
            raise ValueError(f"{size} bytes")
        answer: Answer[bytes] = Answer()
        self._reads.append((min(size, CHUNK), answer))
        if len(self._reads) == 1:
            self._read()
        return answer

    def write(self, data: bytes) -> Answer[None]:
        """Write all of ``data``; answered when all of it is in the pipe."""
        answer: Answer[None] = Answer()
        self._writes.append((memoryview(data).cast("B"), answer))
        if len(self._writes) == 1:
            self._write()
        return answer

    def close(self) -> Answer[None]:
        """Close it; what it was asked for and has not answered yet fails."""
        return self._client.ask(Close(self._client.next_number(), self.number))

    def _read(self) -> None:
        size, answer = self._reads[0]

        def checked(message: Data) -> bytes:
            if len(message.data) > size:
                raise nonsense(f"read {len(message.data)} bytes where {size} were asked for")
            return message.data

        def read(data: bytes) -> None:
            self._reads.popleft()
            if self._reads:
                self._read()
            answer.settle(data)

        request = Read(self._client.next_number(), self.number, size)
        self._client.ask(request, Data, checked).then(read, lambda error: _fail(self._reads, error))

    def _write(self) -> None:
        data, answer = self._writes[0]

        def wrote(_: None) -> None:
            self._writes.popleft()
            if len(data) > CHUNK:
                self._writes.appendleft((data[CHUNK:], answer))
            if self._writes:
                self._write()
            if len(data) <= CHUNK:
                answer.settle(None)

        request = Write(self._client.next_number(), self.number, bytes(data[:CHUNK]))
        self._client.ask(request).then(wrote, lambda error: _fail(self._writes, error))


def _fail(waiting: deque[tuple[Any, Answer[Any]]], error: Exception) -> None:
    """What waited behind a failure fails with it: a stream has no gaps."""
    answers = [answer for _, answer in waiting]
    waiting.clear()
    for answer in answers:
        answer.settle(None, error)


class PipesClient(Client):
    """Makes and opens named pipes. A path is ``directory/path/below/it``."""

    def make(self, path: str) -> Answer[None]:
        """Make a named pipe."""
        return self.ask(Make(self.next_number(), encoded_path(path)))

    def open(self, path: str, end: End) -> Answer[Pipe]:
        """Open one end of a named pipe.

        Args:
            path: Of the pipe.
            end: ``"read"``, which is open at once, or ``"write"``, which is open when somebody has opened
                the other end.

        Raises:
            ValueError: There is no such end, or the path is too long.
        """
        if end not in ("read", "write"):
            raise ValueError(f'an end of a pipe is "read" or "write", not {end!r}')
        pipe = Pipe(self, self.next_number(), path)
        return self.ask(Open(self.next_number(), pipe.number, encoded_path(path), end), Done, lambda _: pipe)

    def waits(self) -> bool:
        """It says nothing unasked."""
        return False


class Pipes(Service):
    """Named pipes, declared in an actor class: ``pipes = Pipes()``; at run time, a `PipesClient`."""

    system: ClassVar[str] = "pipes"
    says: ClassVar[Any] = Says
    capacity: ClassVar[int] = 16
    node_size: ClassVar[int] = 1 << 14

    def client(self, connector: _native.Connector, decoder: msgspec.msgpack.Decoder[Any]) -> PipesClient:
        """A client."""
        return PipesClient(connector, self.system, decoder)

    if TYPE_CHECKING:

        @overload  # type: ignore[override]  # a client stands for its connector
        def __get__(self, instance: None, owner: type) -> Self: ...
        @overload
        def __get__(self, instance: object, owner: type) -> PipesClient: ...
        def __get__(self, instance: object | None, owner: type) -> Any: ...
