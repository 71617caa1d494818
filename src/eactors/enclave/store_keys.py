"""The keys of encrypted stores: made once, sealed by the processor, kept in the store's own file.

The file has slots for keys (docs/design/store-format.md), each for one measurement or signer. An
enclave that finds none makes a key, and the launcher puts what it has sealed into a slot; of
several that do so at once, the first, and all use that. So it is with the next key. A launcher
that cheats can at worst have each enclave use a key of its own, with which none can read what
others have written. A sealed key is

    policy 1 | security version 2 | CPUSVN 16 | random 21 | ciphertext 32 | tag 16

under AES-128-GCM with a zero nonce: the random bytes, hashed with the store's id, are the
key id of a sealing key that seals nothing else.
"""

from __future__ import annotations

import os
import time
from functools import partial

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
_FIRST = 0
_PATIENCE, _NAP = 30.0, 0.002


class StoreKey:
    """The key of one store, in one enclave; and the next ones.

    Args:
        name: The store's name.
        entry: What the plan says of it.
        head: Reads the head of the store's file.
        tell: Tells the host.
        platform: What sealing keys come from.
        identity: The enclave's own.

    Attributes:
        id: The store's.
        head: As given. Once the enclave is sealed, only the store's own is left.
    """

    def __init__(
        self,
        name: str,
        entry: dict[str, Any],
        head: Callable[[], bytes],
        tell: Callable[..., None],
        platform: Platform,
        identity: Identity,
    ) -> None:
        self._name, self._kind, self.head, self._tell = name, entry["key"], head, tell
        self._platform, self._identity = platform, identity
        self._version = min(entry["security_version"], identity.security_version)
        self._policy, self._owner = TO_MEASUREMENT, identity.measurement
        if self._kind == "signer":
            self._policy, self._owner = TO_SIGNER, identity.signer
        self.id = head()[_ID]

    def found(self, ask: Callable[[], bytes] | None) -> StoreKey:
        """Itself, once there is a key that this enclave can have.

        Args:
            ask: Gets it from the enclave that has it; None: nobody has it but this one.

        Raises:
            StoreKeyMissing: There is one, and it is for others than this enclave.
        """
        slots = list(_slots(self.head()))
        if not any(owner == self._owner for _, owner, _ in slots):
            if ask is None and slots:
                raise StoreKeyMissing(
                    f"the key of store {self._name!r} is for another {self._kind} than this enclave has",
                    hint="use the enclave that has made it, or move the store's file away to begin anew",
                )
            self._keep(_FIRST, os.urandom(_KEY) if ask is None else ask())
        return self

    def fetch(self, number: int) -> bytes:
        """The key of this number.

        Raises:
            StoreKeyMissing: This enclave cannot have it.
        """
        sealed = self._slot(number)
        if sealed is None:
            raise StoreKeyMissing(
                f"key {number} of store {self._name!r} is not in its file, or for others than this enclave",
                hint="use the enclave that has made it; if the file was changed, restore a whole copy",
            )
        return self._unsealed(number, sealed)

    def renew(self, number: int) -> bytes:
        """A new key, of this number: this enclave's, or that of another which was quicker.

        Raises:
            StoreKeyMissing: The launcher does not keep it.
        """
        self._keep(number, os.urandom(_KEY))
        return self.fetch(number)

    def _keep(self, number: int, key: bytes) -> None:
        """Have the launcher put a key into the file, and wait until there is one."""
        header = bytes((self._policy,)) + self._version.to_bytes(2, "big") + self._identity.cpu_svn
        header += os.urandom(21)
        covered = _covered(self.id, number, header)
        sealed = header + _native.aead_seal(_CIPHER, self._sealing_key(header), _NONCE, key, covered)
        owner = self._owner.hex()
        self._tell("store-key", store=self._name, id=number, owner=owner, sealed=sealed.hex())
        deadline = time.monotonic() + _PATIENCE
        while self._slot(number) is None:
            if time.monotonic() > deadline:
                raise StoreKeyMissing(
                    f"the launcher has not kept the key of store {self._name!r} for {_PATIENCE:.0f} s"
                )
            time.sleep(_NAP)

    def _slot(self, number: int) -> bytes | None:
        for slot, owner, sealed in _slots(self.head()):
            if (slot, owner) == (number, self._owner):
                return sealed
        return None

    def _unsealed(self, number: int, sealed: bytes) -> bytes:
        header = sealed[:_HEADER]
        try:
            # What is for this measurement may not come from an older enclave of its signer.
            if header[0] != self._policy:
                raise ValueError("it is sealed for others, too")  # noqa: TRY301
            covered = _covered(self.id, number, header)
            return _native.aead_open(_CIPHER, self._sealing_key(header), _NONCE, sealed[_HEADER:], covered)
        except (PlatformError, ValueError) as error:
            raise StoreKeyMissing(
                f"the key of store {self._name!r} was changed, or sealed on another machine, for another"
                " store, or by an enclave of another product id, debug setting or higher security version",
                hint="use the file on the machine where it was made, or move it away to begin anew",
            ) from error

    def _sealing_key(self, header: bytes) -> bytes:
        key_id = _native.sha256(b"eactors store key 1", self.id, header[19:])
        version = int.from_bytes(header[1:3], "big")
        return self._platform.key(seal_key_request(header[0], key_id, version, header[3:19]))


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
    ) -> StoreKey:
        """The key of the store in a file, which the launcher has made; for the others see `StoreKey`."""
        return StoreKey(name, entry, partial(_head, path), tell, self._platform, self._identity).found(ask)


def _covered(store: bytes, number: int, header: bytes) -> bytes:
    return b"eactors store key 1" + store + number.to_bytes(4, "little") + header


def _head(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123 - pathlib would cost every enclave its memory
        return file.read(_HEAD)


def _slots(head: bytes) -> Iterator[Slot]:
    """The slots that are in use: the key's number, whose it is, and the sealed key."""
    for at in range(_SLOTS_AT, len(head) - _SLOT + 1, _SLOT):
        slot = head[at : at + _SLOT]
        if slot[:4] == b"\1\0\0\0":
            yield int.from_bytes(slot[4:8], "little"), slot[8:40], slot[40:]


def make(trust: Trust) -> StoreKeys:
    """The keys of this enclave's stores."""
    return StoreKeys(trust.platform, trust.identity)
