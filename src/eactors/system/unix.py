"""Unix sockets below the directories of the deployment.

The kernel binds and connects sockets by path only. ``/proc/self/fd/N`` is such a path, of what
`Grants` has opened: so nothing is looked up twice, and whoever changes directories and links
meanwhile changes nothing. It is short, too: a socket's address has 107 bytes, which a path of
the host may exceed.
"""

from __future__ import annotations

import errno
import os
import socket as kernel
import stat
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eactors.system.grants import Grants

LONGEST_NAME = 80
"""Bytes of the name of a socket that listens, for it stands behind the directory's path."""

_STREAM = kernel.SOCK_STREAM | kernel.SOCK_NONBLOCK


class Name:
    """The name of a listening socket, in its open directory.

    Args:
        folder: A descriptor of the directory, which it closes.
        name: In that directory.
    """

    def __init__(self, folder: int, name: bytes) -> None:
        self._folder = folder
        self._name = name
        self._socket: tuple[int, int] | None = None

    def bind(self, sock: kernel.socket) -> None:
        """Give a socket this name, if there is nothing of that name but a socket that nobody listens at.

        Raises:
            OSError: It cannot be done; a link of that name is in the way like anything else.
        """
        if len(self._name) > LONGEST_NAME:
            raise OSError(errno.ENAMETOOLONG, f"the name of a Unix socket has at most {LONGEST_NAME} bytes")
        self._remove_stale()
        sock.bind(_path_of(self._folder) + b"/" + self._name)
        self._socket = self._identity()

    def release(self) -> None:
        """Remove the name, unless it has become another's, and close the directory."""
        with suppress(OSError):  # somebody else has removed it
            if self._socket == self._identity():
                os.unlink(self._name, dir_fd=self._folder)
        os.close(self._folder)

    def _identity(self) -> tuple[int, int]:
        facts = os.stat(self._name, dir_fd=self._folder, follow_symlinks=False)
        return facts.st_dev, facts.st_ino

    def _remove_stale(self) -> None:
        try:
            found = os.open(self._name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._folder)
        except FileNotFoundError:
            return
        try:
            # What is no socket refuses connections, too.
            stale = stat.S_ISSOCK(os.fstat(found).st_mode) and _refuses(found)
        finally:
            os.close(found)
        if stale:
            os.unlink(self._name, dir_fd=self._folder)


def listen_below(grants: Grants, path: bytes, backlog: int) -> tuple[kernel.socket, Name]:
    """Listen at a path.

    Args:
        grants: Of the actor that asks.
        path: ``directory/path/below/it``.
        backlog: Connections that may wait in the kernel.

    Raises:
        OSError: It cannot be done, or the deployment does not grant it.
    """
    _check(path)
    with ExitStack() as undo:
        with grants.parent(path) as (folder, last):
            name = Name(os.dup(folder), last)
        undo.callback(name.release)
        sock = undo.enter_context(kernel.socket(kernel.AF_UNIX, _STREAM))
        name.bind(sock)
        sock.listen(backlog)
        undo.pop_all()
    return sock, name


def connect_below(grants: Grants, path: bytes) -> kernel.socket:
    """Connect to a path; see `listen_below`.

    Raises:
        OSError: It cannot be done, or the deployment does not grant it.
    """
    _check(path)
    found = grants.locate(path)
    try:
        with ExitStack() as undo:
            sock = undo.enter_context(kernel.socket(kernel.AF_UNIX, _STREAM))
            sock.connect(_path_of(found))
            undo.pop_all()
        return sock
    finally:
        os.close(found)


def _check(path: bytes) -> None:
    if path.startswith(b"\0"):
        words = "an abstract Unix socket is in no directory that a deployment could grant; use a path"
        raise OSError(errno.EACCES, words)


def _refuses(found: int) -> bool:
    with kernel.socket(kernel.AF_UNIX, _STREAM) as probe:
        return probe.connect_ex(_path_of(found)) == errno.ECONNREFUSED


def _path_of(descriptor: int) -> bytes:
    return b"/proc/self/fd/%d" % descriptor
