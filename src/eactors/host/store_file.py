"""A store's file that nobody else has open, for those who look after it by hand.

This process is its keeper and its only user at once. A key is never guessed: an encrypted store
is refused without one, and with one that does not open what is there.
"""

from __future__ import annotations

import errno
import re
import uuid
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from eactors._store import Keeper, Store
from eactors.deployment.sizes import STORE_BLOCK
from eactors.errors import KeyFileError
from eactors.state import read_secret
from eactors.store.errors import NotAStore, StoreCorrupt, StoreError, StoreForged, StoreFull, StoreInUse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    from eactors._store import Wanted

LONGEST_KEY, LARGEST_VALUE = 1024, 16 << 20
_KEY_SIZE = 32
_MAGIC = b"EASTORE"
_ENCRYPTION = slice(48, 52)
_BOOT = Path("/proc/sys/kernel/random/boot_id")

_HINTS: dict[type[StoreError], str] = {
    NotAStore: "a store is made by a deployment's <store>, or by 'eactors store import'",
    StoreInUse: "wait until the application that uses it has ended",
    StoreFull: "give its <store> a larger size=, and run the application once",
    StoreForged: "put a copy back that is good, or give the key that it was written with",
    StoreCorrupt: "put a copy back that is good",
}
_SYSTEM_HINTS = {
    errno.EACCES: "let its owner do it",
    errno.EISDIR: "name the file of a store",
    errno.ENOENT: "look for the file= of the deployment's <store>",
    errno.ENOSPC: "make room on that disk; the store is as it was",
}


class StoreFile:
    """One store's file.

    Args:
        path: The file.
        key: Its key, if it is encrypted.
        limit: Blocks that a file that is not there yet may grow to; 0: it has to be there.
        id: Of a file that is not there yet; empty: a new one.

    Attributes:
        path: As given.
        key: As given.
        keeper: What keeps it.
        store: What is in it.

    Raises:
        StoreError: It cannot be opened.
    """

    def __init__(self, path: Path, key: bytes | None, *, limit: int = 0, id: bytes = b"") -> None:  # noqa: A002 - the format's word
        self.path, self.key = path, key
        with system():
            if not limit:
                path.stat()
            encryption = int(key is not None)
            self.keeper = Keeper(str(path), limit, boot_id(), encryption=encryption, id=id)
        try:
            self.store = self._attached(key)
        except BaseException:
            self.keeper.close()
            raise

    def _attached(self, key: bytes | None) -> Store:
        if self.keeper.encryption and key is None:
            raise StoreError("it is encrypted", hint="give its key: --key KEYFILE")
        if key is not None and not self.keeper.encryption:
            raise StoreError("it is not encrypted, so no key is for it", hint="leave --key out")
        store = Store(
            str(self.path),
            self.keeper.limit,
            keys=None if key is None else lambda _: key,
            id=self.keeper.id,
            detects=self.keeper.detects,
            wait=self._provide,
        )
        if key is not None:
            _try_key(store)
        return store

    def _provide(self, wanted: Wanted) -> None:
        with system():
            if wanted == "sync":
                self.keeper.sync()
            elif not self.keeper.grow():
                size = self.keeper.limit * STORE_BLOCK
                raise StoreFull(f"it is full, and may not be larger than {size:,} bytes")

    def write(self, records: Sequence[tuple[bytes, bytes]]) -> None:
        """Put all of these, or none.

        Raises:
            StoreTooLarge: One of them is.
            StoreFull: There is no room for them.
        """
        self.store.commit(None, [], records)

    @property
    def disk(self) -> int:
        """Bytes of the disk that it takes."""
        return self.path.stat().st_blocks * 512

    def close(self) -> None:
        """Have everything on the disk, and let go of it."""
        self.store.close()
        with system():
            self.keeper.close()

    def __enter__(self) -> Self:
        """Use it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Say of which file an error is, and what may be done.

    Raises:
        StoreError: What was raised, with the file's name.
    """
    try:
        yield
    except StoreError as error:
        hint = error.hint or next((hint for kind, hint in _HINTS.items() if isinstance(error, kind)), None)
        raise type(error)(f"{path}: {error}", hint=hint) from error


def boot_id() -> bytes:
    """Which boot of this machine it is: after another one, nothing is believed that was not synced."""
    return uuid.UUID(_BOOT.read_text(encoding="ascii").strip()).bytes


def is_encrypted(path: Path) -> bool:
    """Whether it is an encrypted store, by its header alone.

    Raises:
        StoreError: The file cannot be read.
    """
    with system(), path.open("rb") as file:
        header = file.read(_ENCRYPTION.stop)
    return header.startswith(_MAGIC) and header[_ENCRYPTION] not in {b"", bytes(4)}


def read_store_key(path: Path) -> bytes:
    """Read the key of an encrypted store: 32 bytes, or 64 hexadecimal digits.

    Raises:
        KeyFileError: It cannot be read, is something else, or others may read it.
    """
    try:
        content = read_secret(path)
    except OSError as error:
        raise KeyFileError(
            f"the key {path} cannot be read: {error.strerror}",
            hint="name the file into which the code of an enclave has exported the key",
        ) from error
    if len(content) == _KEY_SIZE:
        return content
    if re.fullmatch(rb"[0-9a-fA-F]{64}\s*", content):
        return bytes.fromhex(content.decode())
    raise KeyFileError(
        f"{path} holds no key of a store", hint="such a file has 32 bytes, or 64 hexadecimal digits"
    )


def _try_key(store: Store) -> None:
    """With another key, no key would be found, and what was written then could not be read by others."""
    with closing(store.snapshot()) as snapshot:
        try:
            next(snapshot.scan(), None)
        except StoreForged as error:
            raise StoreForged(f"the key does not open what is in it: {error}") from error


@contextmanager
def system() -> Iterator[None]:
    """Make what the system refuses an error of the store.

    Raises:
        StoreError: With the system's reason.
    """
    try:
        yield
    except OSError as error:
        raise StoreError(error.strerror or str(error), hint=_SYSTEM_HINTS.get(error.errno or 0)) from error
