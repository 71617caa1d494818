"""A process of the application that somebody else has started for us, as our child."""

from __future__ import annotations

import os
import signal


class Child:
    """Like a `subprocess.Popen` of a process whose id is all that we have.

    Args:
        pid: A child of this process that nobody else waits for.
        errors: The reading end of a pipe that its standard error leads into.
    """

    def __init__(self, pid: int, errors: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._errors = os.fdopen(errors, "rb")

    def poll(self) -> int | None:
        """The exit status, negative if a signal ended it, or None while it runs."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid != 0:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def kill(self) -> None:
        """Kill it if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def signal(self, number: int) -> None:
        """Send it a signal if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def end(self) -> int:
        """Kill it if it still runs; the exit status."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)
            self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        self._errors.close()
        assert self.returncode is not None
        return self.returncode

    def last_words(self) -> str:
        """The last line that it wrote to standard error before it ended."""
        lines = self._errors.read().decode("utf-8", "replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")
