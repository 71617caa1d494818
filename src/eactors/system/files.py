"""Files: opens, reads and writes files for actors, below the directories of the deployment.

What may wait for a disk is done by a thread. Only what the kernel has in memory is read at
once.
"""

from __future__ import annotations

import errno
import os
import stat
from heapq import nsmallest
from typing import TYPE_CHECKING, Any, ClassVar

from eactors.services import files_messages as files
from eactors.system.grants import Grants
from eactors.system.paced import PacedSession
from eactors.system.watches import Watches

if TYPE_CHECKING:
    from collections.abc import Callable

    from eactors.services.files_messages import Kind

MOST_FILES = 64
"""That one actor may have open at once."""

PAGE = 512
"""Names that one message lists; of the longest, too, they fit into it."""
_FULL = 1 << 16

_FLAGS = {
    "r": os.O_RDONLY,
    "r+": os.O_RDWR,
    "w": os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
    "w+": os.O_RDWR | os.O_CREAT | os.O_TRUNC,
    "a": os.O_WRONLY | os.O_CREAT | os.O_APPEND,
    "x": os.O_WRONLY | os.O_CREAT | os.O_EXCL,
    "x+": os.O_RDWR | os.O_CREAT | os.O_EXCL,
}
# Whatever lies at the path, opening it neither waits nor does anything to it.
_CAREFUL = os.O_NONBLOCK | os.O_NOCTTY


class _File:
    """An open file; `folder` is the path of the directory that its name may yet have to be kept in."""

    def __init__(self, descriptor: int, folder: bytes | None, *, append: bool) -> None:
        self.descriptor = descriptor
        self.folder = folder
        self.append = append


class FilesSession(PacedSession):
    """One actor's open files."""

    takes: ClassVar[Any] = files.Requests

    def handlers(self) -> dict[type, Callable[[Any], object]]:
        """By kind of request."""
        self._grants = Grants(self.client, self.settings.get("directories", ()))
        self._files: dict[int, _File] = {}
        self._watches = Watches(self)
        return {
            files.Open: self._open,
            files.Read: self._read,
            files.Write: self._write,
            files.Sync: self._sync,
            files.Truncate: self._truncate,
            files.Close: self._close,
            files.Stat: lambda request: self.in_thread(request, lambda: self._status(request), self.reply),
            files.List: lambda request: self.in_thread(request, lambda: self._page(request), self.reply),
            files.Rename: lambda request: self.in_thread(request, lambda: self._rename(request)),
            files.Remove: lambda request: self.in_thread(request, lambda: self._remove(request)),
            files.Make: lambda request: self.in_thread(request, lambda: self._make(request)),
            files.Settle: lambda request: self.in_thread(request, lambda: self._settle(request.path)),
            files.Watch: self._watch,
            files.Unwatch: self._unwatch,
        }

    def ended(self) -> None:
        """Close all files."""
        # A thread may still be at work with one of them; then it is closed behind it.
        self.when_idle(self._end)

    def _end(self) -> None:
        for file in self._files.values():
            os.close(file.descriptor)
        self._files.clear()
        self._watches.close()
        self._grants.close()

    def _open(self, request: files.Open) -> None:
        if request.file in self._files:
            raise OSError(errno.EEXIST, f"file {request.file} is open already")
        if len(self._files) >= MOST_FILES:
            raise OSError(errno.EMFILE, f"{MOST_FILES} files are the most that one actor may have open")

        def opened(file_and_size: tuple[_File, int]) -> None:
            file, size = file_and_size
            self._files[request.file] = file
            self.reply(files.Opened(request.id, size))

        self.in_thread(request, lambda: self._opened(request.path, request.mode), opened, _discard)

    def _opened(self, path: bytes, mode: str) -> tuple[_File, int]:
        flags = _FLAGS[mode] | _CAREFUL
        # Only what is not there before has a name to be kept on the disk.
        folder = path.rpartition(b"/")[0] if flags & os.O_CREAT else None
        # Emptied only when it has proved to be a file.
        descriptor = self._grants.open(path, flags & ~os.O_TRUNC)
        try:
            size = _size_of_file(descriptor)
            if flags & os.O_TRUNC:
                os.ftruncate(descriptor, 0)
        except BaseException:
            os.close(descriptor)
            raise
        return _File(descriptor, folder, append=mode == "a"), 0 if flags & os.O_TRUNC else size

    def _read(self, request: files.Read) -> None:
        descriptor = self._file(request.file).descriptor
        data = _read_cached(descriptor, request.offset, request.size)
        if data is not None:
            self.reply(files.Data(request.id, data))
            return
        self.in_thread(
            request,
            lambda: _read_all(descriptor, request.offset, request.size),
            lambda data: self.reply(files.Data(request.id, data)),
        )

    def _write(self, request: files.Write) -> None:
        file = self._file(request.file)
        self.in_thread(request, lambda: _write_all(file, request.offset, request.data))

    def _sync(self, request: files.Sync) -> None:
        file = self._file(request.file)

        def sync() -> None:
            os.fsync(file.descriptor)
            if file.folder is not None:
                self._settle(file.folder)
                file.folder = None

        self.in_thread(request, sync)

    def _truncate(self, request: files.Truncate) -> None:
        descriptor = self._file(request.file).descriptor
        self.in_thread(request, lambda: os.ftruncate(descriptor, request.size))

    def _close(self, request: files.Close) -> None:
        descriptor = self._file(request.file).descriptor
        del self._files[request.file]
        # It may wait, too, and tell what writing did not.
        self.in_thread(request, lambda: os.close(descriptor))

    def _file(self, number: int) -> _File:
        if number not in self._files:
            raise OSError(errno.EBADF, f"file {number} is not open")
        return self._files[number]

    def _status(self, request: files.Stat) -> files.Status:
        descriptor = self._grants.open(request.path, os.O_PATH)
        try:
            facts = os.fstat(descriptor)
        finally:
            os.close(descriptor)
        return files.Status(request.id, kind(facts.st_mode), facts.st_size, facts.st_mtime_ns)

    def _page(self, request: files.List) -> files.Listed:
        descriptor = self._grants.open(request.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with os.scandir(descriptor) as entries:
                found = ((os.fsencode(entry.name), _kind_of(entry)) for entry in entries)
                page = nsmallest(PAGE + 1, (each for each in found if each[0] > request.after))
        finally:
            os.close(descriptor)
        kept = page[:PAGE]
        while sum(len(name) + 16 for name, _ in kept) > _FULL:
            del kept[len(kept) // 2 :]
        return files.Listed(request.id, kept, more=len(page) > len(kept))

    def _rename(self, request: files.Rename) -> None:
        with (
            self._grants.parent(request.path) as (folder, name),
            self._grants.parent(request.to) as (to, new),
        ):
            os.rename(name, new, src_dir_fd=folder, dst_dir_fd=to)

    def _remove(self, request: files.Remove) -> None:
        with self._grants.parent(request.path) as (folder, name):
            facts = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if stat.S_ISDIR(facts.st_mode):
                os.rmdir(name, dir_fd=folder)
            else:
                os.unlink(name, dir_fd=folder)

    def _make(self, request: files.Make) -> None:
        with self._grants.parent(request.path) as (folder, name):
            os.mkdir(name, dir_fd=folder)

    def _settle(self, path: bytes) -> None:
        descriptor = self._grants.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _watch(self, request: files.Watch) -> None:
        self._watches.check(request.watch)
        self.in_thread(
            request,
            lambda: self._grants.open(request.path, os.O_PATH),
            lambda descriptor: self._add_watch(request, descriptor),
            os.close,
        )

    def _add_watch(self, request: files.Watch, descriptor: int) -> None:
        try:
            self._watches.add(request.watch, descriptor)
        except OSError as error:
            self.fail(request, error)
        else:
            self.done(request)
        finally:
            os.close(descriptor)

    def _unwatch(self, request: files.Unwatch) -> None:
        self._watches.remove(request.watch)
        self.done(request)


def _discard(file_and_size: tuple[_File, int]) -> None:
    os.close(file_and_size[0].descriptor)


def kind(mode: int) -> Kind:
    """What is at a path, by its mode."""
    kinds: tuple[tuple[Callable[[int], bool], Kind], ...] = (
        (stat.S_ISREG, "file"),
        (stat.S_ISDIR, "directory"),
        (stat.S_ISLNK, "link"),
        (stat.S_ISFIFO, "pipe"),
    )
    return next((word for test, word in kinds if test(mode)), "other")


def _size_of_file(descriptor: int) -> int:
    facts = os.fstat(descriptor)
    if stat.S_ISREG(facts.st_mode):
        return facts.st_size
    number = errno.EISDIR if stat.S_ISDIR(facts.st_mode) else errno.EINVAL
    raise OSError(number, f"it is no file but of the kind {kind(facts.st_mode)!r}")


def _kind_of(entry: os.DirEntry[str]) -> Kind:
    try:
        if entry.is_symlink():
            return "link"
        if entry.is_dir(follow_symlinks=False):
            return "directory"
        return kind(entry.stat(follow_symlinks=False).st_mode)
    except OSError:
        return "other"  # it has gone meanwhile


def _read_cached(descriptor: int, offset: int, size: int) -> bytes | None:
    """What the kernel has in memory; None if not all of it is there."""
    buffer = bytearray(size)
    try:
        got = os.preadv(descriptor, [buffer], offset, os.RWF_NOWAIT)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EOPNOTSUPP):
            return None
        raise
    return bytes(buffer) if got == size else None


def _read_all(descriptor: int, offset: int, size: int) -> bytes:
    chunks = []
    while size > 0 and (chunk := os.pread(descriptor, size, offset)):
        chunks.append(chunk)
        offset += len(chunk)
        size -= len(chunk)
    return b"".join(chunks)


def _write_all(file: _File, offset: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        # Linux appends with pwrite, too, but others do not.
        wrote = os.write(file.descriptor, view) if file.append else os.pwrite(file.descriptor, view, offset)
        offset += wrote
        view = view[wrote:]
