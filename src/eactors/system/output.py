"""Output: standard output of the launcher, for the console; one text after the other.

The launcher may be behind, for its own reader is. Then the text waits here, and its writer for
the answer.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from eactors import _native
from eactors.enclave.link import HEADER, STDOUT
from eactors.system.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from eactors.system.reactor import Reactor

_AGAIN = 0.005


class Output:
    """What is to be shown.

    Args:
        reactor: What to wait with.
    """

    def __init__(self, reactor: Reactor) -> None:
        self._reactor = reactor
        self._frames: deque[tuple[bytes, Callable[[], object] | None]] = deque()

    def write(self, data: bytes, then: Callable[[], object]) -> None:
        """Show text, and call ``then()`` when the launcher has it."""
        busy = bool(self._frames)
        sender = _native.current_participant().to_bytes(2, "big")
        room = Session.room - HEADER
        starts = range(0, max(len(data), 1), room)
        for start in starts:
            last = start == starts[-1]
            header = STDOUT + (b"\0" if last else b"\1") + sender
            self._frames.append((header + data[start : start + room], then if last else None))
        if not busy:
            self._push()

    def _push(self) -> None:
        while self._frames:
            frame, then = self._frames[0]
            if not Session.post.push(frame):
                self._reactor.later(_AGAIN, self._push)
                return
            self._frames.popleft()
            if then is not None:
                then()
