"""The native cryptography, against published vectors and against another library."""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

from eactors import _native

KEY_SIZES = {"aes-128-gcm": 16, "aes-256-gcm": 32, "chacha20-poly1305": 32}
OTHERS: dict[str, type[AESGCM | ChaCha20Poly1305]] = {
    "aes-128-gcm": AESGCM,
    "aes-256-gcm": AESGCM,
    "chacha20-poly1305": ChaCha20Poly1305,
}
h = bytes.fromhex


def test_sha256_joins_its_parts() -> None:
    """Any buffer is a part; no part at all is the empty text."""
    assert _native.sha256() == hashlib.sha256().digest()
    assert _native.sha256(b"a", bytearray(b"bc"), memoryview(b"")) == hashlib.sha256(b"abc").digest()
    with pytest.raises(TypeError):
        _native.sha256("text")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="more than 16 parts"):
        _native.sha256(*[b""] * 17)


@pytest.mark.parametrize(
    ("key", "salt", "info", "expected"),
    [
        (
            b"\x0b" * 22,
            bytes(range(13)),
            bytes(range(0xF0, 0xFA)),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
        ),
        (
            bytes(range(0x50)),
            bytes(range(0x60, 0xB0)),
            bytes(range(0xB0, 0x100)),
            (
                "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
                "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"
            ),
        ),
        (
            b"\x0b" * 22,
            b"",
            b"",
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
        ),
    ],
)
def test_hkdf_gives_the_vectors_of_rfc_5869(key: bytes, salt: bytes, info: bytes, expected: str) -> None:
    """Test cases 1 to 3."""
    out = _native.hkdf(key, salt, info, len(expected) // 2)
    assert isinstance(out, bytearray)
    assert out == h(expected)


@pytest.mark.parametrize("length", [0, -1, 255 * 32 + 1])
def test_hkdf_refuses_other_lengths(length: int) -> None:
    """More would repeat."""
    with pytest.raises(ValueError, match="1 to 8160 bytes"):
        _native.hkdf(b"key", b"", b"", length)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, "bb1d6929e95937287fa37d129b756746"),
        (16, "070a16b46b4d4144f79bdd9dd04a287c"),
        (40, "dfa66747de9ae63030ca32611497c827"),
        (64, "51f0bebf7e3b9d92fc49741779363cfe"),
    ],
)
def test_cmac_gives_the_vectors_of_rfc_4493(size: int, expected: str) -> None:
    """Examples 1 to 4."""
    message = h(
        "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52ef"
        "f69f2445df4f9b17ad2b417be66c3710"
    )
    assert _native.cmac(h("2b7e151628aed2a6abf7158809cf4f3c"), message[:size]) == h(expected)


def test_cmac_agrees_with_another_library() -> None:
    """And takes keys of AES-128 only."""
    key, data = random.Random(1).randbytes(16), random.Random(2).randbytes(384)
    other = CMAC(AES(key))
    other.update(data)
    assert _native.cmac(key, data) == other.finalize()
    with pytest.raises(ValueError, match="16 bytes"):
        _native.cmac(bytes(32), data)


def test_x25519_gives_the_vectors_of_rfc_7748() -> None:
    """Sections 5.2 and 6.1."""
    scalar = h("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4")
    point = h("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")
    assert _native.x25519(scalar, point) == h(
        "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"
    )
    alice = h("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")
    bob = h("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")
    assert _native.x25519(bob, alice) == h("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")


def test_x25519_keys_are_fresh_and_agree_with_another_library() -> None:
    """The private key and the shared secret can be wiped."""
    private, public = _native.x25519_generate()
    assert isinstance(private, bytearray)
    assert X25519PrivateKey.from_private_bytes(bytes(private)).public_key().public_bytes_raw() == public
    assert _native.x25519_generate() != (private, public)
    peer = X25519PrivateKey.generate()
    secret = _native.x25519(private, peer.public_key().public_bytes_raw())
    assert isinstance(secret, bytearray)
    assert secret == peer.exchange(X25519PublicKey.from_public_bytes(public))


@pytest.mark.parametrize(
    "public",
    [
        bytes(32),
        b"\1" + bytes(31),
        h("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
        h("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        bytes(31),
        bytes(33),
    ],
)
def test_x25519_refuses_points_of_small_order(public: bytes) -> None:
    """A peer that sends one would know the secret; other sizes are no points."""
    private, _ = _native.x25519_generate()
    with pytest.raises(ValueError, match="no shared secret"):
        _native.x25519(private, public)


LADIES = (
    b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
    b"sunscreen would be it."
)
GCM = (
    h("cafebabefacedbaddecaf888"),
    h(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525"
        "b16aedf5aa0de657ba637b39"
    ),
    h("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
)


@pytest.mark.parametrize(
    ("cipher", "key", "text", "expected"),
    [
        (
            "aes-128-gcm",
            h("feffe9928665731c6d6a8f9467308308"),
            GCM,
            (
                "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa05"
                "1ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47"
            ),
        ),
        (
            "aes-256-gcm",
            h("feffe9928665731c6d6a8f9467308308") * 2,
            GCM,
            (
                "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838"
                "c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b"
            ),
        ),
        (
            "chacha20-poly1305",
            bytes(range(0x80, 0xA0)),
            (h("070000004041424344454647"), LADIES, h("50515253c0c1c2c3c4c5c6c7")),
            (
                "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b"
                "1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
                "3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691"
            ),
        ),
    ],
)
def test_aead_gives_published_vectors(
    cipher: str, key: bytes, text: tuple[bytes, bytes, bytes], expected: str
) -> None:
    """Test cases 4 and 16 of the GCM specification (NIST), and RFC 8439, section 2.8.2."""
    nonce, data, aad = text
    assert _native.aead_seal(cipher, key, nonce, data, aad) == h(expected)
    assert _native.aead_open(cipher, key, nonce, h(expected), aad) == data


@pytest.mark.parametrize("cipher", KEY_SIZES)
@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 4095, 4096, 4097, 8192, 20000])
def test_aead_agrees_with_another_library(cipher: str, size: int) -> None:
    """At every size around a block and around the steps in which long texts are sealed."""
    source = random.Random(size)
    key, nonce, data, aad = (source.randbytes(n) for n in (KEY_SIZES[cipher], 12, size, size % 40))
    sealed = OTHERS[cipher](key).encrypt(nonce, data, aad)
    assert _native.aead_seal(cipher, key, nonce, data, aad) == sealed
    assert _native.aead_open(cipher, bytearray(key), nonce, sealed, aad) == data


@pytest.mark.parametrize("cipher", KEY_SIZES)
def test_aead_refuses_what_was_changed(cipher: str) -> None:
    """Every bit of text, tag, nonce and associated data, and every truncation."""
    key = bytes(range(KEY_SIZES[cipher]))
    nonce, aad = b"n" * 12, b"associated"
    sealed = _native.aead_seal(cipher, key, nonce, b"message", aad)

    def refused(nonce: bytes, sealed: bytes, aad: bytes) -> None:
        with pytest.raises(ValueError, match="not sealed with this key, or changed since"):
            _native.aead_open(cipher, key, nonce, sealed, aad)

    def flips(data: bytes) -> list[bytes]:
        number = int.from_bytes(data, "big")
        return [(number ^ 1 << bit).to_bytes(len(data), "big") for bit in range(8 * len(data))]

    for changed in flips(sealed) + [sealed[:cut] for cut in range(len(sealed))] + [sealed + b"\0"]:
        refused(nonce, changed, aad)
    for changed in flips(aad):
        refused(nonce, sealed, changed)
    for changed in flips(nonce):
        refused(changed, sealed, aad)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("aes-128-ecb", bytes(16), bytes(12)), "no such cipher"),
        (("aes-128-gcm", bytes(32), bytes(12)), "of the wrong size"),
        (("aes-256-gcm", bytes(16), bytes(12)), "of the wrong size"),
        (("chacha20-poly1305", bytes(32), bytes(16)), "of the wrong size"),
    ],
)
def test_aead_refuses_odd_arguments(arguments: tuple[str, bytes, bytes], words: str) -> None:
    """Nothing is cut or filled up."""
    with pytest.raises(ValueError, match=words):
        _native.aead_seal(*arguments, b"", b"")
    with pytest.raises(ValueError, match=words):
        _native.aead_open(*arguments, bytes(16), b"")


def pem(key: rsa.RSAPrivateKey) -> bytes:
    """Return the public key as it is found in a plan."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form)


@pytest.fixture(scope="module")
def signer() -> rsa.RSAPrivateKey:
    """A key as owners have them."""
    return rsa.generate_private_key(3, 3072)


def sign(key: rsa.RSAPrivateKey, data: bytes, salt: int = 32) -> bytes:
    """Sign as the manifest is signed."""
    return key.sign(data, padding.PSS(padding.MGF1(hashes.SHA256()), salt), hashes.SHA256())


def test_rsa_signatures_of_another_library_are_verified(signer: rsa.RSAPrivateKey) -> None:
    """And only those over these bytes, by this key, in this form."""
    data = b"manifest"
    signature = sign(signer, data)
    assert _native.rsa_pss_verify(pem(signer), signature, data)
    assert not _native.rsa_pss_verify(pem(signer), signature, b"manifesT")
    assert not _native.rsa_pss_verify(pem(signer), signature[:-1] + bytes([signature[-1] ^ 1]), data)
    assert not _native.rsa_pss_verify(pem(signer), signature[:-1], data)
    assert not _native.rsa_pss_verify(pem(signer), b"", data)
    assert not _native.rsa_pss_verify(pem(signer), sign(signer, data, 20), data)
    pkcs1 = signer.sign(data, padding.PKCS1v15(), hashes.SHA256())
    assert not _native.rsa_pss_verify(pem(signer), pkcs1, data)
    assert not _native.rsa_pss_verify(b"no key", signature, data)


def test_keys_of_another_form_are_refused(signer: rsa.RSAPrivateKey) -> None:
    """An identity is the hash of the modulus alone, so the exponent must be one for all."""
    numbers = signer.public_key().public_numbers()
    same_modulus = rsa.RSAPublicNumbers(65537, numbers.n).public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    private = signer.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    others = [
        same_modulus.public_bytes(serialization.Encoding.PEM, form),
        pem(rsa.generate_private_key(3, 2048)),
        signer.public_key().public_bytes(serialization.Encoding.DER, form),
        X25519PrivateKey.generate().public_key().public_bytes(serialization.Encoding.PEM, form),
        private,
        pem(signer)[:100],
        b"",
    ]
    for other in others:
        assert not _native.rsa_pss_verify(other, sign(signer, b""), b"")


def test_secrets_are_wiped_and_compared() -> None:
    """Only what can be changed can be wiped."""
    secret, other = bytearray(b"secret"), bytearray(b"other")
    _native.wipe(secret, other, bytearray())
    assert [bytes(secret), bytes(other)] == [bytes(6), bytes(5)]
    with pytest.raises(TypeError, match="only a bytearray"):
        _native.wipe(b"secret")  # type: ignore[arg-type]
    assert _native.equal(b"same", bytearray(b"same"))
    assert not _native.equal(b"same", b"sama")
    assert not _native.equal(b"same", b"same!")
    assert _native.equal(b"", b"")


def test_a_cpu_without_aes_is_told_which_cipher_to_use() -> None:
    """AES in software leaks its key through the cache, which the host shares."""
    for cipher in ("aes-128-gcm", "aes-256-gcm"):
        assert _native.cipher_problem(cipher, True) is None  # noqa: FBT003 - there is no name for it
        assert "leaks its key" in (_native.cipher_problem(cipher, False) or "")  # noqa: FBT003
        assert "use chacha20-poly1305" in (_native.cipher_problem(cipher, False) or "")  # noqa: FBT003
    assert _native.cipher_problem("chacha20-poly1305", False) is None  # noqa: FBT003
    assert _native.cipher_problem("chacha20-poly1305") is None
    assert _native.cipher_problem("rot13") == "there is no such cipher"


SEALED = """
from eactors import _native
pem, signature = bytes.fromhex("{pem}"), bytes.fromhex("{signature}")
_native.sandbox_seal({filter})
private, public = _native.x25519_generate()
secret = _native.hkdf(_native.x25519(private, public), b"", b"", 32)
for cipher, size in {sizes}.items():
    sealed = _native.aead_seal(cipher, secret[:size], bytes(12), b"text", b"")
    assert _native.aead_open(cipher, secret[:size], bytes(12), sealed, b"") == b"text"
_native.cmac(bytes(16), b""), _native.sha256(b"")
assert _native.rsa_pss_verify(pem, signature, b"data")
"""


def test_everything_works_in_a_sealed_process(signer: rsa.RSAPrivateKey) -> None:
    """No file is opened and no system call made that an enclave may not."""
    signature = sign(signer, b"data")
    code = SEALED.format(
        pem=pem(signer).hex(), signature=signature.hex(), sizes=KEY_SIZES, filter=_native.sandbox_filter()
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stderr, done.returncode) == ("", 0)
