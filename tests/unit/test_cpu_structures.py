"""The structures of the CPU lie where the manual says, and nothing reserved passes."""

from __future__ import annotations

import pytest

from eactors.cpu.sigstruct import Sigstruct
from eactors.cpu.structures import Body, KeyRequest, Refused, TargetInfo

Structure = type[TargetInfo] | type[KeyRequest] | type[Body] | type[Sigstruct]

# Offset and size of every field, from the Intel SDM volume 3D, tables in 38.13 to 38.18.
FIELDS: dict[Structure, tuple[int, dict[str, tuple[int, int]]]] = {
    TargetInfo: (
        512,
        {
            "measurement": (0, 32),
            "attributes": (32, 16),
            "cet_attributes": (48, 1),
            "config_svn": (50, 2),
            "misc_select": (52, 4),
            "config_id": (64, 64),
        },
    ),
    KeyRequest: (
        512,
        {
            "name": (0, 2),
            "policy": (2, 2),
            "svn": (4, 2),
            "cpu_svn": (8, 16),
            "attribute_mask": (24, 16),
            "key_id": (40, 32),
            "misc_mask": (72, 4),
            "config_svn": (76, 2),
        },
    ),
    Body: (
        384,
        {
            "cpu_svn": (0, 16),
            "misc_select": (16, 4),
            "cet_attributes": (20, 1),
            "ext_product_id": (32, 16),
            "attributes": (48, 16),
            "measurement": (64, 32),
            "signer": (128, 32),
            "config_id": (192, 64),
            "product_id": (256, 2),
            "svn": (258, 2),
            "config_svn": (260, 2),
            "family_id": (304, 16),
            "data": (320, 64),
        },
    ),
    Sigstruct: (
        1808,
        {
            "header": (0, 16),
            "vendor": (16, 4),
            "date": (20, 4),
            "header2": (24, 16),
            "software": (40, 4),
            "modulus": (128, 384),
            "exponent": (512, 4),
            "signature": (516, 384),
            "misc_select": (900, 4),
            "misc_mask": (904, 4),
            "cet_attributes": (908, 1),
            "cet_mask": (909, 1),
            "family_id": (912, 16),
            "attributes": (928, 16),
            "attribute_mask": (944, 16),
            "measurement": (960, 32),
            "ext_product_id": (1008, 16),
            "product_id": (1024, 2),
            "svn": (1026, 2),
            "q1": (1040, 384),
            "q2": (1424, 384),
        },
    ),
}

KINDS = pytest.mark.parametrize("kind", FIELDS, ids=lambda kind: kind.__name__)


def used(kind: Structure) -> set[int]:
    """Return the offsets of all bytes that are not reserved."""
    return {at + i for at, size in FIELDS[kind][1].values() for i in range(size)}


@KINDS
def test_every_field_lies_where_the_manual_says(kind: Structure) -> None:
    """Real quotes, real signing tools and Gramine read and write the same bytes."""
    size, fields = FIELDS[kind]
    data = bytes(i % 251 + 1 if i in used(kind) else 0 for i in range(size))
    parsed = kind.parse(data)
    assert list(parsed._fields) == list(fields)
    for name, (at, length) in fields.items():
        value = getattr(parsed, name)
        expected = data[at : at + length]
        assert value == (expected if isinstance(value, bytes) else int.from_bytes(expected, "little")), name
    assert parsed.pack() == data


@KINDS
def test_no_reserved_bit_passes(kind: Structure) -> None:
    """What they mean tomorrow must not have been ignored today."""
    size = FIELDS[kind][0]
    for at in sorted(set(range(size)) - used(kind)):
        for bit in (0, 7):
            data = bytearray(size)
            data[at] = 1 << bit
            with pytest.raises(Refused, match="a reserved bit"):
                kind.parse(bytes(data))


@KINDS
@pytest.mark.parametrize("more", [-1, 1])
def test_no_other_size_passes(kind: Structure, more: int) -> None:
    """Neither a byte less nor a byte more."""
    with pytest.raises(Refused, match="bytes instead of"):
        kind.parse(bytes(FIELDS[kind][0] + more))
