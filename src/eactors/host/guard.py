"""The guard: a process that cleans up when the launcher is killed without warning.

It waits for the other end of a pipe to vanish, which the kernel sees to however the
launcher ends, and removes what would be left behind: the enclave folders, the files in
shared memory, and any enclave that the kernel's own signal has missed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from pathlib import Path

_ATTEMPTS, _PAUSE = 100, 0.02


class Guard:
    """Watches over one launcher. Make it before the launcher has any other thread.

    Args:
        folder: A directory to remove.
        region: A file to remove, and with it all whose names begin so.
    """

    def __init__(self, folder: Path, region: Path) -> None:
        reader, self._writer = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            _guard(reader, self._writer, folder, region)
        os.close(reader)

    def watch(self, pid: int) -> None:
        """Kill this child, too, if the launcher dies."""
        os.write(self._writer, pid.to_bytes(4, "big"))

    def dismiss(self) -> None:
        """Let it clean up now, and wait until it has."""
        os.close(self._writer)
        os.waitpid(self._pid, 0)


def _guard(reader: int, writer: int, folder: Path, region: Path) -> None:
    # Out of reach of a Ctrl-C, and of a kill of the launcher's whole process group.
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.close(writer)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nowhere, descriptor)
    pids = []
    while word := os.read(reader, 4):
        pids.append(int.from_bytes(word, "big"))
    for pid in pids:
        if _belongs(pid, folder):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    for _ in range(_ATTEMPTS):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            break
        # Whom the kernel is just killing may have put one more file there.
        time.sleep(_PAUSE)
    for file in region.parent.glob(f"{region.name}*"):
        file.unlink(missing_ok=True)
    os._exit(0)


def _belongs(pid: int, folder: Path) -> bool:
    """Whether the process is still ours, and not a stranger with a reused id."""
    try:
        return os.fsencode(folder) in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
