"""Sealing: data that only this enclave, or enclaves of its signer, can have back.

A blob is a header, which is authenticated, and AES-128-GCM ciphertext with its tag:

    magic and version 4 | policy 1 | security version 2 | CPUSVN 16 | key id 32 | data | tag 16

The key id is random and part of the key's derivation, so every key seals one message; that
is why the nonce may be zero. The host can lose a blob or bring back an old one: neither is
noticed here.
"""

from __future__ import annotations

from eactors import _native
from eactors.attestation.end import new_random
from eactors.attestation.key_request import TO_MEASUREMENT, TO_SIGNER, seal_key_request
from eactors.errors import PlatformError, SealBroken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from eactors.attestation.identity import Identity
    from eactors.enclave.trust import Trust
    from eactors.platform.base import Platform

POLICIES = {"measurement": TO_MEASUREMENT, "signer": TO_SIGNER}

_MAGIC = b"EAS\1"
_HEADER, _TAG = 55, 16
_CIPHER, _NONCE = "aes-128-gcm", bytes(12)


class Sealer:
    """Seals and unseals for one enclave.

    Args:
        platform: What sealing keys come from.
        identity: The enclave's own.
    """

    def __init__(self, platform: Platform, identity: Identity) -> None:
        self._platform = platform
        self._identity = identity

    def seal(self, data: bytes, to: str = "measurement") -> bytes:
        """Encrypt ``data``.

        Args:
            data: Any bytes.
            to: ``"measurement"``: for this very image; ``"signer"``: for every enclave of the same
                signer, product id and at least this security version. Always on this machine.

        Raises:
            ValueError: ``to`` is neither.
        """
        if to not in POLICIES:
            raise ValueError(f'data is sealed to "measurement" or to "signer", not to {to!r}')
        version = self._identity.security_version.to_bytes(2, "big")
        header = _MAGIC + bytes((POLICIES[to],)) + version + self._identity.cpu_svn + new_random()
        return header + _native.aead_seal(_CIPHER, self._key(header), _NONCE, data, header)

    def unseal(self, blob: bytes) -> bytes:
        """Decrypt what `seal` returned.

        Raises:
            SealBroken: It was changed, or sealed by whom this enclave is not.
        """
        header, sealed = bytes(blob[:_HEADER]), bytes(blob[_HEADER:])
        if len(sealed) < _TAG or header[:4] != _MAGIC or header[4] not in POLICIES.values():
            raise SealBroken("this is no sealed data, or it was cut")
        version = int.from_bytes(header[5:7], "big")
        own = self._identity.security_version
        if version > own:
            raise SealBroken(f"the data was sealed at security version {version}, above this enclave's {own}")
        try:
            return _native.aead_open(_CIPHER, self._key(header), _NONCE, sealed, header)
        except (PlatformError, ValueError) as error:
            who = "signer or product id" if header[4] == TO_SIGNER else "measurement"
            words = (
                f"changed, or sealed on another machine or by an enclave of another {who}, or debug setting"
            )
            raise SealBroken(f"the data was {words}") from error

    def _key(self, header: bytes) -> bytes:
        version = int.from_bytes(header[5:7], "big")
        return self._platform.key(seal_key_request(header[4], header[23:55], version, header[7:23]))


def make(trust: Trust) -> Sealer:
    """The sealing of this enclave."""
    return Sealer(trust.platform, trust.identity)
