"""A processor for tests: EREPORT and EGETKEY with SGX's rules, on the ``cryptography`` package.

It shares no line with the software CPU of platform ``simulation``, nor with the trusted code
that is tested on it, so that the three check each other. Sources: Intel SDM volume 3D,
chapter 38 for the structures, chapter 40 for EREPORT and EGETKEY.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Any

from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.cmac import CMAC
from tests.fake_quotes import FakeAuthority

from eactors.errors import NotInEnclave, PlatformError

SIMULATED = b"EACTORS-SIMULATE"
INIT, DEBUG, MODE64BIT = 1, 2, 4
REPORT_KEY, SEAL_KEY = 3, 4
MRENCLAVE, MRSIGNER = 1, 2


def mac(key: bytes, data: bytes) -> bytes:
    """AES-128-CMAC (RFC 4493)."""
    context = CMAC(algorithms.AES128(key))
    context.update(data)
    return context.finalize()


class FakeCpu:
    """One machine.

    Args:
        root: The fused secret; two CPUs with the same one are the same machine.
        svn: CPUSVN.
        key_id: CR_REPORT_KEYID, which a boot draws.
    """

    def __init__(self, root: bytes = bytes(16), svn: bytes = SIMULATED, key_id: bytes = bytes(32)) -> None:
        self.root = root
        self.svn = svn
        self.key_id = key_id
        self.counters: dict[tuple[bytes, ...], bytes] = {}

    def enclave(
        self,
        measurement: bytes,
        signer: bytes,
        *,
        product_id: int = 0,
        security_version: int = 0,
        debug: bool = False,
    ) -> FakePlatform:
        """Start an enclave."""
        flags = INIT | MODE64BIT | (DEBUG if debug else 0)
        attributes = flags.to_bytes(8, "little") + (3).to_bytes(8, "little")
        return FakePlatform(self, measurement, signer, product_id, security_version, attributes)

    @cached_property
    def authority(self) -> FakeAuthority:
        """Who vouches for the quotes of this machine."""
        return FakeAuthority()

    def derive(self, *dependencies: bytes) -> bytes:
        """A key that depends on all of these, and on the machine."""
        framed = b"".join(len(each).to_bytes(4, "little") + each for each in dependencies)
        return mac(self.root, hashlib.sha256(framed).digest())


class FakePlatform:
    """What one enclave sees of the machine. Its attributes may be changed by a test."""

    name = "simulation"

    def __init__(
        self,
        cpu: FakeCpu,
        measurement: bytes,
        signer: bytes,
        product_id: int,
        security_version: int,
        attributes: bytes,
    ) -> None:
        self.cpu = cpu
        self.measurement = measurement
        self.signer = signer
        self.product_id = product_id
        self.security_version = security_version
        self.attributes = attributes

    def prepare(self, parent: int) -> None:
        """Nothing to prepare."""

    def seal(self) -> None:
        """Nothing to give up."""

    def quote(self, data: bytes) -> bytes:
        """A quote under this machine's own authority."""
        return self.cpu.authority.quote(self.report(bytes(512), data)[:384])

    def counter(self, policy: int, name: bytes) -> bytes:
        """A monotonic counter."""
        return self.cpu.counters.get(self._owner(policy, name), b"")

    def advance(self, policy: int, name: bytes, expected: bytes, new: bytes) -> bytes:
        """Advance it if it is as expected."""
        if expected and int.from_bytes(new[:8], "little") <= int.from_bytes(expected[:8], "little"):
            raise PlatformError("a counter does not fall")
        if self.counter(policy, name) == expected:
            self.cpu.counters[self._owner(policy, name)] = new
        return self.counter(policy, name)

    def _owner(self, policy: int, name: bytes) -> tuple[bytes, ...]:
        who = {0: b"", MRENCLAVE: self.measurement, MRSIGNER: self.signer + bytes([self.product_id])}[policy]
        return name, bytes([policy]), who, self.attributes

    def report(self, target: bytes, data: bytes) -> bytes:
        """EREPORT."""
        if (len(target), len(data)) != (512, 64) or any(target[49:50] + target[56:64] + target[128:]):
            raise PlatformError("#GP(0)")
        body = bytearray(384)
        body[0:16] = self.cpu.svn
        body[48:64] = self.attributes
        body[64:96] = self.measurement
        body[128:160] = self.signer
        body[256:258] = self.product_id.to_bytes(2, "little")
        body[258:260] = self.security_version.to_bytes(2, "little")
        body[320:384] = data
        key = self._report_key(target, self.cpu.key_id)
        return bytes(body) + self.cpu.key_id + mac(key, bytes(body))

    def key(self, request: bytes) -> bytes:
        """EGETKEY."""
        if len(request) != 512 or any(request[6:8] + request[78:]):
            raise PlatformError("#GP(0)")
        name, policy, version = (int.from_bytes(request[at : at + 2], "little") for at in (0, 2, 4))
        cpu_svn, mask, key_id = request[8:24], request[24:40], request[40:72]
        if name == REPORT_KEY:
            own = self.measurement + self.attributes
            return self._report_key(own.ljust(512, b"\0"), key_id)
        if name != SEAL_KEY or policy & ~(MRENCLAVE | MRSIGNER):
            raise PlatformError("SGX_INVALID_KEYNAME")
        if cpu_svn != self.cpu.svn:
            raise PlatformError("SGX_INVALID_CPUSVN")
        if version > self.security_version:
            raise PlatformError("SGX_INVALID_ISVSVN")
        always = (INIT | DEBUG).to_bytes(16, "little")
        seen = bytes((m | a) & own for m, a, own in zip(mask, always, self.attributes, strict=True))
        return self.cpu.derive(
            b"seal",
            self.measurement if policy & MRENCLAVE else bytes(32),
            self.signer if policy & MRSIGNER else bytes(32),
            request[2:6],
            self.product_id.to_bytes(2, "little"),
            cpu_svn,
            mask,
            seen,
            request[72:78],
            key_id,
        )

    def _report_key(self, target: bytes, key_id: bytes) -> bytes:
        # Of a TARGETINFO the processor takes measurement, ATTRIBUTES, CET, CONFIGSVN, MISCSELECT, CONFIGID.
        return self.cpu.derive(b"report", target[:56], target[64:128], self.cpu.svn, key_id)


class NoPlatform:
    """The untrusted side: all of it is refused."""

    name = "untrusted"

    def __getattr__(self, name: str) -> Any:
        raise NotInEnclave(f"the untrusted side has no {name}")
