"""What one installation remembers: secrets of its simulated CPU and development keys.

Everything lies in one directory that only its user may enter. A secret is made once, and
whole: it is written to a file of another name and then linked to its own, so that of two
processes that make it at the same time both end with the first one's.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from eactors.errors import EActorsError, KeyFileError

if TYPE_CHECKING:
    from collections.abc import Callable

_OTHERS = 0o077


def state_directory() -> Path:
    """Return the directory, which is made if need be, with mode 0700.

    It is ``$XDG_STATE_HOME/eactors``, or else ``~/.local/state/eactors`` (XDG Base
    Directory Specification).

    Raises:
        EActorsError: It cannot be made.
    """
    base = os.environ.get("XDG_STATE_HOME", "")
    # The specification: a path that is not absolute is to be ignored.
    folder = (Path(base) if base.startswith("/") else Path.home() / ".local" / "state") / "eactors"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_mode & _OTHERS:
            folder.chmod(0o700)
    except OSError as error:
        raise EActorsError(
            f"the state directory {folder} cannot be made: {error.strerror}",
            hint="set XDG_STATE_HOME to a directory that you may write to",
        ) from error
    return folder


def secret_file(path: Path, make: Callable[[], bytes]) -> bytes:
    """Return what a secret file holds, which is made if it does not exist.

    Args:
        path: The file.
        make: Returns what to put into a new one; called at most once.

    Raises:
        KeyFileError: Others than its owner may read it, or it cannot be read or made.
    """
    try:
        if not path.exists():
            write_secret(path, make())
        return read_secret(path)
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}") from error


def read_secret(path: Path) -> bytes:
    """Return what a secret file holds.

    Raises:
        KeyFileError: Others than its owner may read or change it.
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_mode & _OTHERS:
            raise KeyFileError(
                f"{path} holds a secret, but others than its owner may read or change it",
                hint=f"chmod 600 {path}",
            )
        return file.read()


def write_secret(path: Path, data: bytes) -> bool:
    """Make a secret file with mode 0600; False if there is such a file already.

    Raises:
        OSError: It cannot be made.
    """
    draft = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor
            file.write(data)
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True
