"""Key files of signers and owners: made, read, and refused with the reason.

RSA-3072 with public exponent 3, as SGX demands of a SIGSTRUCT; PEM, private ones in PKCS #8
with mode 0600. One more key is made by itself, the development key of this installation:
what it signs is for debugging only, since it says nothing of who signed.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, TypeGuard

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from eactors.errors import KeyFileError
from eactors.state import secret_file, state_directory, write_secret

if TYPE_CHECKING:
    from pathlib import Path

Key = RSAPrivateKey | RSAPublicKey

BITS, EXPONENT = 3072, 3
DEVELOPMENT = "development.pem"
_PEM = serialization.Encoding.PEM
_PADDING, _HASH = padding.PKCS1v15(), hashes.SHA256()


def new_key(path: Path) -> RSAPrivateKey:
    """Make a key and its file, mode 0600.

    Raises:
        KeyFileError: The file exists, or cannot be written.
    """
    key = _generate()
    try:
        made = write_secret(path, _private_pem(key))
    except OSError as error:
        raise KeyFileError(
            f"the key {path} cannot be written: {error.strerror}",
            hint="name a file in a folder that is there and may be written to",
        ) from error
    if not made:
        raise KeyFileError(f"{path} exists, and a key is never overwritten", hint="choose another name")
    return key


def development_key() -> RSAPrivateKey:
    """Return the development key of this installation, which is made if need be.

    Enclaves that it signs must be debug enclaves: anyone may have made such a key.

    Raises:
        KeyFileError: Its file is damaged, or others than its owner may read it.
    """
    path = state_directory() / DEVELOPMENT
    pem = secret_file(path, lambda: _private_pem(_generate()))
    # Whether its primes are prime takes longer to find out than all else of a small build, and was
    # known when it was made here; whether it is still that key, a signature tells.
    key = _private_key(pem, str(path), made_here=True)
    try:
        key.public_key().verify(key.sign(pem, _PADDING, _HASH), pem, _PADDING, _HASH)
    except InvalidSignature as error:
        raise _useless(str(path), "is damaged", f"delete it: rm {path}") from error
    return key


def load_private(path: Path) -> RSAPrivateKey:
    """Read a signer's or owner's private key.

    Raises:
        KeyFileError: The file cannot be read or holds no such key.
    """
    return _private_key(_read(path), str(path))


def load_key(path: Path) -> Key:
    """Read a key of either kind.

    Raises:
        KeyFileError: The file cannot be read or holds no such key.
    """
    content = _read(path)
    if b"PRIVATE KEY" in content:
        return _private_key(content, str(path))
    return public_key(content, str(path))


def load_public(path: Path) -> RSAPublicKey:
    """Read a public key, or the public half of a private key file.

    Raises:
        KeyFileError: The file cannot be read or holds no such key.
    """
    return public_half(load_key(path))


def public_key(pem: bytes, where: str) -> RSAPublicKey:
    """Read a public key from PEM.

    Args:
        pem: The key, SubjectPublicKeyInfo.
        where: Where it is from, for messages.

    Raises:
        KeyFileError: It is no key of the kind that is needed.
    """
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _useless(where, "holds no public key in PEM") from error
    if not isinstance(key, RSAPublicKey):
        raise _useless(where, "holds a key that is not RSA")
    _check(key, where)
    return key


def is_private(key: Key) -> TypeGuard[RSAPrivateKey]:
    """Whether one can sign with it."""
    return isinstance(key, RSAPrivateKey)


def public_half(key: Key) -> RSAPublicKey:
    """Return what others may have of a key."""
    return key.public_key() if isinstance(key, RSAPrivateKey) else key


def fingerprint(key: Key) -> str:
    """Return a signer's identity, MRSIGNER, in hexadecimal."""
    modulus = public_half(key).public_numbers().n
    return hashlib.sha256(modulus.to_bytes(BITS // 8, "little")).hexdigest()


def public_pem(key: Key) -> str:
    """Return the public key as PEM, SubjectPublicKeyInfo."""
    return public_half(key).public_bytes(_PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def _private_key(pem: bytes, where: str, *, made_here: bool = False) -> RSAPrivateKey:
    try:
        key = serialization.load_pem_private_key(pem, password=None, unsafe_skip_rsa_key_validation=made_here)
    except TypeError as error:
        raise _useless(where, "is encrypted", f"openssl pkey -in {where} -out PLAIN.pem") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        hint = "name the file of the private key" if b"PUBLIC KEY" in pem else None
        raise _useless(where, "holds no private key in PEM", hint) from error
    if not isinstance(key, RSAPrivateKey):
        raise _useless(where, "holds a key that is not RSA")
    _check(key.public_key(), where)
    return key


def _check(key: RSAPublicKey, where: str) -> None:
    exponent = key.public_numbers().e
    if (key.key_size, exponent) != (BITS, EXPONENT):
        raise _useless(
            where,
            f"holds an RSA key of {key.key_size} bits with exponent {exponent};"
            f" SGX demands {BITS} bits and exponent {EXPONENT}",
        )


def _useless(where: str, why: str, hint: str | None = None) -> KeyFileError:
    return KeyFileError(f"{where} {why}", hint=hint or "make a key: eactors key new NAME.pem")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise KeyFileError(
            f"the key {path} cannot be read: {error.strerror}", hint="make a key: eactors key new NAME.pem"
        ) from error


def _generate() -> RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=EXPONENT, key_size=BITS)


def _private_pem(key: RSAPrivateKey) -> bytes:
    return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
