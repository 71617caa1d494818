"""Provisioning from outside: whom to trust with a file, and encrypting it for them alone."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from eactors.cpu.authority import Authority
from eactors.verifier.policy import Policy
from eactors.verifier.quote import QuoteRefused, verify_quote


def check_introduction(
    quote: bytes, public: bytes, entry: dict[str, Any], manifest: bytes, *, allow_debug: bool
) -> None:
    """See that a public key is one that only the enclave in the manifest has.

    Args:
        quote: The enclave's quote.
        public: The X25519 key, 32 bytes.
        entry: What the manifest says of the enclave; its signatures have been checked.
        manifest: The manifest's bytes.
        allow_debug: Whether a debug enclave may have the file.

    Raises:
        QuoteRefused: The quote is of another enclave, or covers another key.
    """
    simulated = entry["platform"] == "simulation"
    policy = Policy(
        measurements=frozenset({entry["measurement"]}),
        signers=frozenset({entry["signer"]}),
        product_id=entry["product_id"],
        security_version=entry["security_version"],
        allow_debug=allow_debug,
        allow_simulation=simulated,
        root="simulation" if simulated else "intel",
    )
    authority = Authority()
    attested = verify_quote(
        quote, policy=policy, collateral=authority.collateral(), roots={"simulation": authority.root()}
    )
    covered = sha256(b"eactors provisioning 1" + public + sha256(manifest).digest()).digest()
    if attested.data != covered + bytes(32):
        raise QuoteRefused("the quote does not cover this public key and manifest", what="data")


def encrypt(content: bytes, actor: str, public: bytes, measurement: bytes) -> bytes:
    """Encrypt a file for an actor: X25519, HKDF-SHA-256, AES-256-GCM.

    Args:
        content: The file.
        actor: Who may have it.
        public: The key of the actor's enclave.
        measurement: That of the enclave.

    Returns:
        An ephemeral public key, 32 bytes, and the ciphertext with its tag.
    """
    private = X25519PrivateKey.generate()
    ephemeral = private.public_key().public_bytes_raw()
    secret = private.exchange(X25519PublicKey.from_public_bytes(public))
    key = HKDF(SHA256(), 32, ephemeral + public, b"eactors provision").derive(secret)
    return ephemeral + AESGCM(key).encrypt(bytes(12), content, actor.encode() + b"\0" + measurement)
