"""Transaction: several reads and writes of a store that take effect at once, or not at all."""

from __future__ import annotations

from eactors.store.errors import TransactionConflict
from eactors.store.values import counter_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any, Self

    from eactors import _store
    from eactors.store.values import Values


class Transaction:
    """Reads one version of a store, and what it has written itself; writes all when it is left.

    Made by `LiveStore.transaction`. It has no iteration: a transaction is sure of the keys that it
    has read, not that there were no others.
    """

    def __init__(self, store: _store.Store, values: Values, changed: Callable[[], None]) -> None:
        self._store, self._values, self._changed = store, values, changed
        self._snapshot: _store.Snapshot | None = None
        self._reads: dict[bytes, bytes | None] = {}
        self._writes: dict[bytes, bytes | None] = {}

    def __getitem__(self, key: bytes) -> Any:
        """The value of a key."""
        data = self._read(key)
        if data is None:
            raise KeyError(key)
        return self._values.decode(key, data)

    def __setitem__(self, key: bytes, value: Any) -> None:
        """Put a value."""
        self.put(key, value)

    def __delitem__(self, key: bytes) -> None:
        """Delete a key that is there."""
        if not self.delete(key):
            raise KeyError(key)

    def __contains__(self, key: bytes) -> bool:
        """Whether the key is there."""
        return self._read(key) is not None

    def get(self, key: bytes, default: Any = None) -> Any:
        """The value of a key, or the default."""
        data = self._read(key)
        return default if data is None else self._values.decode(key, data)

    def put(self, key: bytes, value: Any) -> None:
        """Put a value."""
        self._write(key, self._values.encode(key, value))

    def delete(self, key: bytes) -> bool:
        """Delete a key; whether it was there."""
        was_there = self._read(key) is not None
        self._write(key, None)
        return was_there

    def counter(self, key: bytes) -> int:
        """The number in a counter; an absent one is 0."""
        return self._values.counted(key, self._read(key))

    def add(self, key: bytes, amount: int = 1) -> int:
        """Add to a counter; what it is then.

        Raises:
            OverflowError: The sum does not fit into 64 bits.
        """
        number = self.counter(key) + amount
        self._write(key, counter_bytes(number))
        return number

    def __enter__(self) -> Self:
        self._snapshot = self._store.snapshot()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        snapshot, self._snapshot = self._open(), None
        try:
            if kind is None and self._writes:
                self._commit(snapshot)
        finally:
            snapshot.close()

    def _open(self) -> _store.Snapshot:
        if self._snapshot is None:
            raise ValueError(f"a transaction of store {self._values.store!r} is used inside its `with` only")
        return self._snapshot

    def _read(self, key: bytes) -> bytes | None:
        snapshot = self._open()
        if key in self._writes:
            return self._writes[key]
        try:
            data = self._reads[key] = snapshot.get(key)
        except TypeError:
            raise self._values.refusal(key) from None
        return data

    def _write(self, key: bytes, data: bytes | None) -> None:
        self._open()
        if type(key) is not bytes:
            raise self._values.refusal(key)
        self._writes[key] = data

    def _commit(self, snapshot: _store.Snapshot) -> None:
        writes = list(self._writes.items())
        if self._store.commit(snapshot if self._reads else None, list(self._reads), writes):
            self._changed()
            return
        moved = [repr(key) for key, data in self._reads.items() if self._store.get(key) != data]
        what = f"{', '.join(moved)}, which it had read, has" if moved else "what it had read has"
        raise TransactionConflict(
            f"store {self._values.store!r}: a transaction was not written: {what} changed since",
            hint="do all of it again, best by transact(function), which does so by itself",
        )
