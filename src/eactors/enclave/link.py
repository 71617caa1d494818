"""The enclave's link to the host: printed lines and events, through one public mbox.

All enclaves of an application share that mbox. As it is first in, first out, a line that
was printed before a message was sent comes out before any line that its receiver prints.
"""

from __future__ import annotations

import json
import time

from eactors import _native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

STDOUT, STDERR, EVENT = b"o", b"e", b"j"
"""Kinds of frames."""

HEADER = 4
"""Bytes before a frame's data: the kind, 1 if more frames of it follow, and two of the sender's id."""

_NAP = 0.0005


class HostLink:
    """Sends text and events to the host.

    Args:
        region: The shared memory.
        plan: Where in it the host's pool and mbox lie.
        enclave: Who says all this.
    """

    def __init__(self, region: _native.Region, plan: dict[str, Any], enclave: int) -> None:
        self._region, self._enclave = region, enclave
        self._post = _native.Post(region, tuple(plan["pool"]), tuple(plan["mbox"]), plan["bell"])
        self._room = plan["pool"][2] - HEADER

    def event(self, what: str, **details: object) -> None:
        """Tell the host that something happened."""
        self.send(EVENT, json.dumps({"event": what, "enclave": self._enclave, **details}).encode())

    def send(self, kind: bytes, data: bytes) -> None:
        """Send ``data`` whole, in as many frames as it takes; waits while the host is behind."""
        sender = _native.current_participant().to_bytes(2, "big")
        for start in range(0, max(len(data), 1), self._room):
            chunk = data[start : start + self._room]
            more = b"\1" if start + self._room < len(data) else b"\0"
            if not self._push(kind + more + sender + chunk):
                return

    def _push(self, frame: bytes) -> bool:
        """Push one frame; False if the application was stopped while there was no room."""
        while not self._post.push(frame):
            if self._region.stopping:
                return False
            time.sleep(_NAP)
        return True
