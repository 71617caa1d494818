"""A host between two enclaves that answers each of them in the other's place."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, cast

from tests.lockstep import DATA
from tests.sealed import TAG

from eactors import _native
from eactors.attestation.diffie_hellman import DiffieHellman
from eactors.attestation.manifest import Manifest

if TYPE_CHECKING:
    from tests.lockstep import Lockstep

CIPHER = "aes-128-gcm"


class Middle:
    """Both ends of the first channel, as the host plays them.

    It knows all that is public, and is nobody that the manifest names: it has no processor that
    would make a report for it.
    """

    def __init__(self, host: Lockstep, manifest: bytes) -> None:
        self._host = host
        self._as: list[Any] = [
            DiffieHellman(
                {"side": side, "cipher": CIPHER, "peer_enclave": peer, "channel": host.channels[0]},
                Manifest(manifest),
                own,
                cast("Any", None),
            )
            for side, own, peer in ((0, 1, 2), (1, 2, 1))
        ]

    def strike(self, step: str) -> None:
        """Talk to both."""
        host = self._host
        if step == "hello":
            (self._hello,), _ = self._as[1](None)
            (self._proof,), _ = self._as[1](host.frame(0, 1).content)
            (hello,), _ = self._as[0](None)
            host.frame(0, 1).write(hello)
        elif step == "answer":
            (self._last,), _ = self._as[0](host.frame(0, 0).content)
            _, self._to_one = self._as[0](host.frame(0, 0, 1).content)
            host.frame(0, 0).write(self._hello)
            host.frame(0, 0, 1).write(self._proof)
        else:
            _, from_zero = self._as[1](host.frame(0, 1).content)
            host.frame(0, 1).write(self._last)
            self._forge(from_zero[1], self._to_one[0])

    def _forge(self, received: bytearray, sent: bytearray) -> None:
        """Read the first message, and write another in its place."""
        frame = self._host.frame(0, 1, 1)
        text = _native.aead_open(
            CIPHER, received, bytes(12), frame.content + frame.beyond(TAG), self._bound(len(frame.content))
        )
        forged = text.upper()
        sealed = _native.aead_seal(CIPHER, sent, bytes(12), forged, self._bound(len(forged)))
        frame.write(sealed[:-TAG], DATA, sealed[-TAG:])

    def _bound(self, length: int) -> bytes:
        """Return what the first frame of side 0 is bound to."""
        return struct.pack("<QBBHIIQI", self._host.channels[0], 0, DATA, 0, length, 0, 0, 0)
