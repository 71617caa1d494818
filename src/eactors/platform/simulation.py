"""The platform without hardware: an ordinary process that keeps an enclave's rules.

Its instructions are requests to the software CPU, which started this process and gave it
the socket that is descriptor 3: one datagram there, one back.
"""

from __future__ import annotations

import os
from _thread import allocate_lock

from eactors import _native
from eactors.errors import PlatformError

_SOCKET = 3
_LONGEST = 1 << 14
_EREPORT, _EGETKEY, _QUOTE, _FILTER, _COUNTER, _ADVANCE = (bytes((code,)) for code in range(1, 7))


class Simulation:
    """An enclave as a sandboxed process; see docs/design/sandbox.md for what that is worth."""

    name = "simulation"

    def __init__(self) -> None:
        self._lock = allocate_lock()  # an answer must go to whoever asked
        self._lost = False  # an answer whose reader was interrupted would go to the next one

    def prepare(self, parent: int) -> None:
        """Be neither dumpable nor traceable, and die when process `parent` does."""
        _native.sandbox_prepare(parent)

    def report(self, target: bytes, data: bytes) -> bytes:
        """Execute EREPORT."""
        return self._execute(_EREPORT + target + data)

    def key(self, request: bytes) -> bytes:
        """Execute EGETKEY."""
        return self._execute(_EGETKEY + request)

    def quote(self, data: bytes) -> bytes:
        """Get a quote under the simulated certificates of this installation."""
        return self._execute(_QUOTE + data)

    def counter(self, policy: int, name: bytes) -> bytes:
        """Read a counter of this installation."""
        return self._execute(_COUNTER + bytes((policy,)) + name)

    def advance(self, policy: int, name: bytes, expected: bytes, new: bytes) -> bytes:
        """Advance a counter of this installation."""
        return self._execute(_ADVANCE + bytes((policy,)) + name + new + expected)

    def seal(self) -> None:
        """Let the kernel refuse what is not on the list of `_native.sandbox_allowed`."""
        _native.sandbox_seal(self._execute(_FILTER))

    def _execute(self, request: bytes) -> bytes:
        try:
            with self._lock:
                if self._lost:
                    raise PlatformError("an answer of the software CPU was lost to a signal")
                self._lost = True
                os.write(_SOCKET, request)
                answer = os.read(_SOCKET, _LONGEST)
                self._lost = False
        except OSError as error:
            raise PlatformError(f"the software CPU cannot be asked: {error}") from error
        if not answer:
            raise PlatformError("the software CPU has ended")
        if answer[0]:
            raise PlatformError(f"the CPU refuses: {answer[1:].decode('ascii', 'replace')}")
        return answer[1:]
