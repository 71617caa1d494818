"""The object store: state that several actors see the same, and that may outlive the application.

An actor class declares a `Store`, and finds a `LiveStore` in its place at run time.
"""

from eactors.store.errors import (
    NotAStore,
    RollbackDetected,
    StoreBusy,
    StoreCorrupt,
    StoreCounterLost,
    StoreError,
    StoreForged,
    StoreFull,
    StoreInUse,
    StoreKeyMissing,
    StoreTooLarge,
    TransactionConflict,
    WrongType,
)
from eactors.store.live import LiveStore
from eactors.store.snapshot import StoreSnapshot
from eactors.store.store import Store
from eactors.store.transaction import Transaction

__all__ = [
    "LiveStore",
    "NotAStore",
    "RollbackDetected",
    "Store",
    "StoreBusy",
    "StoreCorrupt",
    "StoreCounterLost",
    "StoreError",
    "StoreForged",
    "StoreFull",
    "StoreInUse",
    "StoreKeyMissing",
    "StoreSnapshot",
    "StoreTooLarge",
    "Transaction",
    "TransactionConflict",
    "WrongType",
]
