"""What differs between two versions of a store."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from eactors import _store

    Difference = tuple[bytes, bytes | None, bytes | None]


def differences(before: _store.Snapshot, after: _store.Snapshot, prefix: bytes) -> Iterator[Difference]:
    """Keys that begin so and whose values differ, with both; None: absent.

    If the store's key has changed in between, none of its records is what it was, so all are compared.
    """
    if before.key_number == after.key_number:
        # A record that was written anew may have the value that it had.
        yield from (change for change in before.changes(after, prefix) if change[1] != change[2])
        return
    for key, old in before.scan(prefix):
        if (new := after.get(key)) != old:
            yield key, old, new
    for key, new in after.scan(prefix):
        if before.get(key) is None:
            yield key, None, new
