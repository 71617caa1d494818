"""Waiting: a writer that found no free block waits until the store's keeper has done something.

A sealed enclave makes no system calls on files, so the host grows them and has them written. It
is told, and what it has done shows in the store itself.
"""

from __future__ import annotations

import time

from eactors.store.errors import StoreFull

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from eactors import _store

_PATIENCE = 10.0
_NAP = 0.0005


class Waiting:
    """What a store calls where it has no room but may get some.

    Args:
        name: The store's.
        ask: Asks the host for ``room`` or ``sync``.

    Attributes:
        store: The store; set before it is used.
        ask: As given.
    """

    store: _store.Store

    def __init__(self, name: str, ask: Callable[[str], None]) -> None:
        self._name, self.ask = name, ask

    def __call__(self, wanted: _store.Wanted) -> None:
        """Return when it is worth another try.

        Raises:
            StoreFull: The host does nothing about it.
        """
        before, deadline = self._state(), time.monotonic() + _PATIENCE
        self.ask(wanted)
        while self._state() == before:
            if time.monotonic() > deadline:
                raise StoreFull(
                    f"store {self._name!r} is full, and has got no more room for {_PATIENCE:.0f} s",
                    hint="the launcher says what its disk refuses; its <store> may also need a larger size=",
                )
            time.sleep(_NAP)

    def _state(self) -> tuple[int, int, int]:
        now = self.store.statistics()
        return now["usable"], now["durable"], now["version"]
