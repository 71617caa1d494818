"""Provisioning: a file that somebody outside encrypts for one actor, and only its enclave opens.

The enclave's key pair is derived from its sealing key, so this very image on this machine has
the same one in every run, and nobody else ever has. Whoever provisions sees a quote that
covers the public key, and compares the quote with the manifest.
"""

from __future__ import annotations

import json
import os

from eactors import _native
from eactors.attestation.key_request import TO_MEASUREMENT, seal_key_request
from eactors.errors import SealBroken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from eactors.attestation.identity import Identity
    from eactors.enclave.trust import Trust
    from eactors.platform.base import Platform

_BASE_POINT = bytes((9,)) + bytes(31)
_PUBLIC = 32


class Provisioning:
    """The end of provisioning that lies inside an enclave.

    Args:
        platform: What the sealing key and quotes come from.
        identity: The enclave's own.
        manifest: Digest of the deployment manifest.
    """

    def __init__(self, platform: Platform, identity: Identity, manifest: bytes) -> None:
        key_id = _native.sha256(b"eactors provisioning 1")
        version, cpu_svn = identity.security_version, identity.cpu_svn
        key = platform.key(seal_key_request(TO_MEASUREMENT, key_id, version, cpu_svn))
        self._private = _native.hkdf(key, b"", b"eactors provisioning key", _PUBLIC)
        self.public = bytes(_native.x25519(self._private, _BASE_POINT))
        self._measurement = identity.measurement
        self._platform = platform
        self._manifest = manifest

    def quote(self) -> bytes:
        """A quote that covers the public key and the manifest."""
        covered = _native.sha256(b"eactors provisioning 1", self.public, self._manifest)
        return self._platform.quote(covered + bytes(32))

    def introduce(self) -> NoReturn:
        """Say on standard error who this is, and end: there is no region, and no actor runs."""
        said = json.dumps({"public": self.public.hex(), "quote": self.quote().hex()})
        os.write(2, said.encode() + b"\n")
        os._exit(0)

    def open(self, actor: str, sealed: bytes) -> bytes:
        """Decrypt what was provisioned for an actor: X25519, HKDF-SHA-256, AES-256-GCM.

        Raises:
            SealBroken: It was changed, or is for another actor or enclave.
        """
        try:
            secret = _native.x25519(self._private, sealed[:_PUBLIC])
            key = _native.hkdf(secret, sealed[:_PUBLIC] + self.public, b"eactors provision", 32)
            covered = actor.encode() + b"\0" + self._measurement
            # A key seals one file, so the nonce may be zero.
            return _native.aead_open("aes-256-gcm", key, bytes(12), sealed[_PUBLIC:], covered)
        except ValueError:
            raise SealBroken(
                f"what was provisioned for actor {actor!r} was changed, or is for another actor or enclave",
                hint="provision it again: eactors provision FILE --to ACTOR DIR",
            ) from None


def make(trust: Trust) -> Provisioning:
    """The provisioning of this enclave."""
    return Provisioning(trust.platform, trust.identity, trust.manifest.digest)
