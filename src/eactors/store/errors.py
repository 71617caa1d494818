"""What can go wrong with a store."""

from __future__ import annotations

from eactors.errors import EActorsError


class StoreError(EActorsError):
    """Something about a store."""


class StoreFull(StoreError):  # noqa: N818 - as in eactors.errors
    """There is no room for what was to be written; the store is as it was."""


class StoreTooLarge(StoreError, ValueError):  # noqa: N818
    """A key is longer than 1,024 bytes, or a value than 16 MiB."""


class StoreBusy(StoreError):  # noqa: N818
    """Others were quicker again and again, or too many snapshots are kept: try again."""


class StoreInUse(StoreError):  # noqa: N818
    """Another application has the file open."""


class NotAStore(StoreError):  # noqa: N818
    """The file is something else, or a store of another version, or cut short."""


class StoreCorrupt(StoreError):  # noqa: N818
    """Memory or file hold what no honest process writes."""


class StoreForged(StoreCorrupt):
    """What was read is not authentic: the host, or whoever has the file, has changed it."""


class RollbackDetected(StoreError):  # noqa: N818
    """What was read is older than what is known to have been there."""


class StoreCounterLost(StoreError):  # noqa: N818
    """The monotonic counter of a store is not there any more, or not all of what it was."""


class TransactionConflict(StoreError):  # noqa: N818
    """Another transaction has changed what this one had read: do it again."""


class WrongType(StoreError, TypeError):  # noqa: N818
    """A key or a value is not of the type that the store has."""


class StoreKeyMissing(StoreError):  # noqa: N818
    """An encrypted store has a key, and it is not for this enclave."""
