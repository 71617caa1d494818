"""The cryptography of a store, done once more from docs/design/store-format.md: no code is shared with it."""

from __future__ import annotations

import struct

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.kbkdf import KBKDFCMAC, CounterLocation, Mode

NONCE, TAG = 24, 16
_WORD = 2**64 - 1


def siphash(seed: bytes, data: bytes) -> bytes:
    """SipHash-2-4 with 128 bits."""
    k0, k1 = struct.unpack("<2Q", seed)
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]
    v[1] ^= 0xEE
    rest = len(data) % 8
    padded = data + bytes(7 - rest) + bytes([len(data) % 256])
    for (word,) in struct.iter_unpack("<Q", padded):
        v[3] ^= word
        _rounds(v, 2)
        v[0] ^= word
    v[2] ^= 0xEE
    _rounds(v, 4)
    first = v[0] ^ v[1] ^ v[2] ^ v[3]
    v[1] ^= 0xDD
    _rounds(v, 4)
    return struct.pack("<2Q", first, v[0] ^ v[1] ^ v[2] ^ v[3])


def _rounds(v: list[int], count: int) -> None:
    def mix(a: int, b: int, bits: int) -> None:
        v[a] = (v[a] + v[b]) & _WORD
        v[b] = _rotate(v[b], bits) ^ v[a]

    for _ in range(count):
        mix(0, 1, 13)
        mix(2, 3, 16)
        v[0] = _rotate(v[0], 32)
        mix(0, 3, 21)
        mix(2, 1, 17)
        v[2] = _rotate(v[2], 32)


def _rotate(word: int, bits: int) -> int:
    return (word << bits | word >> 64 - bits) & _WORD


def hash_of(key: bytes, store: bytes, name: bytes) -> bytes:
    """Hash the key `name` of a record, in the encrypted store whose id is `store` and whose key is `key`."""
    return _cmac(_derived(key, store, "hashes"), name)


def seal(key: bytes, store: bytes, head: bytes, nonce: bytes, text: bytes) -> bytes:
    """Give what follows the `head` of a record: nonce, tag and ciphertext of its key and value."""
    sealed = _gcm(key, store, nonce).encrypt(nonce[12:], text, b"record" + store + head)
    return nonce + sealed[-TAG:] + sealed[:-TAG]


def unseal(key: bytes, store: bytes, head: bytes, sealed: bytes) -> bytes:
    """Give key and value of a record, one after the other.

    Raises:
        cryptography.exceptions.InvalidTag: It is not authentic.
    """
    nonce, tag, text = sealed[:NONCE], sealed[NONCE : NONCE + TAG], sealed[NONCE + TAG :]
    return _gcm(key, store, nonce).decrypt(nonce[12:], text + tag, b"record" + store + head)


def branch_tag(key: bytes, store: bytes, level: int, references: bytes, tags: bytes) -> bytes:
    """Give the 8 bytes that authenticate a branch, by its 64 and 128 bytes in the block."""
    branch = b"branch" + store + bytes([level]) + references + tags
    return _cmac(_derived(key, store, "branches"), branch)[:8]


def commit_tag(key: bytes, store: bytes, commit: bytes) -> bytes:
    """Give the 16 bytes that authenticate a commit, by its first 48 bytes and its history."""
    return _cmac(_derived(key, store, "branches"), b"commit" + store + commit)


def _derived(key: bytes, store: bytes, purpose: str) -> bytes:
    info = b"eactors store " + purpose.encode() + store
    return HKDF(SHA256(), length=32, salt=None, info=info).derive(key)


def _cmac(key: bytes, data: bytes) -> bytes:
    cmac = CMAC(AES(key))
    cmac.update(data)
    return cmac.finalize()


def _gcm(key: bytes, store: bytes, nonce: bytes) -> AESGCM:
    return AESGCM(xaes_key(_derived(key, store, "records"), nonce))


def xaes_key(key: bytes, nonce: bytes) -> bytes:
    """Give the key that XAES-256-GCM has for a nonce of 24 bytes, by the KDF of NIST SP 800-108r1."""
    kdf = KBKDFCMAC(
        AES,
        Mode.CounterMode,
        length=32,
        rlen=2,
        llen=None,
        location=CounterLocation.BeforeFixed,
        label=None,
        context=None,
        fixed=b"X\0" + nonce[:12],
    )
    return kdf.derive(key)
