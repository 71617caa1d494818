"""The key exchanges and sealing once more, from their description alone, on ``cryptography``.

Nothing of eactors is imported here. Run as a program it writes the expected values of all
vectors in this folder anew, from their inputs; the tests compare them with what is written.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES128
from cryptography.hazmat.primitives.cmac import CMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

FOLDER = Path(__file__).parent

KEY_BYTES = {"aes-128-gcm": 16, "aes-256-gcm": 32, "chacha20-poly1305": 32}
NUMBERS = {"local-attestation": 1, "sealing": 2, "diffie-hellman": 3, "remote-attestation": 4}
VERSION, HELLO, REPORT, SECRET, CONFIRMATION, QUOTE = 1, 1, 2, 3, 4, 5
POLICIES = {"measurement": 1, "signer": 2}


def message(exchange: str, kind: int, side: int, body: bytes) -> str:
    """Return a message in hexadecimal."""
    return (bytes([VERSION, NUMBERS[exchange], kind, side]) + body).hex()


def hkdf(secret: bytes, transcript: bytes, info: str, length: int) -> bytes:
    """HKDF-SHA-256 (RFC 5869)."""
    return HKDF(hashes.SHA256(), length, transcript, info.encode()).derive(secret)


def attributes(entry: dict[str, Any]) -> bytes:
    """ATTRIBUTES: INIT, MODE64BIT and perhaps DEBUG; XFRM is x87 and SSE."""
    flags: int = 5 + 2 * entry["debug"]
    return flags.to_bytes(8, "little") + (3).to_bytes(8, "little")


def key_request(policy: int, key_id: bytes, version: int, cpu_svn: bytes) -> bytes:
    """KEYREQUEST of a sealing key, INIT and DEBUG in its mask."""
    head = (4).to_bytes(2, "little") + policy.to_bytes(2, "little") + version.to_bytes(2, "little") + bytes(2)
    return (head + cpu_svn + (3).to_bytes(16, "little") + key_id).ljust(512, b"\0")


def report(entry: dict[str, Any], vector: dict[str, Any], key: bytes, data: bytes) -> bytes:
    """REPORT of an enclave for whoever has the report key."""
    body: bytes = bytes.fromhex(vector["cpu_svn"]).ljust(48, b"\0") + attributes(entry)
    body += bytes.fromhex(entry["measurement"]).ljust(64, b"\0")
    body += bytes.fromhex(entry["signer"]).ljust(128, b"\0")
    body += entry["product_id"].to_bytes(2, "little") + entry["security_version"].to_bytes(2, "little")
    body = body.ljust(320, b"\0") + data
    mac = CMAC(AES128(key))
    mac.update(body)
    return body + bytes.fromhex(vector["report_key_id"]) + mac.finalize()


def check_quote(quote: bytes, root: str, data: bytes) -> None:
    """See that a quote, which nobody can make twice, is genuine and says this.

    Raises:
        InvalidSignature: It is not genuine.
    """
    key, report, size = quote[500:564], quote[564:948], int.from_bytes(quote[1012:1014], "little")
    chain = x509.load_pem_x509_certificates(quote[1020 + size :])
    trusted = x509.load_pem_x509_certificate(root.encode())
    for lower, upper in zip(chain[:-1], [*chain[1:-1], trusted], strict=True):
        lower.verify_directly_issued_by(upper)
    _check(chain[0].public_key(), quote[948:1012], report)
    attestation = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\4" + key)
    _check(attestation, quote[436:500], quote[:432])
    if report[320:352] != hashlib.sha256(key + quote[1014 : 1014 + size]).digest() or quote[368:432] != data:
        raise InvalidSignature


def _check(key: Any, signature: bytes, data: bytes) -> None:
    parts = (int.from_bytes(part, "big") for part in (signature[:32], signature[32:]))
    key.verify(encode_dss_signature(*parts), data, ec.ECDSA(hashes.SHA256()))


def derive_exchange(vector: dict[str, Any]) -> dict[str, Any]:
    """Return what a key exchange must come to, from its inputs."""
    exchange, cipher, sides = vector["exchange"], vector["cipher"], vector["sides"]
    manifest = json.loads(vector["manifest"])
    enclaves = {entry["enclave"]: entry for entry in manifest["enclaves"]}
    entries = [enclaves[side["enclave"]] for side in sides]
    if exchange == "sealing":
        hellos = [bytes.fromhex(side["nonce"]) for side in sides]
        secret = bytes.fromhex(vector["secret"])
    else:
        private = [X25519PrivateKey.from_private_bytes(bytes.fromhex(side["private"])) for side in sides]
        hellos = [key.public_key().public_bytes_raw() for key in private]
        secret = private[0].exchange(X25519PublicKey.from_public_bytes(hellos[1]))
    transcript = hashlib.sha256(
        b"eactors exchange 1"
        + bytes([NUMBERS[exchange], len(cipher)])
        + cipher.encode()
        + vector["channel"].to_bytes(8, "big")
        + hashlib.sha256(vector["manifest"].encode()).digest()
        + b"".join(
            each["enclave"].to_bytes(4, "big") + bytes.fromhex(each["measurement"]) for each in entries
        )
        + b"".join(hellos)
    ).digest()
    messages = [[message(exchange, HELLO, side, hellos[side])] for side in (0, 1)]
    expected: dict[str, Any] = {"transcript": transcript.hex(), "shared_secret": secret.hex()}
    confirming = {"sealing": (1,), "diffie-hellman": (0, 1)}.get(exchange, ())
    prefix = f"eactors {exchange} 1".encode()
    data = [hashlib.sha256(prefix + bytes([side]) + transcript).digest() + bytes(32) for side in (0, 1)]
    if exchange == "remote-attestation":
        expected["report_data"] = [each.hex() for each in data]
        for side in (0, 1):
            quote = bytes.fromhex(vector["quotes"][side])
            check_quote(quote, vector["root"], data[side])
            messages[side].append(message(exchange, QUOTE, side, quote))
    if exchange == "local-attestation":
        targets = [bytes.fromhex(each["measurement"]) + attributes(each) for each in entries]
        expected["report_data"] = [each.hex() for each in data]
        expected["target_info"] = [target.ljust(512, b"\0").hex() for target in targets]
        for side in (0, 1):
            key = bytes.fromhex(vector["report_keys"][1 - side])
            made = report(entries[side], vector, key, data[side])
            messages[side].append(message(exchange, REPORT, side, made))
    if exchange == "sealing":
        key_id = hashlib.sha256(b"eactors sealing 1" + transcript).digest()
        version = min(each["security_version"] for each in entries)
        request = key_request(POLICIES["signer"], key_id, version, bytes.fromhex(vector["cpu_svn"]))
        expected["key_request"] = request.hex()
        sealed = AESGCM(bytes.fromhex(vector["sealing_key"])).encrypt(bytes(12), secret, transcript)
        messages[0].append(message(exchange, SECRET, 0, sealed))
    for side in confirming:
        tag = hkdf(secret, transcript, f"eactors confirmation {side}", 32)
        messages[side].append(message(exchange, CONFIRMATION, side, tag))
    expected["messages"] = messages
    expected["keys"] = {
        way: hkdf(secret, transcript, f"eactors key {way}", KEY_BYTES[cipher]).hex()
        for way in ("0->1", "1->0")
    }
    return expected


def derive_sealed(vector: dict[str, Any]) -> dict[str, Any]:
    """Return the blob that sealing must come to."""
    policy = POLICIES[vector["to"]]
    cpu_svn, key_id = bytes.fromhex(vector["cpu_svn"]), bytes.fromhex(vector["key_id"])
    header = b"EAS\1" + bytes([policy]) + vector["security_version"].to_bytes(2, "big") + cpu_svn + key_id
    data = bytes.fromhex(vector["data"])
    return {
        "key_request": key_request(policy, key_id, vector["security_version"], cpu_svn).hex(),
        "blob": (
            header + AESGCM(bytes.fromhex(vector["sealing_key"])).encrypt(bytes(12), data, header)
        ).hex(),
    }


def derive(vector: dict[str, Any]) -> dict[str, Any]:
    """Return a vector's expected values, from its inputs alone."""
    return derive_exchange(vector) if "exchange" in vector else derive_sealed(vector)


def main() -> None:
    """Write the expected values of every vector."""
    for file in sorted(FOLDER.glob("*.json")):
        vector = json.loads(file.read_text(encoding="utf-8"))
        vector["expected"] = derive(vector)
        file.write_text(json.dumps(vector, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
