"""X.509 in the shape of Intel's: certificates of the SGX PKI, and their revocation lists.

Intel SGX PCK Certificate and Certificate Revocation List Profile Specification 1.5. The
library of certificates knows no encoder for the SGX extension, so a small one is here.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

_SGX = "1.2.840.113741.1.13.1"
_LIFE = timedelta(days=365 * 30)
_INTEGER, _OCTETS, _OID, _ENUMERATED, _SEQUENCE = 0x02, 0x04, 0x06, 0x0A, 0x30


class Issuer:
    """A certificate with its key: who signs certificates and revocation lists.

    Attributes:
        certificate: Its certificate.
        key: Its private key.
    """

    def __init__(self, certificate: x509.Certificate, key: EllipticCurvePrivateKey) -> None:
        self.certificate = certificate
        self.key = key

    def issue(
        self,
        name: str,
        key: EllipticCurvePublicKey,
        *,
        path_length: int | None = None,
        sgx: bytes | None = None,
    ) -> x509.Certificate:
        """Issue a certificate.

        Args:
            name: Its common name.
            key: Its key.
            path_length: How many certificates may be below it; None: it is no authority.
            sgx: The value of the SGX extension, for PCK certificates.
        """
        builder = _builder(name, key, path_length).issuer_name(self.certificate.subject)
        builder = builder.add_extension(_authority_key(self.key.public_key()), critical=False)
        if sgx is not None:
            extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(_SGX), sgx)
            builder = builder.add_extension(extension, critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def revoke_none(self, at: datetime, until: datetime) -> x509.CertificateRevocationList:
        """Issue a revocation list that is empty."""
        return (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(at)
            .next_update(until)
            .add_extension(x509.CRLNumber(1), critical=False)
            .add_extension(_authority_key(self.key.public_key()), critical=False)
            .sign(self.key, hashes.SHA256())
        )


def self_signed(name: str, key: EllipticCurvePrivateKey) -> Issuer:
    """Make a root."""
    builder = _builder(name, key.public_key(), 1).issuer_name(_name(name))
    builder = builder.add_extension(_authority_key(key.public_key()), critical=False)
    return Issuer(builder.sign(key, hashes.SHA256()), key)


def sgx_extension(ppid: bytes, cpu_svn: bytes, pce_svn: int, pce_id: bytes, fmspc: bytes) -> bytes:
    """Return the value of the SGX extension of a PCK certificate (section 1.3.5).

    Args:
        ppid: The platform's id, 16 bytes.
        cpu_svn: Its 16 components.
        pce_svn: Security version of the provisioning enclave.
        pce_id: 2 bytes.
        fmspc: Family, model, stepping, platform, custom SKU: 6 bytes.
    """
    components = [_entry(f"2.{i}", _integer(value)) for i, value in enumerate(cpu_svn, 1)]
    tcb = [*components, _entry("2.17", _integer(pce_svn)), _entry("2.18", _der(_OCTETS, cpu_svn))]
    return _der(
        _SEQUENCE,
        _entry("1", _der(_OCTETS, ppid)),
        _entry("2", _der(_SEQUENCE, *tcb)),
        _entry("3", _der(_OCTETS, pce_id)),
        _entry("4", _der(_OCTETS, fmspc)),
        _entry("5", _der(_ENUMERATED, b"\0")),
    )


def _builder(name: str, key: EllipticCurvePublicKey, path_length: int | None) -> x509.CertificateBuilder:
    authority = path_length is not None
    # A day early, for whoever's clock is behind.
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + _LIFE)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not authority,
                content_commitment=not authority,
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
        .add_extension(x509.BasicConstraints(ca=authority, path_length=path_length), critical=True)
    )


def _name(name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(x509.NameOID.COMMON_NAME, name),
            x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "EActors, simulated hardware"),
        ]
    )


def _authority_key(key: EllipticCurvePublicKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key)


def _entry(oid: str, value: bytes) -> bytes:
    first, second, *arcs = (int(arc) for arc in f"{_SGX}.{oid}".split("."))
    return _der(_SEQUENCE, _der(_OID, bytes([first * 40 + second]), *map(_arc, arcs)), value)


def _arc(value: int) -> bytes:
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(value & 0x7F | 0x80)
    return bytes(reversed(digits))


def _integer(value: int) -> bytes:
    return _der(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:  # noqa: PLR2004 - ITU-T X.690 section 8.1.3.4: the short form
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content
