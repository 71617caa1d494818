"""The structures that enclaves exchange with the CPU, byte for byte.

Intel SDM volume 3D, chapter 38: TARGETINFO (38.16), REPORT (38.15), KEYREQUEST (38.18),
ATTRIBUTES (38.7.1). Little-endian; what is reserved must be zero. The fields of each class
are those of its structure, in their order.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

INIT, DEBUG, MODE64BIT = 1 << 0, 1 << 1, 1 << 2
"""Bits of ATTRIBUTES.FLAGS."""

X87_SSE = 3
"""The part of ATTRIBUTES.XFRM that every enclave has."""

TARGETINFO_SIZE, KEYREQUEST_SIZE, REPORT_SIZE, BODY_SIZE = 512, 512, 432, 384
DATA_SIZE, KEY_SIZE, KEY_ID_SIZE = 64, 16, 32

EINITTOKEN_KEY, PROVISION_KEY, PROVISION_SEAL_KEY, REPORT_KEY, SEAL_KEY = range(5)
"""Names of keys, in KEYREQUEST.KEYNAME."""

POLICY_MRENCLAVE, POLICY_MRSIGNER = 1 << 0, 1 << 1
POLICY_KSS = 0b111100
"""Bits of KEYREQUEST.KEYPOLICY; the last four need ATTRIBUTES.KSS."""

_TARGETINFO = struct.Struct("<32s16sBxHI8x64s384x")
_KEYREQUEST = struct.Struct("<HHH2x16s16s32sIH434x")
_BODY = struct.Struct("<16sIB11x16s16s32s32x32s32x64sHHH42x16s64s")


class Refused(Exception):  # noqa: N818 - it names what happened
    """The CPU refuses an instruction; the words go to the enclave."""


class TargetInfo(NamedTuple):
    """Whom a report is for."""

    measurement: bytes
    attributes: bytes
    cet_attributes: int = 0
    config_svn: int = 0
    misc_select: int = 0
    config_id: bytes = bytes(64)

    def pack(self) -> bytes:
        """Return its 512 bytes."""
        return _TARGETINFO.pack(*self)

    @classmethod
    def parse(cls, data: bytes) -> TargetInfo:
        """Read its 512 bytes.

        Raises:
            Refused: It has another size, or a reserved bit is set.
        """
        return cls(*_parsed(_TARGETINFO, data, "TARGETINFO"))


class KeyRequest(NamedTuple):
    """Which key an enclave wants."""

    name: int
    policy: int = 0
    svn: int = 0
    cpu_svn: bytes = bytes(16)
    attribute_mask: bytes = bytes(16)
    key_id: bytes = bytes(KEY_ID_SIZE)
    misc_mask: int = 0
    config_svn: int = 0

    def pack(self) -> bytes:
        """Return its 512 bytes."""
        return _KEYREQUEST.pack(*self)

    @classmethod
    def parse(cls, data: bytes) -> KeyRequest:
        """Read its 512 bytes.

        Raises:
            Refused: It has another size, or a reserved bit is set.
        """
        return cls(*_parsed(_KEYREQUEST, data, "KEYREQUEST"))


class Body(NamedTuple):
    """What a report and a quote say of an enclave: the first 384 bytes of a REPORT."""

    cpu_svn: bytes
    misc_select: int
    cet_attributes: int
    ext_product_id: bytes
    attributes: bytes
    measurement: bytes
    signer: bytes
    config_id: bytes
    product_id: int
    svn: int
    config_svn: int
    family_id: bytes
    data: bytes

    def pack(self) -> bytes:
        """Return its 384 bytes."""
        return _BODY.pack(*self)

    @classmethod
    def parse(cls, data: bytes) -> Body:
        """Read its 384 bytes.

        Raises:
            Refused: It has another size, or a reserved bit is set.
        """
        return cls(*_parsed(_BODY, data, "REPORT"))


def attributes(flags: int, xfrm: int = X87_SSE) -> bytes:
    """Return the 16 bytes of ATTRIBUTES."""
    return flags.to_bytes(8, "little") + xfrm.to_bytes(8, "little")


def _parsed(layout: struct.Struct, data: bytes, name: str) -> tuple[Any, ...]:
    if len(data) != layout.size:
        raise Refused(f"{name} has {len(data)} bytes instead of {layout.size}")
    values = layout.unpack(data)
    # Packing writes zeros where the layout says "x": any other reserved byte makes a difference.
    if layout.pack(*values) != data:
        raise Refused(f"a reserved bit of {name} is set")
    return values
