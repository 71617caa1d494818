"""Opening files that are below a directory, whatever path a client gives and whatever links lie there.

The kernel's openat2 resolves a path and never leaves the directory, not even while others
rename what it passes. Where a kernel lacks it, the path is walked one name at a time, and no
link is followed at all.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from functools import cache
from struct import pack

_OPENAT2 = 437
"""The number of the system call, on every architecture."""

_RESOLVE_NO_MAGICLINKS, _RESOLVE_BENEATH = 0x02, 0x08
_TRIES = 16
_NO_FOLLOW = os.O_NOFOLLOW | os.O_CLOEXEC


def open_beneath(directory: int, path: bytes, flags: int, mode: int = 0o666) -> int:
    """Open what lies at a path below an open directory.

    Args:
        directory: The directory's descriptor.
        path: Relative to it, of ordinary names only; empty: the directory itself.
        flags: As of `os.open`.
        mode: As of `os.open`.

    Raises:
        OSError: It cannot be opened, or the path leads out of the directory (EXDEV).
    """
    if not path:
        return os.open(b".", flags | os.O_CLOEXEC, dir_fd=directory)
    if not has_openat2():
        return walk_beneath(directory, path, flags, mode)
    how = pack(
        "QQQ",
        flags | os.O_CLOEXEC,
        mode if flags & os.O_CREAT else 0,
        _RESOLVE_BENEATH | _RESOLVE_NO_MAGICLINKS,
    )
    for _ in range(_TRIES):
        descriptor = _openat2(directory, path, how)
        if descriptor >= 0:
            return descriptor
        # Somebody has renamed what the kernel was passing: once more.
        if ctypes.get_errno() not in (errno.EAGAIN, errno.EINTR):
            break
    raise _error(ctypes.get_errno())


def walk_beneath(directory: int, path: bytes, flags: int, mode: int = 0o666) -> int:
    """The same without openat2: links are refused (ELOOP), also those that stay below."""
    *through, last = path.split(b"/")
    at = os.dup(directory)
    try:
        for name in through:
            below = os.open(name, os.O_PATH | os.O_DIRECTORY | _NO_FOLLOW, dir_fd=at)
            os.close(at)
            at = below
        descriptor = os.open(last, flags | _NO_FOLLOW, mode, dir_fd=at)
    except NotADirectoryError:
        # O_DIRECTORY says the same of a link, and of a file.
        raise _error(errno.ENOTDIR) from None
    finally:
        os.close(at)
    if flags & os.O_PATH and stat.S_ISLNK(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _error(errno.ELOOP)
    return descriptor


@cache
def has_openat2() -> bool:
    """Whether the kernel has openat2, and lets us use it."""
    here = os.open(b"/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        descriptor = _openat2(here, b".", pack("QQQ", os.O_PATH | os.O_CLOEXEC, 0, _RESOLVE_BENEATH))
        if descriptor >= 0:
            os.close(descriptor)
        return descriptor >= 0
    finally:
        os.close(here)


def _openat2(directory: int, path: bytes, how: bytes) -> int:
    arguments = (ctypes.c_char_p(path), ctypes.c_char_p(how), ctypes.c_size_t(len(how)))
    return int(_library().syscall(_OPENAT2, directory, *arguments))


@cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall.restype = ctypes.c_long
    return library


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))
