"""The store's extension module: one file of memory, mapped, and what is done with it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, TypeAlias, final

Wanted: TypeAlias = Literal["room", "sync"]

@final
class Store:
    """One process's access to a store: a file that is mapped, or memory of its own.

    Whoever has opened the file before as its `Keeper` has checked it; this checks again what it
    uses. Nothing here makes a system call once it was constructed, and all keys and values are copied.

    Keys are 0 to 1,024 bytes, values 0 to 16 MiB: ``StoreTooLarge`` if longer. Every method raises
    ``StoreFull`` if there is no room, ``StoreCorrupt`` for what no honest process writes,
    ``StoreForged`` for what is not authentic, ``RollbackDetected`` for a version older than one
    that was seen, and ``StoreBusy`` if others were quicker 65,536 times; all of `eactors.store.errors`.

    Args:
        path: The file; None: memory of this process alone.
        limit: Blocks of 256 bytes that it may grow to.
        owner: Which of the store's users this is, 0 to 4,095.
        keys: Called with the number of a key, which it returns, 32 bytes, or raises; None if the store
            is not encrypted. It is called where a version is under a key that was not there before.
        id: What the store's id has to be, 16 bytes; None: any.
        detects: Whether branches and commits have to be authentic.
        wait: Called with what is wanted of the keeper, "room" or "sync", where no block is free but
            there might be; it returns when it is worth another try, or raises.
        title: What errors call it.
    """

    def __init__(
        self,
        path: str | None,
        limit: int,
        owner: int = 0,
        *,
        keys: Callable[[int], bytes] | None = None,
        id: bytes | None = None,
        detects: bool = False,
        wait: Callable[[Wanted], None] | None = None,
        title: str = "the store",
    ) -> None: ...
    id: bytes
    """16 bytes."""
    encryption: int
    """0: none; 1: XAES-256-GCM."""
    detects: bool

    def get(self, key: bytes, /) -> bytes | None: ...
    def put(self, key: bytes, value: bytes, /) -> None: ...
    def delete(self, key: bytes, /) -> bool:
        """Whether it was there."""

    def replace(self, key: bytes, expected: bytes | None, value: bytes | None, /) -> bool:
        """Put ``value`` if the value is ``expected``; None: absent. Whether it was."""

    def add(self, key: bytes, amount: int, /) -> int:
        """Add to a counter, 8 bytes little-endian signed, from 0 if it is absent; what it is then.

        Raises:
            ValueError: The value has not 8 bytes.
            OverflowError: The sum does not fit.
        """

    def __len__(self) -> int:
        """Keys, in the version of this moment."""

    @property
    def version(self) -> int:
        """Goes up by one with every commit."""

    def progress(self) -> tuple[int, int, bytes]:
        """Version, steps of the counter, and the mark of the last of them, all of this moment."""

    def step(self, steps: int, random: bytes, /) -> bool:
        """Make a version with a new mark, for the counter; False if there are not so many steps any more.

        Args:
            steps: How many there are.
            random: 8 bytes, which become the second half of the mark; the first is the version.
        """

    @property
    def key_number(self) -> int:
        """Of the key that the newest version is under: 0 at first, and one more with each rotation."""

    def rotate(self, number: int, key: bytes, /) -> bool:
        """Write all records anew under the next key, as one version; False if ``number`` is not the next.

        It takes as much room once more as the store has in use. Snapshots are read as before, until
        the key has changed four times.

        Raises:
            StoreBusy: Others have written while it did, 16 times.
            ValueError: The store is not encrypted, or the key has not 32 bytes.
        """

    def head(self) -> bytes:
        """The 8,192 bytes of its header, as the file has them now."""

    def snapshot(self) -> Snapshot:
        """The version of this moment, kept until it is closed.

        Raises:
            StoreBusy: 64 versions are kept already.
        """

    def commit(
        self,
        snapshot: Snapshot | None,
        reads: Sequence[bytes],
        writes: Sequence[tuple[bytes, bytes | None]],
        /,
    ) -> bool:
        """Write all (None: delete), or nothing and False if one of ``reads`` has changed since."""

    def statistics(self) -> dict[str, int]:
        """keys, version, durable, record_blocks, branch_blocks, fresh, usable, limit, pins of now."""

    def close(self) -> None:
        """Give back what it holds. Afterwards every method raises `ValueError`."""

@final
class Snapshot:
    """One version of a store."""

    version: int
    key_number: int

    def get(self, key: bytes, /) -> bytes | None: ...
    def __len__(self) -> int: ...
    def scan(self, prefix: bytes = b"", /) -> Iterator[tuple[bytes, bytes]]:
        """All keys that begin so, with their values, in no order that means anything."""

    def changes(
        self, later: Snapshot, prefix: bytes = b"", /
    ) -> Iterator[tuple[bytes, bytes | None, bytes | None]]:
        """Keys whose values differ in a later snapshot of the same store, with both; None: absent.

        Raises:
            ValueError: They are of two stores, or the store's key has changed between them.
        """

    def close(self) -> None:
        """Let its blocks be used again; also done when it is forgotten."""

@final
class Keeper:
    """The host's part: a store's file, made or opened, grown, synced and closed. One per file: it locks it.

    Args:
        path: The file. It is made if it is not there, for its owner alone.
        limit: Blocks that it may grow to; 0: as the file says. The file is made for as many.
        boot: The boot id of this kernel, 16 bytes; b"": nothing in it has to outlive this kernel.
        encryption: Of a new file.
        detects: Of a new file.
        id: Of a new file, 16 bytes; b"": a random one.

    Raises:
        NotAStore: The file is something else, or of another version, or cut short.
        StoreInUse: Somebody else keeps it.
        StoreCorrupt: It is damaged; says where.
        OSError: The system's refusal.
    """

    def __init__(
        self,
        path: str,
        limit: int,
        boot: bytes,
        *,
        encryption: int = 0,
        detects: bool = False,
        id: bytes = b"",
    ) -> None: ...
    created: bool
    recovered: bool
    """Whether it was not closed in order, and its free blocks were counted anew."""
    fell_back: bool
    """Whether what was committed after the last sync is lost: the machine has been off since."""
    id: bytes
    encryption: int
    detects: bool
    limit: int

    def wants_room(self) -> bool:
        """Whether less than a quarter of what may be used is left, and it may grow."""

    def grow(self) -> bool:
        """Make room for more, as far as the limit and the disk allow; whether there is more.

        Raises:
            OSError: The disk is full. The store is as it was.
        """

    def sync(self) -> int:
        """Have all that is committed on the disk; the version that is.

        Raises:
            OSError: The disk is full, or failing. What was durable before still is.
        """

    def mourn(self, owner: int) -> int:
        """Give back what a process held that has ended, however it did; how many blocks that were."""

    def check(self) -> dict[str, int]:
        """See that no block is in use twice, and that the counts are right; for when nobody writes.

        Tags are not checked, as a keeper has no key: read all records for that.

        Returns:
            keys, record_blocks, branch_blocks, free_blocks, lost_blocks (which nobody has; the next
            opening after a crash finds them).

        Raises:
            StoreCorrupt: What is wrong, and in which block.
        """

    def keys(self) -> list[tuple[int, bytes, bytes] | None]:
        """The key slots: key id, owner (32 bytes), sealed key (88 bytes)."""

    def set_key(self, slot: int, key_id: int, owner: bytes, sealed: bytes) -> None: ...
    def close(self) -> None:
        """Sync, note that it was closed in order, and let go of it."""
