"""What can go wrong with a store."""

from __future__ import annotations

from eactors.errors import EActorsError


class StoreError(EActorsError):
    """Something about a store."""


class StoreFull(StoreError):
    """There is no room for what was to be written; the store is as it was."""


class StoreBusy(StoreError):
    """Others were quicker again and again, or too many snapshots are kept: try again."""


class StoreInUse(StoreError):
    """Another application has the file open."""


class NotAStore(StoreError):
    """The file is something else, or a store of another version, or cut short."""


class StoreCorrupt(StoreError):
    """Memory or file hold what no honest process writes."""


class StoreForged(StoreCorrupt):
    """What was read is not authentic: the host, or whoever has the file, has changed it."""


class RollbackDetected(StoreError):
    """What was read is older than what is known to have been there."""


class TransactionConflict(StoreError):
    """Another transaction has changed what this one had read: do it again."""


class WrongType(StoreError, TypeError):  # noqa: N818
    """A key or a value is not of the type that the store has."""


class StoreKeyMissing(StoreError):  # noqa: N818
    """An encrypted store has a key, and it is not for this enclave."""
