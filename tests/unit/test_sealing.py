"""Sealing: who can have data back, and who cannot."""

from __future__ import annotations

from typing import Any

import pytest
from tests.attested import SIGNER, measurement_of
from tests.fake_platform import FakeCpu, NoPlatform

from eactors.attestation.identity import Identity, own_identity
from eactors.enclave.sealing import Sealer
from eactors.errors import NotInEnclave, SealBroken

ONE, TWO, BOB = measurement_of(1), measurement_of(2), measurement_of(99)
POLICIES = ("measurement", "signer")
DATA = b"what the host must not read"

either = pytest.mark.parametrize("to", POLICIES)


def sealer(
    measurement: bytes = ONE, signer: bytes = SIGNER, cpu: FakeCpu | None = None, **facts: Any
) -> Sealer:
    """Start an enclave that can seal."""
    platform = (cpu or FakeCpu()).enclave(measurement, signer, **facts)
    return Sealer(platform, own_identity(platform))


@either
@pytest.mark.parametrize("data", [b"", b"x", DATA, bytes(100_000)], ids=len)
def test_an_enclave_has_back_what_it_sealed(to: str, data: bytes) -> None:
    """Also after it was started anew."""
    blob = sealer().seal(data, to)
    assert sealer().unseal(blob) == data
    assert not data[2:] or data not in blob
    assert len(blob) == len(data) + 71


def test_data_is_sealed_to_the_measurement_if_nobody_says_otherwise() -> None:
    """The narrower of the two."""
    with pytest.raises(SealBroken):
        sealer(TWO).unseal(sealer().seal(DATA))


def test_another_enclave_of_the_signer_has_what_was_sealed_to_the_signer() -> None:
    """Such as the next version of the image."""
    blob = sealer(security_version=2).seal(DATA, "signer")
    assert sealer(TWO, security_version=2).unseal(blob) == DATA
    assert sealer(TWO, security_version=3).unseal(blob) == DATA


@pytest.mark.parametrize(
    ("to", "other", "words"),
    [
        ("measurement", {"measurement": TWO}, "another measurement"),
        ("measurement", {"debug": True}, "debug"),
        ("measurement", {"cpu": FakeCpu(b"another machine!")}, "another machine"),
        ("measurement", {"cpu": FakeCpu(svn=bytes(16))}, "another machine"),
        ("signer", {"signer": BOB}, "another signer"),
        ("signer", {"product_id": 1}, "product id"),
        ("signer", {"measurement": TWO, "debug": True}, "debug"),
        ("signer", {"cpu": FakeCpu(b"another machine!")}, "another machine"),
    ],
)
def test_nobody_else_has_it(to: str, other: dict[str, Any], words: str) -> None:
    """The words name what may differ."""
    with pytest.raises(SealBroken, match=words):
        sealer(**other).unseal(sealer().seal(DATA, to))


@either
def test_a_debug_enclave_has_its_own_keys(to: str) -> None:
    """The host can look into it: it gets nothing of the others, and gives them nothing."""
    with pytest.raises(SealBroken):
        sealer().unseal(sealer(debug=True).seal(DATA, to))
    assert sealer(debug=True).unseal(sealer(debug=True).seal(DATA, to)) == DATA


@either
def test_an_older_version_does_not_have_what_a_newer_sealed(to: str) -> None:
    """Otherwise a fault that was repaired could be put back to read what is sealed now."""
    with pytest.raises(SealBroken, match="security version 3, above this enclave's 2"):
        sealer(security_version=2).unseal(sealer(security_version=3).seal(DATA, to))


@either
def test_an_older_version_cannot_lie_about_it(to: str) -> None:
    """The processor does not give it the key, and another key does not fit."""
    blob = bytearray(sealer(security_version=3).seal(DATA, to))
    blob[5:7] = (2).to_bytes(2, "big")
    with pytest.raises(SealBroken):
        sealer(security_version=2).unseal(bytes(blob))
    forged = Sealer(
        FakeCpu().enclave(ONE, SIGNER, security_version=2), Identity(ONE, SIGNER, 0, 9, debug=False)
    )
    with pytest.raises(SealBroken):
        forged.unseal(sealer(security_version=3).seal(DATA, to))


@either
def test_a_blob_with_any_bit_flipped_is_broken(to: str) -> None:
    """The header is authenticated, as is the data."""
    own = sealer()
    blob = own.seal(DATA, to)
    for bit in range(8 * len(blob)):
        changed = bytearray(blob)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SealBroken):
            own.unseal(bytes(changed))


def test_a_blob_that_was_cut_or_grew_is_broken() -> None:
    """At every length."""
    own = sealer()
    blob = own.seal(DATA)
    for length in range(len(blob)):
        with pytest.raises(SealBroken):
            own.unseal(blob[:length])
    with pytest.raises(SealBroken):
        own.unseal(blob + b"\0")


def test_no_two_blobs_are_under_one_key() -> None:
    """Each has a key id of its own, which is why the nonce may be zero."""
    own = sealer()
    assert len({own.seal(DATA)[23:55] for _ in range(100)}) == 100


def test_there_are_two_policies() -> None:
    """A misspelt one must not become a default."""
    with pytest.raises(ValueError, match="'singer'"):
        sealer().seal(DATA, "singer")


def test_the_untrusted_side_has_no_sealing_keys() -> None:
    """And the error says so, rather than that the data is broken."""
    outside = Sealer(NoPlatform(), Identity(ONE, SIGNER, 0, 0, debug=False))
    with pytest.raises(NotInEnclave):
        outside.seal(DATA)
    with pytest.raises(NotInEnclave):
        outside.unseal(sealer().seal(DATA))
