"""What the instructions of the CPU compute: pure functions of its secrets and of who asks.

Intel SDM volume 3D, chapter 40: EREPORT, and EGETKEY with its key dependencies. Where the
real CPU faults or sets an error code, `Refused` is raised.

The key derivation is ours, since Intel's is not public: HMAC-SHA256 under the root secret
over all that the SDM lists as a dependency, the first 16 bytes of it. So two keys are
equal if all dependencies are, and say nothing about each other else.
"""

from __future__ import annotations

import hmac
from typing import NamedTuple

from eactors import _native
from eactors.cpu.structures import (
    DATA_SIZE,
    DEBUG,
    EINITTOKEN_KEY,
    INIT,
    KEY_SIZE,
    POLICY_KSS,
    POLICY_MRENCLAVE,
    POLICY_MRSIGNER,
    PROVISION_KEY,
    PROVISION_SEAL_KEY,
    REPORT_KEY,
    SEAL_KEY,
    Body,
    KeyRequest,
    Refused,
    TargetInfo,
)

CPU_SVN = b"EACTORS-SIMULATE"
"""The one security version of this CPU. No hardware has it: it tells a simulated enclave."""

_KNOWN_POLICY = POLICY_MRENCLAVE | POLICY_MRSIGNER | POLICY_KSS
_ALWAYS_MASKED = INIT | DEBUG
_PRIVILEGED = (EINITTOKEN_KEY, PROVISION_KEY, PROVISION_SEAL_KEY)


class Secs(NamedTuple):
    """Who an initialised enclave is: the part of SGX's control structure that is reported.

    Attributes:
        measurement: MRENCLAVE, 32 bytes.
        signer: MRSIGNER, 32 bytes.
        attributes: 16 bytes, INIT among them.
        product_id: ISVPRODID.
        svn: ISVSVN, the security version.
    """

    measurement: bytes
    signer: bytes
    attributes: bytes
    product_id: int
    svn: int

    def body(self, data: bytes) -> Body:
        """Return what reports and quotes say of this enclave."""
        return Body(
            cpu_svn=CPU_SVN,
            misc_select=0,
            cet_attributes=0,
            ext_product_id=bytes(16),
            attributes=self.attributes,
            measurement=self.measurement,
            signer=self.signer,
            config_id=bytes(64),
            product_id=self.product_id,
            svn=self.svn,
            config_svn=0,
            family_id=bytes(16),
            data=data,
        )


def ereport(root: bytes, key_id: bytes, secs: Secs, target: bytes, data: bytes) -> bytes:
    """Execute EREPORT.

    Args:
        root: The CPU's root secret.
        key_id: CR_REPORT_KEYID, 32 bytes, of this run of the CPU.
        secs: Who asks.
        target: A TARGETINFO: who can verify the report.
        data: 64 bytes of the caller's choice.

    Returns:
        A REPORT, 432 bytes.

    Raises:
        Refused: An operand has another size, or a reserved bit is set.
    """
    to = TargetInfo.parse(target)
    if len(data) != DATA_SIZE:
        raise Refused(f"report data has {len(data)} bytes instead of {DATA_SIZE}")
    key = _report_key(root, key_id, to)
    body = secs.body(data).pack()
    return body + key_id + _native.cmac(key, body)


def egetkey(root: bytes, secs: Secs, request: bytes) -> bytes:
    """Execute EGETKEY.

    Args:
        root: The CPU's root secret.
        secs: Who asks.
        request: A KEYREQUEST.

    Returns:
        The key, 16 bytes.

    Raises:
        Refused: The request is malformed, or asks for more than this enclave may have.
    """
    wanted = KeyRequest.parse(request)
    _check(wanted)
    if wanted.name == REPORT_KEY:
        return _report_key(root, wanted.key_id, TargetInfo(secs.measurement, secs.attributes))
    if wanted.name == SEAL_KEY:
        return _seal_key(root, secs, wanted)
    if wanted.name in _PRIVILEGED:
        raise Refused("SGX_INVALID_ATTRIBUTE: no simulated enclave may have this key")
    raise Refused(f"SGX_INVALID_KEYNAME: there is no key {wanted.name}")


def _check(wanted: KeyRequest) -> None:
    if wanted.policy & ~_KNOWN_POLICY:
        raise Refused("a reserved bit of KEYPOLICY is set")
    if wanted.policy & POLICY_KSS or wanted.config_svn:
        raise Refused("no simulated enclave has key separation and sharing (ATTRIBUTES.KSS)")


def _seal_key(root: bytes, secs: Secs, wanted: KeyRequest) -> bytes:
    if wanted.cpu_svn != CPU_SVN:
        raise Refused("SGX_INVALID_CPUSVN: this CPU has never had that security version")
    if wanted.svn > secs.svn:
        raise Refused(f"SGX_INVALID_ISVSVN: {wanted.svn} is above this enclave's security version {secs.svn}")
    # INIT and DEBUG always count, so that a debug enclave never gets the keys of another.
    always = _ALWAYS_MASKED.to_bytes(16, "little")
    masked = bytes(
        (m | a) & s for m, a, s in zip(wanted.attribute_mask, always, secs.attributes, strict=True)
    )
    return _derive(
        root,
        SEAL_KEY,
        wanted.policy.to_bytes(2, "little"),
        secs.measurement if wanted.policy & POLICY_MRENCLAVE else bytes(32),
        secs.signer if wanted.policy & POLICY_MRSIGNER else bytes(32),
        secs.product_id.to_bytes(2, "little"),
        wanted.svn.to_bytes(2, "little"),
        wanted.cpu_svn,
        masked,
        wanted.attribute_mask,
        wanted.misc_mask.to_bytes(4, "little"),
        wanted.key_id,
    )


def _report_key(root: bytes, key_id: bytes, to: TargetInfo) -> bytes:
    return _derive(
        root,
        REPORT_KEY,
        to.measurement,
        to.attributes,
        to.cet_attributes.to_bytes(1, "little"),
        to.misc_select.to_bytes(4, "little"),
        to.config_id,
        to.config_svn.to_bytes(2, "little"),
        CPU_SVN,
        key_id,
    )


def _derive(root: bytes, name: int, *dependencies: bytes) -> bytes:
    # For each name the fields have fixed sizes: joined, no two lists of them are alike.
    message = b"eactors cpu key\0" + name.to_bytes(2, "little") + b"".join(dependencies)
    return hmac.digest(root, message, "sha256")[:KEY_SIZE]
