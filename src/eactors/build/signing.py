"""Keys of signers and owners, and what they sign: images and deployment manifests.

Such a key is RSA-3072 with public exponent 3, which SGX demands of a SIGSTRUCT. A signer's
identity (MRSIGNER) is the SHA-256 of the modulus, 384 bytes, little-endian. Images get a
SIGSTRUCT; the manifest gets an RSASSA-PSS signature (RFC 8017 section 8.1) of each owner.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from eactors.build.image import read_image
from eactors.build.keyfile import (
    Key,
    development_key,
    fingerprint,
    is_private,
    load_key,
    load_private,
    load_public,
    new_key,
    public_half,
    public_key,
    public_pem,
)
from eactors.cpu.sigstruct import Sigstruct
from eactors.cpu.structures import DEBUG, MODE64BIT, attributes
from eactors.errors import ImageError, ManifestRejected

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

__all__ = [
    "Key",
    "check_manifest",
    "development_key",
    "fingerprint",
    "is_private",
    "load_key",
    "load_private",
    "load_public",
    "manifest_enclaves",
    "new_key",
    "public_key",
    "public_pem",
    "read_manifest",
    "sign_image",
    "sign_manifest",
    "signers",
]

SIGSTRUCT, MANIFEST, SIGNATURES = "sigstruct.bin", "manifest.json", "signatures"
_PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
_SHORT = 16
"""Hexadecimal digits of MRSIGNER that name a signature file, and a stranger in messages."""


def sign_image(folder: Path, key: RSAPrivateKey, *, date: datetime | None = None) -> bytes:
    """Sign an image: write ``sigstruct.bin`` into its folder.

    Every bit of the attributes is signed: a production image cannot be run for debugging.

    Args:
        folder: The image.
        key: The signer's.
        date: What the SIGSTRUCT says; today if None.

    Returns:
        MRSIGNER, 32 bytes.

    Raises:
        ImageError: The image is damaged.
    """
    image = read_image(folder)
    settings = image.settings
    signed = Sigstruct(
        # The digits of YYYYMMDD, read as hexadecimal.
        date=int(f"{date or datetime.now(UTC):%Y%m%d}", 16),
        attributes=attributes(MODE64BIT | (DEBUG if settings["debug"] else 0)),
        attribute_mask=b"\xff" * 16,
        measurement=image.measurement,
        product_id=settings["product_id"],
        svn=settings["security_version"],
    ).sign(
        key.public_key().public_numbers().n,
        lambda data: key.sign(data, padding.PKCS1v15(), hashes.SHA256()),
    )
    try:
        (folder / SIGSTRUCT).write_bytes(signed.pack())
    except OSError as error:
        raise ImageError(f"the signature {folder / SIGSTRUCT} cannot be written: {error.strerror}") from error
    return signed.signer


def sign_manifest(folder: Path, key: RSAPrivateKey) -> Path:
    """Add an owner's signature to the manifest of a built deployment.

    Args:
        folder: The deployment's.
        key: The owner's.

    Returns:
        The signature file.

    Raises:
        ManifestRejected: There is no manifest, or the signature cannot be written.
    """
    manifest = read_manifest(folder)
    file = _signature_file(folder, key.public_key())
    content = {
        "key": public_pem(key),
        "manifest": hashlib.sha256(manifest).hexdigest(),
        "signature": key.sign(manifest, _PSS, hashes.SHA256()).hex(),
    }
    try:
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(content, sort_keys=True, separators=(",", ":")) + "\n", encoding="ascii")
    except OSError as error:
        raise ManifestRejected(f"the signature {file} cannot be written: {error.strerror}") from error
    return file


def read_manifest(folder: Path) -> bytes:
    """Return the bytes of a deployment's manifest, not checked in any way.

    Raises:
        ManifestRejected: It cannot be read.
    """
    try:
        return (folder / MANIFEST).read_bytes()
    except OSError as error:
        raise ManifestRejected(
            f"{folder / MANIFEST} cannot be read: {error.strerror}",
            hint="build one: eactors build SOURCE.py DEPLOYMENT.xml -o DIR",
        ) from error


def manifest_enclaves(folder: Path) -> dict[int, dict[str, Any]]:
    """Return what a deployment's manifest says of each enclave, not checked in any other way.

    Raises:
        ManifestRejected: It cannot be read, or is no manifest.
    """
    try:
        return {entry["enclave"]: dict(entry) for entry in json.loads(read_manifest(folder))["enclaves"]}
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise ManifestRejected(
            f"{folder / MANIFEST} is damaged: it is no manifest in JSON", hint="build the deployment again"
        ) from error


def check_manifest(folder: Path, owners: Mapping[str, Key]) -> None:
    """Check that all owners have signed the manifest of a built deployment.

    Args:
        folder: The deployment's.
        owners: Their keys, by the names to call them in messages.

    Raises:
        ManifestRejected: A signature is missing, or is wrong, or is for another manifest.
    """
    manifest = read_manifest(folder)
    for name, key in owners.items():
        _check_owner(folder, manifest, name, public_half(key))


def signers(folder: Path) -> list[str]:
    """Return the identities (MRSIGNER, hexadecimal) of all who have signed the manifest.

    Raises:
        ManifestRejected: A signature file is damaged, or is not for this manifest.
    """
    manifest = read_manifest(folder)
    found = []
    for file in sorted((folder / SIGNATURES).glob("*.json")):
        signature = _read_signature(file)
        key = public_key(str(signature["key"]).encode(), str(file))
        if file != _signature_file(folder, key):
            raise ManifestRejected(f"{file} holds the signature of {fingerprint(key)[:_SHORT]}")
        _check_signature(manifest, signature, fingerprint(key)[:_SHORT], key)
        found.append(fingerprint(key))
    return found


def _check_owner(folder: Path, manifest: bytes, name: str, key: RSAPublicKey) -> None:
    file = _signature_file(folder, key)
    if not file.exists():
        others = sorted(other.stem for other in file.parent.glob("*.json"))
        by = f"is signed by {', '.join(others)}, not" if others else "is not signed"
        raise ManifestRejected(
            f"{folder / MANIFEST} {by} by {name} ({fingerprint(key)[:_SHORT]})",
            hint=f"{name} has to sign it",
        )
    _check_signature(manifest, _read_signature(file), name, key)


def _check_signature(manifest: bytes, signature: dict[str, Any], name: str, key: RSAPublicKey) -> None:
    if signature["manifest"] != hashlib.sha256(manifest).hexdigest():
        raise ManifestRejected(
            f"{name}'s signature is for another manifest ({str(signature['manifest'])[:_SHORT]})",
            hint="the deployment was built again since, or differently: compare it, and sign again",
        )
    try:
        key.verify(bytes.fromhex(str(signature["signature"])), manifest, _PSS, hashes.SHA256())
    except (ValueError, InvalidSignature) as error:
        raise ManifestRejected(f"{name}'s signature of the manifest is wrong", hint="sign again") from error


def _read_signature(file: Path) -> dict[str, Any]:
    try:
        signature = json.loads(file.read_bytes())
        if set(signature) != {"key", "manifest", "signature"}:
            raise ValueError("it holds other fields than key, manifest and signature")  # noqa: TRY301
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise ManifestRejected(
            f"the signature {file} cannot be read: {error}", hint="remove it, and sign again"
        ) from error
    return dict(signature)


def _signature_file(folder: Path, key: RSAPublicKey) -> Path:
    return folder / SIGNATURES / f"{fingerprint(key)[:_SHORT]}.json"
