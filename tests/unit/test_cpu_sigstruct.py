"""SIGSTRUCT: what a signer signs, and what EINIT finds wrong with it."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from tests.keys import key

from eactors.build.signing import fingerprint
from eactors.cpu.sigstruct import Sigstruct
from eactors.cpu.structures import MODE64BIT, Refused, attributes

ALICE = key("alice")


def sign(private: rsa.RSAPrivateKey = ALICE, **fields: Any) -> Sigstruct:
    """Sign an identity."""
    usual: dict[str, Any] = {
        "date": 0x20261124,
        "attributes": attributes(MODE64BIT),
        "measurement": b"m" * 32,
        "product_id": 7,
        "svn": 2,
    }
    return Sigstruct(**usual | fields).sign(
        private.public_key().public_numbers().n,
        lambda data: private.sign(data, padding.PKCS1v15(), hashes.SHA256()),
    )


def test_a_signed_one_checks() -> None:
    """Also after it has been bytes, and an ordinary RSA library agrees."""
    signed = Sigstruct.parse(sign().pack())
    signed.check()
    data = signed.pack()
    ALICE.public_key().verify(
        signed.signature[::-1], data[:128] + data[900:1028], padding.PKCS1v15(), hashes.SHA256()
    )


def test_q1_and_q2_are_what_the_manual_says() -> None:
    """Q1 = S^2 / N, Q2 = (S^3 - Q1 S N) / N: the hardware checks with them, without dividing."""
    signed = sign()
    signature, modulus, q1, q2 = (
        int.from_bytes(value, "little") for value in (signed.signature, signed.modulus, signed.q1, signed.q2)
    )
    assert q1 == signature**2 // modulus
    assert q2 == (signature**3 - q1 * signature * modulus) // modulus


def test_the_signer_is_the_hash_of_the_modulus() -> None:
    """MRSIGNER, little-endian; what key files show as their fingerprint."""
    modulus = ALICE.public_key().public_numbers().n.to_bytes(384, "little")
    assert sign().signer == hashlib.sha256(modulus).digest()
    assert sign().signer.hex() == fingerprint(ALICE)


def test_a_signature_is_the_same_each_time() -> None:
    """Known answer: PKCS #1 v1.5 draws no random numbers, so the same input is the same file."""
    assert (
        hashlib.sha256(sign().pack()).hexdigest()
        == "8c37371537eba2d2c7b9157a1be1b7f068232f7e0f1397f65210fa0f0a998e18"
    )


def test_any_changed_bit_is_noticed() -> None:
    """Whatever byte it is in: what is signed, the key, the signature, Q1, Q2, what is reserved."""
    good = sign().pack()
    for at in range(len(good)):
        changed = bytearray(good)
        changed[at] ^= 1 << at % 8
        with pytest.raises(Refused):
            Sigstruct.parse(bytes(changed)).check()


def test_another_key_does_not_fit() -> None:
    """Bob's modulus under alice's signature."""
    bob = sign(key("bob"))
    with pytest.raises(Refused, match="Q1 or Q2"):
        sign()._replace(modulus=bob.modulus).check()
    with pytest.raises(Refused, match="SGX_INVALID_SIGNATURE"):
        sign()._replace(svn=3).check()


@pytest.mark.parametrize(
    "fields",
    [
        {"exponent": 65537},
        {"modulus": b"\xff" + bytes(383)},
        {"signature": b"\xff" * 384},
        {"modulus": bytes(384)},
    ],
)
def test_a_weak_key_is_refused(fields: dict[str, Any]) -> None:
    """Another exponent, a short modulus, a signature that is no residue; and no division by zero."""
    with pytest.raises(Refused, match="not RSA-3072 with exponent 3"):
        sign()._replace(**fields).check()


def test_a_perfect_cube_is_no_signature() -> None:
    """With exponent 3, lax padding checks can be forged by a cube root: all of it is compared."""
    digest = bytes.fromhex("3031300d060960864801650304020105000420")
    wanted = sign()
    digest += hashlib.sha256(wanted.signed_part()).digest()
    prefix = b"\0\1" + b"\xff" * 8 + b"\0" + digest
    low = int.from_bytes(prefix + bytes(384 - len(prefix)), "big")
    root = _cube_root(low)
    assert (root**3).to_bytes(384, "big").startswith(prefix)
    forged = wanted._replace(signature=root.to_bytes(384, "little"), q1=bytes(384), q2=bytes(384))
    modulus = int.from_bytes(wanted.modulus, "little")
    q1, rest = divmod(root * root, modulus)
    forged = forged._replace(
        q1=q1.to_bytes(384, "little"), q2=(rest * root // modulus).to_bytes(384, "little")
    )
    with pytest.raises(Refused, match="SGX_INVALID_SIGNATURE"):
        forged.check()


def _cube_root(value: int) -> int:
    """Return the smallest number whose cube is not below a value."""
    low, high = 0, 1 << 1100
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if middle**3 >= value else (middle + 1, high)
    return low
