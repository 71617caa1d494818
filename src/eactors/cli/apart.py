"""Building in a process of its own, so that the launcher never has an application in its memory.

Whoever builds imports the source, with every secret constant in it. The launcher is the
host, and shall know no more than a host: where the images are.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from eactors import _native

if TYPE_CHECKING:
    from collections.abc import Callable

    from eactors.host.interrupts import Interrupts


def apart(work: Callable[[], None], failed: Callable[[], int], interrupts: Interrupts) -> int:
    """Do some work in a child process, and wait for it.

    Args:
        work: What to do.
        failed: Called in an exception handler of the child if the work raised; says what
            was wrong and gives the exit status.
        interrupts: Ends the work when one comes.

    Returns:
        The child's exit status, 0 if the work was done; what the interrupt calls for, if one came.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        interrupts.forget()
        try:
            _native.die_with(parent)
            work()
            status = 0
        except BaseException:  # noqa: BLE001 - nothing of the child may go on as if it were the parent
            status = failed()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    interrupts.kill(pid)
    _, status = os.waitpid(pid, 0)
    interrupts.kill(None)
    code = os.waitstatus_to_exitcode(status)
    return interrupts.status or (code if code >= 0 else 128 - code)
