"""Launcher: what the system actors say to the launcher, which alone starts processes, and hear.

Requests go the way of all events, through the host's mbox; answers come back through a pipe, one
line of JSON each, which the reactor waits for like for any other descriptor.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from eactors.system.reactor import READ

if TYPE_CHECKING:
    from collections.abc import Callable

    from eactors.enclave.link import HostLink
    from eactors.system.reactor import Reactor

_ORDERS = 0
"""The descriptor of the pipe: standard input."""
_CHUNK = 1 << 16


class Launcher:
    """The launcher, for those who ask it for something.

    Args:
        link: The way to it.
        reactor: What to wait with.
    """

    def __init__(self, link: HostLink, reactor: Reactor) -> None:
        self._link, self._reactor = link, reactor
        self._askers: list[Callable[[dict[str, Any]], object]] = []
        self._begun = b""

    def join(self, call: Callable[[dict[str, Any]], object]) -> int:
        """Have ``call(order)`` called with what is meant for this asker; its number."""
        if not self._askers:
            os.set_blocking(_ORDERS, False)
            self._reactor.register(_ORDERS, READ, self._read)
        self._askers.append(call)
        return len(self._askers) - 1

    def ask(self, asker: int, request: str, **details: object) -> None:
        """Ask for something."""
        self._link.event("factory", asker=asker, request=request, **details)

    def _read(self, _: int) -> None:
        chunk = os.read(_ORDERS, _CHUNK)
        if not chunk:  # the launcher has gone, and so shall we
            self._reactor.unregister(_ORDERS)
            return
        *lines, self._begun = (self._begun + chunk).split(b"\n")
        for line in lines:
            order = json.loads(line)
            self._askers[order["asker"]](order)
