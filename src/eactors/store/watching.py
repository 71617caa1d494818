"""Watch: how an actor hears of changes of a store.

It keeps the version of the store that its actor knows, and compares it with the newest one. So
values between the two may be skipped, and the last never is. As long as it keeps an old version,
the blocks of that are not used again: it looks in every turn of its worker.
"""

from __future__ import annotations

from eactors.store.differences import differences

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from eactors import _store
    from eactors.actor import Actor
    from eactors.store.values import Values

_BATCH = 64
"""Changes of one turn, so that no actor starves another."""


class Watch:
    """What one actor knows of one store.

    Args:
        actor: Whose it is.
        store: The store.
        values: What values are.
        handlers: Called as ``(actor, key, old, new)`` for keys with these prefixes.
    """

    def __init__(
        self,
        actor: Actor,
        store: _store.Store,
        values: Values,
        handlers: Sequence[tuple[bytes, Callable[[Any, bytes, Any, Any], object]]],
    ) -> None:
        self._actor, self._store, self._values, self._handlers = actor, store, values, handlers
        self._seen = store.snapshot()
        self._telling: Iterator[None] | None = None

    def look(self) -> bool:
        """Tell the actor what has changed; whether there is more to tell."""
        if self._telling is None:
            if self._store.version == self._seen.version:
                return False
            self._telling = self._tell()
        for _ in range(_BATCH):
            if next(self._telling, self) is self:
                self._telling = None
                return False
        return True

    def _tell(self) -> Iterator[None]:
        seen, newest = self._seen, self._store.snapshot()
        self._seen = newest
        try:
            for prefix, handler in self._handlers:
                for key, old, new in differences(seen, newest, prefix):
                    if self._actor.stopped:
                        return
                    handler(self._actor, key, self._value(key, old), self._value(key, new))
                    yield
        finally:
            seen.close()

    def _value(self, key: bytes, data: bytes | None) -> Any:
        return None if data is None else self._values.decode(key, data)
