"""Watches: the changes of files and directories that one actor is told of, by inotify.

The kernel's queue of changes is bounded, and nothing is read from it while the client is
behind: what did not fit into it is told as one ``lost``.
"""

from __future__ import annotations

import ctypes
import errno
import os
from functools import cache
from struct import Struct
from typing import TYPE_CHECKING

from eactors.services import files_messages as files
from eactors.system.reactor import READ

if TYPE_CHECKING:
    from eactors.services.files_messages import What
    from eactors.system.session import Session

MOST_WATCHES = 64
"""That one actor may have at once."""

_HEADER = Struct("iIII")
_BUFFER = 1 << 14

_MODIFY, _Q_OVERFLOW = 0x2, 0x4000
_MOVED_FROM, _MOVED_TO, _CREATE, _DELETE, _DELETE_SELF, _MOVE_SELF = 0x40, 0x80, 0x100, 0x200, 0x400, 0x800
_WANTED = _MODIFY | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE | _DELETE_SELF | _MOVE_SELF
_WHAT: tuple[tuple[int, What], ...] = (
    (_CREATE | _MOVED_TO, "created"),
    (_DELETE | _MOVED_FROM | _DELETE_SELF | _MOVE_SELF, "removed"),
    (_MODIFY, "changed"),
)


class Watches:
    """What one session's client watches.

    Args:
        session: Tells the changes.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._inotify: int | None = None
        self._descriptors: dict[int, int] = {}
        """The kernel's number of each watch; one of the kernel's may serve several."""

    def check(self, watch: int) -> None:
        """Refuse one watch too many, or one number for two."""
        if watch in self._descriptors or len(self._descriptors) >= MOST_WATCHES:
            raise OSError(errno.EMFILE, f"{MOST_WATCHES} watches are the most that one actor may have")

    def add(self, watch: int, descriptor: int) -> None:
        """Watch what is open."""
        if self._inotify is None:
            self._inotify = _checked(_library().inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
            self._session.reactor.register(self._inotify, READ, lambda _: self._changed())
        path = ctypes.c_char_p(b"/proc/self/fd/%d" % descriptor)
        self._descriptors[watch] = _checked(_library().inotify_add_watch(self._inotify, path, _WANTED))

    def remove(self, watch: int) -> None:
        """Watch it no more."""
        number = self._descriptors.pop(watch, None)
        if number is not None and number not in self._descriptors.values():
            assert self._inotify is not None
            # The kernel has forgotten what was removed.
            _library().inotify_rm_watch(self._inotify, number)

    def close(self) -> None:
        """Watch nothing more."""
        self._descriptors.clear()
        if self._inotify is not None:
            self._session.reactor.unregister(self._inotify)
            os.close(self._inotify)
            self._inotify = None

    def _changed(self) -> None:
        assert self._inotify is not None
        if self._session.is_behind():
            self._session.reactor.modify(self._inotify, 0)
            self._session.when_heard(self._resume)
            return
        try:
            data = os.read(self._inotify, _BUFFER)
        except BlockingIOError:
            return
        told: dict[tuple[int, What, bytes], None] = {}
        at = 0
        while at < len(data):
            number, mask, _, length = _HEADER.unpack_from(data, at)
            at += _HEADER.size
            name = data[at : at + length].rstrip(b"\0")
            at += length
            self._note(told, number, mask, name)
        for watch, what, name in told:
            self._session.reply(files.Changed(watch, what, name))

    def _note(self, told: dict[tuple[int, What, bytes], None], number: int, mask: int, name: bytes) -> None:
        if mask & _Q_OVERFLOW:
            told.update(dict.fromkeys((watch, "lost", b"") for watch in self._descriptors))
            return
        what = next((what for bits, what in _WHAT if mask & bits), None)
        if what is None:
            return
        for watch, watched in self._descriptors.items():
            if watched == number:
                key = (watch, what, name)
                told.pop(key, None)  # the latest place: what happens last is told last
                told[key] = None

    def _resume(self) -> None:
        if self._inotify is not None:
            self._session.reactor.modify(self._inotify, READ)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


@cache
def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
