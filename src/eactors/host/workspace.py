"""The files of one run: a folder and a name in shared memory, removed whatever happens."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self

from eactors.host.guard import Guard
from eactors.host.interrupts import Interrupts

if TYPE_CHECKING:
    from types import TracebackType

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - the directory of shared memory
ROOM = 1 << 30
"""Bytes that must be free there for the folder to be there, too: a container may have little."""

_SAID_BY_THE_USER = ("TMPDIR", "TEMP", "TMP")


class Workspace:
    """A private folder for a run, watched over by a guard. Enter it before there are threads.

    It is where TMPDIR says, or else in memory, if there is room: images are many small files that
    are soon removed again, and to write them to a disk can be a third of the time of a start.

    Attributes:
        folder: The folder, mode 0700.
        region: Where the shared region may be; made by whoever runs the application.
        guard: Kills and removes what is left if this process is killed without warning.
        interrupts: The signals that ask for the end of the run.
    """

    def __init__(self) -> None:
        self.folder = _place() / f"eactors-{secrets.token_hex(8)}"
        self.region = SHARED_MEMORY / f"eactors-{os.getpid()}-{secrets.token_hex(8)}"

    def __enter__(self) -> Self:
        """Make the folder."""
        self.guard = Guard(self.folder, self.region)
        self.interrupts = Interrupts().__enter__()
        self.folder.mkdir(mode=0o700)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove everything."""
        self.interrupts.__exit__(kind, error, trace)
        self.guard.dismiss()


def _place() -> Path:
    if not any(os.environ.get(name) for name in _SAID_BY_THE_USER) and _suits(SHARED_MEMORY):
        return SHARED_MEMORY
    return Path(tempfile.gettempdir())


def _suits(memory: Path) -> bool:
    try:
        found = os.statvfs(memory)
    except OSError:
        return False
    # Images hold libraries, which have to be mapped for execution.
    return not found.f_flag & os.ST_NOEXEC and found.f_bavail * found.f_frsize >= ROOM
