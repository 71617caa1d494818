"""Syncs: what an enclave wants to have on the disk, which is the host's to do.

The host is told, and the store itself says when it is done: the version that is durable is in
its header. A host that lies about that can lose what it said was kept, as any disk can.
"""

from __future__ import annotations

import time

from eactors.answer import Answer
from eactors.store.errors import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from eactors import _store
    from eactors.enclave.store_counters import StoreCounter

_PATIENCE = 30.0


class Syncs:
    """The syncs of one store that one enclave waits for.

    Args:
        name: The store's.
        store: The store.
        ask: Asks the host for one.
        counter: Protects what is on the disk from being put back; None: nobody does.
    """

    def __init__(
        self, name: str, store: _store.Store, ask: Callable[[], None], counter: StoreCounter | None = None
    ) -> None:
        self._name, self._store, self._ask, self._counter = name, store, ask, counter
        self._waiting: list[tuple[int, float, Answer[int]]] = []

    @property
    def are_open(self) -> bool:
        """Whether somebody waits."""
        return bool(self._waiting)

    def sync(self) -> Answer[int]:
        """Have all that was committed so far on the disk, and protected."""
        answer: Answer[int] = Answer()
        version = self._store.version
        self._waiting.append((version, time.monotonic() + _PATIENCE, answer))
        if self._counter is None:
            self._ask()
        else:
            self._counter.protect(version)
        return answer

    def look(self) -> None:
        """Answer what has come true."""
        durable, now = self._store.statistics()["durable"], time.monotonic()
        waiting, self._waiting = self._waiting, []
        for version, deadline, answer in waiting:
            try:
                done = version <= durable and (self._counter is None or self._counter.protect(version))
            except StoreError as error:
                answer.settle(None, error)
                continue
            if done:
                answer.settle(durable)
            elif now > deadline:
                answer.settle(
                    None,
                    StoreError(
                        f"store {self._name!r}: version {version} is not on the disk after {_PATIENCE:.0f} s",
                        hint="the launcher says what its file's disk refuses; nothing that was there is lost",
                    ),
                )
            else:
                self._waiting.append((version, deadline, answer))
