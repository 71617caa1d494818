"""Which key an enclave asks its processor for: KEYREQUEST (Intel SDM, volume 3D, section 38.18)."""

from __future__ import annotations

from eactors.attestation.identity import DEBUG, INIT, STRUCTURE

REPORT_KEY, _SEAL_KEY = 3, 4  # names of keys

TO_MEASUREMENT, TO_SIGNER = 1, 2
"""KEYPOLICY: who can have the same sealing key."""


def seal_key_request(policy: int, key_id: bytes, security_version: int, cpu_svn: bytes) -> bytes:
    """The KEYREQUEST of a sealing key.

    The processor mixes the DEBUG attribute in whether asked or not, so a debug enclave never
    has a key of one that is not; and the product id, under either policy.

    Args:
        policy: `TO_MEASUREMENT` or `TO_SIGNER`.
        key_id: 32 bytes that tell keys of the same enclave apart.
        security_version: Not above the enclave's own: older versions cannot have the key.
        cpu_svn: Not above the processor's own, for the same reason.
    """
    return key_request(_SEAL_KEY, key_id, policy, security_version, cpu_svn)


def key_request(
    name: int, key_id: bytes, policy: int = 0, security_version: int = 0, cpu_svn: bytes = bytes(16)
) -> bytes:
    """A KEYREQUEST of any key."""
    head = b"".join(number.to_bytes(2, "little") for number in (name, policy, security_version, 0))
    mask = (INIT | DEBUG).to_bytes(16, "little")
    return (head + cpu_svn + mask + key_id).ljust(STRUCTURE, b"\0")
