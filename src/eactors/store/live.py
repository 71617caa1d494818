"""LiveStore: a store as an actor finds it, a mutable mapping whose every operation is atomic."""

from __future__ import annotations

from collections.abc import ItemsView, MutableMapping, ValuesView

from eactors.store.errors import TransactionConflict, WrongType
from eactors.store.snapshot import StoreSnapshot
from eactors.store.transaction import Transaction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TypeVar

    from eactors import _store
    from eactors.answer import Answer
    from eactors.store.values import Values

    Result = TypeVar("Result")

_ATTEMPTS = 1000


class LiveStore(MutableMapping[bytes, "Any"]):
    """A store in an actor. Keys are up to 1,024 bytes, values up to 16 MiB.

    Each method is one atomic operation, and sees one version of the store; what several of them see
    may be several. Reading takes no lock and makes no system call. A value of None stands for
    absent, wherever one is expected.

    Raises:
        StoreFull: There is no room for what is to be written; nothing was.
        StoreTooLarge: A key or a value is longer than that; it is a ValueError, too.
        WrongType: A key is no bytes, or a value not of the type that the store is declared with.
        StoreCorrupt: The host, or another user, has written what no honest one does.
        StoreForged: What is there is not authentic.
        StoreBusy: Others were quicker again and again, or there are too many snapshots.
    """

    def __init__(
        self,
        store: _store.Store,
        values: Values,
        changed: Callable[[], None],
        sync: Callable[[], Answer[int]],
        rotate: Callable[[], None],
    ) -> None:
        self._store, self._values, self._changed = store, values, changed
        self._read, self._sync, self._rotate = store.get, sync, rotate
        self._decode = values.decode if values.are_typed else None

    @property
    def name(self) -> str:
        """What actors and the deployment call it."""
        return self._values.store

    @property
    def version(self) -> int:
        """Goes up by one with every change."""
        return self._store.version

    def __getitem__(self, key: bytes) -> Any:
        """The value of a key."""
        try:
            data = self._read(key)
        except TypeError:
            raise self._values.refusal(key) from None
        if data is None:
            raise KeyError(key)
        return data if self._decode is None else self._decode(key, data)

    def __setitem__(self, key: bytes, value: Any) -> None:
        """Put a value."""
        self.put(key, value)

    def __delitem__(self, key: bytes) -> None:
        """Delete a key that is there."""
        if not self.delete(key):
            raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        """Whether the key is there."""
        return self._get(key) is not None  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self._store)

    def __iter__(self) -> Iterator[bytes]:
        """The keys of one version."""
        with self.snapshot() as snapshot:
            yield from snapshot

    def items(self) -> ItemsView[bytes, Any]:
        """Keys and values, of one version whenever they are iterated."""
        return _Items(self)

    def values(self) -> ValuesView[Any]:
        """Values, of one version whenever they are iterated."""
        return _Values(self)

    def scan(self, prefix: bytes = b"") -> Iterator[tuple[bytes, Any]]:
        """All keys of one version that begin so, with their values, in no order that means anything."""
        with self.snapshot() as snapshot:
            yield from snapshot.scan(prefix)

    def get(self, key: bytes, default: Any = None) -> Any:
        """The value of a key, or the default."""
        # What `_get` is, once more: reading is what stores are made for, and each call costs as much as it.
        try:
            data = self._read(key)
        except TypeError:
            raise self._values.refusal(key) from None
        if data is None:
            return default
        return data if self._decode is None else self._decode(key, data)

    def put(self, key: bytes, value: Any) -> None:
        """Put a value."""
        self._store.put(key, self._values.encode(key, value))
        self._changed()

    def delete(self, key: bytes) -> bool:
        """Delete a key; whether it was there."""
        try:
            was_there = self._store.delete(key)
        except TypeError:
            raise self._values.refusal(key) from None
        if was_there:
            self._changed()
        return was_there

    def compare_and_set(self, key: bytes, expected: Any, value: Any) -> bool:
        """Put a value if the key has the expected one; whether it had. None: absent."""
        one, other = (None if each is None else self._values.encode(key, each) for each in (expected, value))
        return self._replace(key, one, other)

    def put_if_absent(self, key: bytes, value: Any) -> bool:
        """Put a value if the key has none; whether it was put."""
        return self._replace(key, None, self._values.encode(key, value))

    def counter(self, key: bytes) -> int:
        """The number in a counter; an absent one is 0."""
        return self._values.counted(key, self._get(key))

    def add(self, key: bytes, amount: int = 1) -> int:
        """Add to a counter, 64 bits signed; what it is then.

        Raises:
            OverflowError: The sum does not fit.
        """
        try:
            self._values.counted(key, None)
            number = self._store.add(key, amount)
        except WrongType:
            raise
        except TypeError:
            if type(key) is not bytes:
                raise self._values.refusal(key) from None
            raise
        except ValueError:
            self.counter(key)
            raise
        self._changed()
        return number

    def pop(self, key: bytes, *default: Any) -> Any:
        """Delete a key; the value that it had."""
        while (data := self._get(key)) is not None:
            if self._replace(key, data, None):
                return self._values.decode(key, data)
        if default:
            return default[0]
        raise KeyError(key)

    def setdefault(self, key: bytes, default: Any = None) -> Any:
        """The value of a key, which is put if there is none."""
        while (value := self.get(key)) is None:
            if self.put_if_absent(key, default):
                return default
        return value

    def update(self, other: Any = (), /, **named: Any) -> None:
        """Put all values of a mapping, or of pairs, at once."""
        pairs = dict(other, **named)
        self._store.commit(None, (), [(key, self._values.encode(key, value)) for key, value in pairs.items()])
        self._changed()

    def clear(self) -> None:
        """Delete all keys of one version."""
        self._store.commit(None, (), [(key, None) for key in self])
        self._changed()

    def snapshot(self) -> StoreSnapshot:
        """The version of this moment, to be read at leisure: ``with store.snapshot() as snapshot:``."""
        return StoreSnapshot(self._store.snapshot(), self._values)

    def transaction(self) -> Transaction:
        """Several reads and writes at once: ``with store.transaction() as t:``.

        On leaving all is written, or, on an exception, nothing.

        Raises:
            TransactionConflict: On leaving: somebody has changed what it had read. Nothing was written.
        """
        return Transaction(self._store, self._values, self._changed)

    def transact(self, function: Callable[[Transaction], Result]) -> Result:
        """Call ``function(transaction)``, again if it comes to a conflict; its result.

        Raises:
            TransactionConflict: A thousand times.
        """
        for _ in range(_ATTEMPTS - 1):
            try:
                with self.transaction() as transaction:
                    result = function(transaction)
            except TransactionConflict:
                continue
            return result
        with self.transaction() as transaction:
            return function(transaction)

    def sync(self) -> Answer[int]:
        """Have all that was written so far on the disk; the answer is the version that is.

        Of a store that is not persistent nothing ever is on the disk, so it is refused.

        Raises:
            StoreError: The store is not persistent.
        """
        return self._sync()

    def rotate(self) -> None:
        """Give an encrypted store another key, under which all of it is written anew, as one version.

        It takes as much room once more as the store has in use, and as long as writing all of it does.
        Others read and write meanwhile; but a transaction that had begun before conflicts, and whoever
        writes without a pause keeps it from coming to an end. The old key is sealed in the
        store's file until the next sync, which is asked for; then nobody has it any more.

        Raises:
            StoreBusy: Others have written all the time.
            StoreFull: There is no room for all of it once more.
            StoreError: The store is not encrypted, or its key is shared by several signers.
            StoreKeyMissing: The launcher does not keep the new key.
        """
        self._rotate()
        self._changed()

    def statistics(self) -> dict[str, int]:
        """What it holds, and what room there is; blocks are of 256 bytes.

        Returns:
            keys, version, durable (the version that is on the disk, for a store that has a file),
            record_blocks, branch_blocks, fresh, usable, limit, pins.
        """
        found = self._store.statistics()
        if found["durable"] > found["version"]:
            del found["durable"]  # in the core's words, a store without a file is always durable
        return found

    def _get(self, key: bytes) -> bytes | None:
        try:
            return self._read(key)
        except TypeError:
            raise self._values.refusal(key) from None

    def _replace(self, key: bytes, expected: bytes | None, data: bytes | None) -> bool:
        try:
            done = self._store.replace(key, expected, data)
        except TypeError:
            raise self._values.refusal(key) from None
        if done:
            self._changed()
        return done


class _Items(ItemsView[bytes, "Any"]):
    _mapping: LiveStore

    def __iter__(self) -> Iterator[tuple[bytes, Any]]:
        return self._mapping.scan()


class _Values(ValuesView["Any"]):
    _mapping: LiveStore

    def __iter__(self) -> Iterator[Any]:
        for _, value in self._mapping.scan():
            yield value
