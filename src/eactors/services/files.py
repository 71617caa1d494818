"""Files: files of the host, below the directories that the deployment names.

An actor names a file by such a directory and the path below it: ``data/log.txt``. What is in a
file, and whether what was written is kept, is the host's word: an actor that must be sure of
what it reads seals what it writes (`Actor.seal`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from eactors.answer import Answer
from eactors.services import files_messages as messages
from eactors.services.base import Client, Done, Service, nonsense
from eactors.services.errors import SystemActorError
from eactors.services.files_messages import MODES, Kind, Mode, What
from eactors.services.files_transfers import Entry, Listing, Reading, Writing, checked_name
from eactors.services.files_turns import Both, Turns, Within
from eactors.services.paths import encoded_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self, overload

    import msgspec

    from eactors import _native
    from eactors.services.errors import SystemActorMisbehaved

WHOLE = 1 << 26
"""Bytes that a file may have which is read as a whole, unless the actor says otherwise."""

MOST_ENTRIES = 1 << 17


class Stat:
    """What is at a path, which may be that of a link: then of what it leads to.

    Attributes:
        kind: ``"file"``, ``"directory"``, ``"pipe"`` or ``"other"``.
        size: Bytes.
        modified: When it was changed last, in seconds since 1970 (UTC).
    """

    __slots__ = ("kind", "modified", "size")

    def __init__(self, kind: Kind, size: int, modified: float) -> None:
        self.kind = kind
        self.size = size
        self.modified = modified

    def __repr__(self) -> str:
        return f"Stat({self.kind!r}, {self.size}, {self.modified})"


class File:
    """An open file.

    Attributes:
        path: What it was opened as.
        size: Bytes that it had then.
    """

    def __init__(self, client: FilesClient, number: int, path: str) -> None:
        self._client = client
        self.number = number
        self.path = path
        self.size = 0

    def read(self, offset: int, size: int) -> Answer[bytes]:
        """Read so many bytes from ``offset``; fewer only where the file ends."""
        return Reading(self._client, self.number, offset, size).answer

    def write(self, offset: int, data: bytes | memoryview) -> Answer[None]:
        """Write all of ``data`` at ``offset``; at the end, if the file was opened to append."""
        return Writing(self._client, self.number, offset, data).answer

    def append(self, data: bytes) -> Answer[None]:
        """Write at the end of a file that was opened with mode ``"a"``."""
        return self.write(0, data)

    def sync(self) -> Answer[None]:
        """Put on the disk what was written before; when it is answered, a crash takes none of it."""
        return self._client.ask(messages.Sync(self._client.next_number(), self.number))

    def truncate(self, size: int) -> Answer[None]:
        """Give the file another length."""
        return self._client.ask(messages.Truncate(self._client.next_number(), self.number, size))

    def close(self) -> Answer[None]:
        """Close it. What was asked for before is still answered."""
        return self._client.ask(messages.Close(self._client.next_number(), self.number))


class Watch:
    """Changes that are being told.

    Attributes:
        call: Called as ``call(what, name)``; see `FilesClient.watch`.
    """

    def __init__(self, client: FilesClient, number: int, call: Callable[[What, str], object]) -> None:
        self._client = client
        self.number = number
        self.call = call

    def cancel(self) -> None:
        """Be told no more."""
        self._client.unwatch(self)


class FilesClient(Client):
    """Opens, reads and writes files. A path is ``directory/path/below/it``.

    All of it is done in the order in which it was asked for: what is read has what was written
    before, and no two appended records are mixed. Open files go their own ways.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._watches: dict[int, Watch | None] = {}
        self._turns = Turns()

    def open(self, path: str, mode: Mode = "r") -> Answer[File]:
        """Open a file.

        Args:
            path: Of the file.
            mode: As of Python's ``open``, always of bytes: ``"r"`` to read, ``"r+"`` to read and write,
                ``"w"`` and ``"w+"`` the same for a new or emptied file, ``"x"`` and ``"x+"`` for a new
                one, ``"a"`` to write at the end.

        Raises:
            ValueError: There is no such mode, or the path is too long.
        """
        if mode not in MODES:
            raise ValueError(f"mode {mode!r} is none of {', '.join(MODES)}")
        name = encoded_path(path)
        return self._turns.take(lambda: self._open_file(path, name, mode))

    def read(self, path: str, limit: int = WHOLE) -> Answer[bytes]:
        """Read a whole file.

        Args:
            path: Of the file.
            limit: The most bytes that it may have; of a larger one the answer is an error.
        """
        name = encoded_path(path)

        def start() -> Answer[bytes]:
            return Within(self._open_file(path, name, "r"), lambda file: file.read(0, limit + 1)).answer

        def bounded(data: bytes) -> bytes:
            if len(data) > limit:
                words = f"the file has more than {limit} bytes"
                raise SystemActorError(f"read {path}", 27, words)  # EFBIG
            return data

        return self._turns.take(start, alone=True, made=bounded)

    def write(self, path: str, data: bytes, *, sync: bool = False) -> Answer[None]:
        """Make a file with this content, or give one this content.

        Args:
            path: Of the file.
            data: All that will be in it.
            sync: Put it on the disk before the answer.
        """
        return self._put(path, "w", data, sync=sync)

    def append(self, path: str, data: bytes, *, sync: bool = False) -> Answer[None]:
        """Write at the end of a file, which is made if there is none; like `write`."""
        return self._put(path, "a", data, sync=sync)

    def stat(self, path: str) -> Answer[Stat]:
        """Ask what is at a path."""
        return self._ask(
            messages.Stat(self.next_number(), encoded_path(path)),
            messages.Status,
            lambda status: Stat(status.kind, status.size, status.modified / 1e9),
        )

    def list(self, path: str, limit: int = MOST_ENTRIES) -> Answer[tuple[Entry, ...]]:
        """List the names in a directory, in their order.

        Args:
            path: Of the directory.
            limit: How many names there may be; of more the answer is an error.
        """
        name = encoded_path(path)
        return self._turns.take(lambda: Listing(self, path, name, limit).answer, alone=True)

    def rename(self, path: str, to: str) -> Answer[None]:
        """Give a file or directory another path, in the place of a file that has it."""
        return self._ask(messages.Rename(self.next_number(), encoded_path(path), encoded_path(to)))

    def remove(self, path: str) -> Answer[None]:
        """Remove a file, a link, or an empty directory."""
        return self._ask(messages.Remove(self.next_number(), encoded_path(path)))

    def make_directory(self, path: str) -> Answer[None]:
        """Make a directory."""
        return self._ask(messages.Make(self.next_number(), encoded_path(path)))

    def settle(self, path: str) -> Answer[None]:
        """Put the names in a directory on the disk: what was made, renamed and removed there."""
        return self._ask(messages.Settle(self.next_number(), encoded_path(path)))

    def watch(self, path: str, call: Callable[[What, str], object]) -> Answer[Watch]:
        """Be told of changes of a file, or in a directory (but not in those below it).

        Args:
            path: Of the file or directory.
            call: Called as ``call(what, name)``: ``"created"``, ``"removed"`` or ``"changed"``, and the
                name in the directory, or ``""``: the watched file or directory itself; or ``"lost"``, if
                changes came faster than they were told, so that it is time to look at everything again.
        """
        watch = Watch(self, self.next_number(), call)
        self._watches[watch.number] = watch
        answer: Answer[Watch] = Answer()

        def failed(error: Exception) -> None:
            self._watches.pop(watch.number, None)
            answer.settle(None, error)

        self._ask(messages.Watch(self.next_number(), watch.number, encoded_path(path))).then(
            lambda _: answer.settle(watch), failed
        )
        return answer

    def unwatch(self, watch: Watch) -> None:
        """See `Watch.cancel`."""
        if self._watches.get(watch.number) is not watch:
            return
        # A change may be on its way; the number is known until the system actor has heard.
        self._watches[watch.number] = None
        request = messages.Unwatch(self.next_number(), watch.number)
        self.ask(request).then(lambda _: self._watches.pop(watch.number, None), _nothing)

    def waits(self) -> bool:
        """Something is watched."""
        return bool(self._watches)

    def event(self, message: Any) -> None:
        """A change."""
        if message.watch not in self._watches:
            raise nonsense(f"tells of changes for {message.watch}, which watches nothing")
        name = checked_name(message.name) if message.name else ""
        watch = self._watches[message.watch]
        if watch is not None:
            watch.call(message.what, name)

    def abandon(self, error: SystemActorMisbehaved) -> None:
        """No change is told any more, and actors that only wait for one must hear of it."""
        waiting = any(self._watches.values())
        self._watches.clear()
        if waiting:
            raise error

    def _put(self, path: str, mode: Mode, data: bytes, *, sync: bool) -> Answer[None]:
        name, content = encoded_path(path), memoryview(data)  # before anything is opened, and so emptied

        def use(file: File) -> Answer[None]:
            return Both(file.write(0, content), file.sync).answer if sync else file.write(0, content)

        return self._turns.take(lambda: Within(self._open_file(path, name, mode), use).answer, alone=True)

    def _open_file(self, path: str, name: bytes, mode: Mode) -> Answer[File]:
        file = File(self, self.next_number(), path)

        def opened(message: messages.Opened) -> File:
            file.size = message.size
            return file

        request = messages.Open(self.next_number(), file.number, name, mode)
        return self.ask(request, messages.Opened, opened)

    def _ask(
        self, request: Any, answered: type = Done, made: Callable[[Any], Any] | None = None
    ) -> Answer[Any]:
        return self._turns.take(lambda: self.ask(request, answered, made))


def _nothing(_: object) -> None:
    pass


class Files(Service):
    """Files, declared in an actor class: ``files = Files()``; at run time, a `FilesClient`."""

    system: ClassVar[str] = "files"
    says: ClassVar[Any] = messages.Says
    capacity: ClassVar[int] = 16
    node_size: ClassVar[int] = 1 << 14

    def client(self, connector: _native.Connector, decoder: msgspec.msgpack.Decoder[Any]) -> FilesClient:
        """A client."""
        return FilesClient(connector, self.system, decoder)

    if TYPE_CHECKING:

        @overload  # type: ignore[override]  # a client stands for its connector
        def __get__(self, instance: None, owner: type) -> Self: ...
        @overload
        def __get__(self, instance: object, owner: type) -> FilesClient: ...
        def __get__(self, instance: object | None, owner: type) -> Any: ...
