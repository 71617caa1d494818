"""StoreSnapshot: a store as it was at one moment."""

from __future__ import annotations

from collections.abc import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Any, Self

    from eactors import _store
    from eactors.store.values import Values


class StoreSnapshot(Mapping[bytes, "Any"]):
    """One version of a store: a mapping that does not change, whatever others write.

    While it is open the blocks of what it shows are not used again, so close it, best by ``with``.
    """

    def __init__(self, snapshot: _store.Snapshot, values: Values) -> None:
        self._snapshot = snapshot
        self._values = values

    @property
    def version(self) -> int:
        """Goes up by one with every change of the store."""
        return self._snapshot.version

    def __getitem__(self, key: bytes) -> Any:
        """The value of a key."""
        try:
            data = self._snapshot.get(key)
        except TypeError:
            raise self._values.refusal(key) from None
        if data is None:
            raise KeyError(key)
        return self._values.decode(key, data)

    def __len__(self) -> int:
        return len(self._snapshot)

    def __iter__(self) -> Iterator[bytes]:
        for key, _ in self._snapshot.scan(b""):
            yield key

    def scan(self, prefix: bytes = b"") -> Iterator[tuple[bytes, Any]]:
        """All keys that begin so, with their values, in no order that means anything."""
        decode = self._values.decode
        for key, data in self._snapshot.scan(prefix):
            yield key, decode(key, data)

    def close(self) -> None:
        """Let go of it."""
        self._snapshot.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
