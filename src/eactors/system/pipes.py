"""Pipes: opens, reads and writes named pipes for actors, below the directories of the deployment.

Nothing here blocks, and nothing is read that was not asked for: what a slow actor does not
read stays in the pipe, and holds up whoever writes into it.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, Any, ClassVar

from eactors.services import pipes
from eactors.services.base import Done
from eactors.system.grants import Grants
from eactors.system.reactor import READ, WRITE
from eactors.system.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_PIPES = 64
"""That one actor may have open at once."""

_AGAIN = 0.05
"""Seconds until we look again for a reader: the kernel tells nobody of one without blocking him."""


class _Pipe:
    """One end; its descriptor is None while it awaits the other end."""

    def __init__(self, opening: pipes.Open) -> None:
        self.opening: pipes.Open | None = opening
        self.end = opening.end
        self.descriptor: int | None = None
        self.reading: pipes.Read | None = None
        self.writing: pipes.Write | None = None
        self.left = memoryview(b"")

    def requests(self) -> list[Any]:
        return [each for each in (self.opening, self.reading, self.writing) if each is not None]


class PipesSession(Session):
    """One actor's open pipes."""

    takes: ClassVar[Any] = pipes.Requests

    def handlers(self) -> dict[type, Callable[[Any], object]]:
        """By kind of request."""
        self._grants = Grants(self.client, self.settings.get("directories", ()))
        self._pipes: dict[int, _Pipe] = {}
        return {
            pipes.Make: self._make,
            pipes.Open: self._open,
            pipes.Read: self._read,
            pipes.Write: self._write,
            pipes.Close: self._close,
        }

    def ended(self) -> None:
        """Close all pipes."""
        for pipe in self._pipes.values():
            self._shut(pipe)
        self._pipes.clear()
        self._grants.close()

    def _make(self, request: pipes.Make) -> None:
        with self._grants.parent(request.path) as (folder, name):
            os.mkfifo(name, 0o600, dir_fd=folder)
        self.done(request)

    def _open(self, request: pipes.Open) -> None:
        if len(self._pipes) >= MOST_PIPES or request.pipe in self._pipes:
            raise OSError(errno.EMFILE, f"{MOST_PIPES} pipes are the most that one actor may have open")
        self._pipes[request.pipe] = pipe = _Pipe(request)
        try:
            self._try_to_open(request, pipe)
        except OSError:
            del self._pipes[request.pipe]
            raise

    def _try_to_open(self, request: pipes.Open, pipe: _Pipe) -> None:
        flags = os.O_RDONLY if request.end == "read" else os.O_WRONLY
        try:
            descriptor = self._grants.open(request.path, flags | os.O_NONBLOCK | os.O_NOCTTY)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            self.reactor.later(_AGAIN, lambda: self._open_again(request, pipe))
            return
        if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(errno.EINVAL, "it is no named pipe")
        pipe.descriptor, pipe.opening = descriptor, None
        self.done(request)

    def _open_again(self, request: pipes.Open, pipe: _Pipe) -> None:
        if self._pipes.get(request.pipe) is not pipe:
            return
        try:
            self._try_to_open(request, pipe)
        except OSError as error:
            del self._pipes[request.pipe]
            self.fail(request, error)

    def _read(self, request: pipes.Read) -> None:
        pipe, descriptor = self._pipe(request.pipe, "read")
        if pipe.reading is not None:
            raise OSError(errno.EBUSY, "it is being read")
        pipe.reading = request
        # Only the reactor tells a pipe that nobody has written to yet from one that has ended.
        self.reactor.register(descriptor, READ, lambda _: self._readable(pipe, descriptor))

    def _readable(self, pipe: _Pipe, descriptor: int) -> None:
        request = pipe.reading
        assert request is not None
        try:
            data = os.read(descriptor, request.size)
        except BlockingIOError:
            return
        except OSError as error:
            self._settle(pipe, descriptor)
            self.fail(request, error)
            return
        self._settle(pipe, descriptor)
        self.reply(pipes.Data(request.id, data))

    def _write(self, request: pipes.Write) -> None:
        pipe, descriptor = self._pipe(request.pipe, "write")
        if pipe.writing is not None:
            raise OSError(errno.EBUSY, "it is being written to")
        pipe.writing, pipe.left = request, memoryview(request.data)
        self.reactor.register(descriptor, WRITE, lambda _: self._writable(pipe, descriptor))

    def _writable(self, pipe: _Pipe, descriptor: int) -> None:
        request = pipe.writing
        assert request is not None
        try:
            pipe.left = pipe.left[os.write(descriptor, pipe.left) :]
        except BlockingIOError:
            return
        except OSError as error:
            self._settle(pipe, descriptor)
            self.fail(request, error)
            return
        if not pipe.left:
            self._settle(pipe, descriptor)
            self.done(request)

    def _settle(self, pipe: _Pipe, descriptor: int) -> None:
        # While nothing is wanted, the end of the pipe would be told again and again.
        self.reactor.unregister(descriptor)
        pipe.reading = pipe.writing = None
        pipe.left = memoryview(b"")

    def _close(self, request: pipes.Close) -> None:
        pipe = self._pipes.pop(request.pipe, None)
        if pipe is None:
            raise OSError(errno.EBADF, f"pipe {request.pipe} is not open")
        waiting = pipe.requests()
        self._shut(pipe)
        for each in waiting:
            self.fail(each, OSError(errno.ECANCELED, "the pipe was closed"))
        self.reply(Done(request.id))

    def _shut(self, pipe: _Pipe) -> None:
        if pipe.descriptor is not None:
            self._settle(pipe, pipe.descriptor)
            os.close(pipe.descriptor)
            pipe.descriptor = None

    def _pipe(self, number: int, end: str) -> tuple[_Pipe, int]:
        pipe = self._pipes.get(number)
        if pipe is None or pipe.descriptor is None:
            raise OSError(errno.EBADF, f"pipe {number} is not open")
        if pipe.end != end:
            raise OSError(errno.EBADF, f"pipe {number} is not open to {end}")
        return pipe, pipe.descriptor
