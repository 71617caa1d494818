"""The keys of encrypted stores: made once, sealed by the processor, kept in the store's own file.

The file has slots for keys (docs/design/store-format.md), each for one measurement or signer. An
enclave that finds none makes a key, and the launcher puts what it has sealed into a slot; of
several that do so at once, the first, and all use that. A launcher that cheats can at worst have
each enclave use a key of its own, with which none can read what others have written. A sealed key is

    policy 1 | security version 2 | CPUSVN 16 | random 21 | ciphertext 32 | tag 16

under AES-128-GCM with a zero nonce: the random bytes, hashed with the store's id, are the
key id of a sealing key that seals nothing else.
"""

from __future__ import annotations

import os
import time

from eactors import _native
from eactors.attestation.key_request import TO_MEASUREMENT, TO_SIGNER, seal_key_request
from eactors.errors import PlatformError
from eactors.store.errors import StoreKeyMissing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from eactors.attestation.identity import Identity
    from eactors.enclave.trust import Trust
    from eactors.platform.base import Platform

    Slot = tuple[int, bytes, bytes]

_KEY = 32
_CIPHER, _NONCE = "aes-128-gcm", bytes(12)
_HEADER = 40
_ID = slice(16, 32)
_SLOTS_AT, _SLOT, _HEAD = 4096, 128, 8192
_FIRST = 1
_PATIENCE, _NAP = 30.0, 0.002


class StoreKeys:
    """Has the keys of one enclave's stores.

    Args:
        platform: What sealing keys come from.
        identity: The enclave's own.
    """

    def __init__(self, platform: Platform, identity: Identity) -> None:
        self._platform, self._identity = platform, identity

    def open(
        self,
        name: str,
        entry: dict[str, Any],
        path: str,
        tell: Callable[..., None],
        ask: Callable[[], bytes] | None,
    ) -> tuple[bytes, bytes]:
        """The id of a store, and its key.

        Args:
            name: The store's name.
            entry: What the plan says of it.
            path: Its file, which the launcher has made.
            tell: Tells the host.
            ask: Gets the key from the enclave that has it; None: nobody has it but this one.

        Raises:
            StoreKeyMissing: There is a key, and it is for others than this enclave.
        """
        policy, owner = self._owner(entry)
        head = _head(path)
        if not any(slot[1] == owner for slot in _slots(head)):
            if ask is None and any(_slots(head)):
                raise StoreKeyMissing(
                    f"the key of store {name!r} is for another {entry['key']} than this enclave has",
                    hint="use the enclave that has made it, or move the store's file away to begin anew",
                )
            key = os.urandom(_KEY) if ask is None else ask()
            version = min(entry["security_version"], self._identity.security_version)
            sealed = self._sealed(head[_ID], policy, version, key)
            tell("store-key", store=name, id=_FIRST, owner=owner.hex(), sealed=sealed.hex())
            head = _head_with(name, path, owner)
        newest = max(slot for slot in _slots(head) if slot[1] == owner)
        return head[_ID], self._unsealed(name, head[_ID], policy, newest)

    def _owner(self, entry: dict[str, Any]) -> tuple[int, bytes]:
        if entry["key"] == "signer":
            return TO_SIGNER, self._identity.signer
        return TO_MEASUREMENT, self._identity.measurement

    def _sealed(self, store: bytes, policy: int, version: int, key: bytes) -> bytes:
        header = bytes((policy,)) + version.to_bytes(2, "big") + self._identity.cpu_svn + os.urandom(21)
        return header + _native.aead_seal(
            _CIPHER, self._sealing_key(store, header), _NONCE, key, _covered(store, _FIRST, header)
        )

    def _unsealed(self, name: str, store: bytes, policy: int, slot: Slot) -> bytes:
        number, _, sealed = slot
        header = sealed[:_HEADER]
        try:
            # What is for this measurement may not come from an older enclave of its signer.
            if header[0] != policy:
                raise ValueError("it is sealed for others, too")  # noqa: TRY301
            key = self._sealing_key(store, header)
            covered = _covered(store, number, header)
            return _native.aead_open(_CIPHER, key, _NONCE, sealed[_HEADER:], covered)
        except (PlatformError, ValueError) as error:
            raise StoreKeyMissing(
                f"the key of store {name!r} was changed, or sealed on another machine, for another store,"
                " or by an enclave of another product id, debug setting or higher security version",
                hint="use the file on the machine where it was made, or move it away to begin anew",
            ) from error

    def _sealing_key(self, store: bytes, header: bytes) -> bytes:
        key_id = _native.sha256(b"eactors store key 1", store, header[19:])
        version = int.from_bytes(header[1:3], "big")
        return self._platform.key(seal_key_request(header[0], key_id, version, header[3:19]))


def _covered(store: bytes, number: int, header: bytes) -> bytes:
    return b"eactors store key 1" + store + number.to_bytes(4, "little") + header


def _head(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123 - pathlib would cost every enclave its memory
        return file.read(_HEAD)


def _head_with(name: str, path: str, owner: bytes) -> bytes:
    """The file's head, once the launcher has put a key into it."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        head = _head(path)
        if any(slot[1] == owner for slot in _slots(head)):
            return head
        time.sleep(_NAP)
    raise StoreKeyMissing(f"the launcher has not kept the key of store {name!r} for {_PATIENCE:.0f} s")


def _slots(head: bytes) -> Iterator[Slot]:
    """The slots that are in use: the key's number, whose it is, and the sealed key."""
    for at in range(_SLOTS_AT, len(head) - _SLOT + 1, _SLOT):
        slot = head[at : at + _SLOT]
        if slot[:4] == b"\1\0\0\0":
            yield int.from_bytes(slot[4:8], "little"), slot[8:40], slot[40:]


def make(trust: Trust) -> StoreKeys:
    """The keys of this enclave's stores."""
    return StoreKeys(trust.platform, trust.identity)
