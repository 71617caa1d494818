"""Quotes for tests: certificates and signatures made on the ``cryptography`` package alone.

It shares no line with the quoting enclave of the software CPU, nor with the trusted code that
verifies. Source: Intel SGX ECDSA Quote Library Reference for DCAP, appendix A.4.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SGX = x509.ObjectIdentifier("1.2.840.113741.1.13.1")
QE_SIGNER = hashlib.sha256(b"eactors simulated quoting enclave's signer").digest()
AUTHENTICATION = b"authentication"


def signature(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    """Return r and s."""
    return b"".join(part.to_bytes(32, "big") for part in decode_dss_signature(key.sign(data, _ECDSA)))


_ECDSA = ec.ECDSA(hashes.SHA256())


def point(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return X and Y."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]


def body(measurement: bytes, signer: bytes, data: bytes, *, flags: int, product_id: int, svn: int) -> bytes:
    """Return the body of a report of the simulated processor."""
    parts = bytearray(384)
    parts[0:16] = b"EACTORS-SIMULATE"
    parts[48:64] = flags.to_bytes(8, "little") + (3).to_bytes(8, "little")
    parts[64:96], parts[128:160] = measurement, signer
    parts[256:260] = product_id.to_bytes(2, "little") + svn.to_bytes(2, "little")
    parts[320:384] = data
    return bytes(parts)


class FakeAuthority:
    """A root, an authority below it, a processor, and its quoting enclave. All may be changed.

    Attributes:
        root: The root's certificate, PEM.
        chain: What a quote carries: the processor's certificate and those above it, PEM.
        qe: The body of the quoting enclave's report.
    """

    def __init__(self) -> None:
        root, middle, self.pck, self.attestation = (ec.generate_private_key(ec.SECP256R1()) for _ in range(4))
        self.keys = {"root": root, "middle": middle}
        self.root = certificate("root", root, "root", root, authority=True)
        self.middle = certificate("middle", middle, "root", root, authority=True)
        leaf = certificate("pck", self.pck, "middle", middle, sgx=True)
        self.chain = leaf + self.middle + self.root
        self.qe = self.quoting_enclave()

    def quoting_enclave(
        self, signer: bytes = QE_SIGNER, *, flags: int = 5, product_id: int = 1, key: bytes | None = None
    ) -> bytes:
        """Return the report body of a quoting enclave."""
        said = hashlib.sha256((key or point(self.attestation)) + AUTHENTICATION).digest() + bytes(32)
        return body(bytes(32), signer, said, flags=flags, product_id=product_id, svn=1)

    def quote(self, report: bytes) -> bytes:
        """Return a quote of an enclave with this report body."""
        head = (3).to_bytes(2, "little") + (2).to_bytes(2, "little") + bytes(44)
        signed = head + report
        parts = signature(self.attestation, signed) + point(self.attestation)
        parts += self.qe + signature(self.pck, self.qe)
        parts += len(AUTHENTICATION).to_bytes(2, "little") + AUTHENTICATION
        chain = self.chain.encode()
        parts += (5).to_bytes(2, "little") + len(chain).to_bytes(4, "little") + chain
        return signed + len(parts).to_bytes(4, "little") + parts


def certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    authority: bool = False,
    sgx: bool = False,
    days: int = 365,
) -> str:
    """Return a certificate, PEM."""
    start = datetime.now(UTC) - timedelta(days=400)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
        .add_extension(
            x509.KeyUsage(
                digital_signature=not authority,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=authority,
                crl_sign=authority,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
    )
    if sgx:
        builder = builder.add_extension(x509.UnrecognizedExtension(SGX, b"\x30\x00"), critical=False)
    return builder.sign(issuer_key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()
