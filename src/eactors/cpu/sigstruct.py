"""SIGSTRUCT: a signer's word for an enclave, and how EINIT checks it.

Intel SDM volume 3D, section 38.13: 1808 bytes, RSA-3072 with public exponent 3 over
PKCS #1 v1.5 with SHA-256, all integers little-endian. Verifying such a signature takes no
secret and two multiplications, so it needs no library.
"""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING, NamedTuple

from eactors.cpu.structures import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

SIZE = 1808
KEY_BYTES = 384
EXPONENT = 3
_HEADER = bytes.fromhex("06000000e10000000000010000000000")
_HEADER2 = bytes.fromhex("01010000600000006000000001000000")
_INTEL = 0x8086
_SIGNED = ((0, 128), (900, 1028))
_LAYOUT = struct.Struct("<16sII16sI84x384sI384sIIBB2x16s16s16s32s16x16sHH12x384s384s")
# DigestInfo of SHA-256, RFC 8017 section 9.2.
_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")


class Sigstruct(NamedTuple):
    """A signed enclave identity; the fields are those of the structure, in their order.

    Attributes:
        vendor: 0, or 0x8086 for Intel's own.
        date: YYYYMMDD, each digit in four bits.
        modulus: Of the signer's key, 384 bytes.
        attributes: What the enclave's attributes must be, where the mask has a bit.
        measurement: ENCLAVEHASH.
        svn: The security version.
    """

    header: bytes = _HEADER
    vendor: int = 0
    date: int = 0
    header2: bytes = _HEADER2
    software: int = 0
    modulus: bytes = bytes(KEY_BYTES)
    exponent: int = EXPONENT
    signature: bytes = bytes(KEY_BYTES)
    misc_select: int = 0
    misc_mask: int = 0xFFFF_FFFF
    cet_attributes: int = 0
    cet_mask: int = 0
    family_id: bytes = bytes(16)
    attributes: bytes = bytes(16)
    attribute_mask: bytes = b"\xff" * 16
    measurement: bytes = bytes(32)
    ext_product_id: bytes = bytes(16)
    product_id: int = 0
    svn: int = 0
    q1: bytes = bytes(KEY_BYTES)
    q2: bytes = bytes(KEY_BYTES)

    def pack(self) -> bytes:
        """Return its 1808 bytes."""
        return _LAYOUT.pack(*self)

    @classmethod
    def parse(cls, data: bytes) -> Sigstruct:
        """Read its 1808 bytes.

        Raises:
            Refused: It has another size, or a reserved bit is set.
        """
        if len(data) != SIZE:
            raise Refused(f"SIGSTRUCT has {len(data)} bytes instead of {SIZE}")
        values = _LAYOUT.unpack(data)
        if _LAYOUT.pack(*values) != data:
            raise Refused("a reserved bit of SIGSTRUCT is set")
        return cls(*values)

    @property
    def signer(self) -> bytes:
        """MRSIGNER: the hash of the key's modulus."""
        return hashlib.sha256(self.modulus).digest()

    def signed_part(self) -> bytes:
        """Return the bytes that the signature covers."""
        data = self.pack()
        return b"".join(data[start:end] for start, end in _SIGNED)

    def sign(self, modulus: int, sign: Callable[[bytes], bytes]) -> Sigstruct:
        """Return it signed.

        Args:
            modulus: Of the signer's key.
            sign: Returns the big-endian PKCS #1 v1.5 signature, with SHA-256, of its argument.
        """
        signature = int.from_bytes(sign(self.signed_part()), "big")
        q1, rest = divmod(signature * signature, modulus)
        q2 = rest * signature // modulus
        return self._replace(
            modulus=_little(modulus),
            signature=_little(signature),
            q1=_little(q1),
            q2=_little(q2),
        )

    def check(self) -> None:
        """Check the header, the key and the signature, as EINIT does.

        Raises:
            Refused: One of them is wrong.
        """
        if (self.header, self.header2) != (_HEADER, _HEADER2) or self.vendor not in (0, _INTEL):
            raise Refused("SGX_INVALID_SIG_STRUCT: this is no SIGSTRUCT")
        modulus, signature, q1, q2 = (
            int.from_bytes(value, "little") for value in (self.modulus, self.signature, self.q1, self.q2)
        )
        if self.exponent != EXPONENT or modulus.bit_length() != KEY_BYTES * 8 or signature >= modulus:
            raise Refused("SGX_INVALID_SIG_STRUCT: the key is not RSA-3072 with exponent 3")
        first, rest = divmod(signature * signature, modulus)
        second, message = divmod(rest * signature, modulus)
        if (q1, q2) != (first, second):
            raise Refused("SGX_INVALID_SIG_STRUCT: Q1 or Q2 is wrong")
        digest = _DIGEST_INFO + hashlib.sha256(self.signed_part()).digest()
        padded = b"\0\1" + b"\xff" * (KEY_BYTES - 3 - len(digest)) + b"\0" + digest
        if message.to_bytes(KEY_BYTES, "big") != padded:
            raise Refused("SGX_INVALID_SIGNATURE: the signature does not fit")


def _little(value: int) -> bytes:
    return value.to_bytes(KEY_BYTES, "little")
