"""Certificates of their owner's, which an authority has signed and `eactors provision` brought.

Everything that would make clients refuse the certificate is refused here first, with words:
OpenSSL would serve an expired certificate, or one for another domain, without any.
"""

from __future__ import annotations

from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from eactors.attested_tls.context import context_with
from eactors.attested_tls.errors import CertificateExpired, CertificateUnreadable, KeyMismatch, WrongDomain
from eactors.attested_tls.names import covers, names_of, of_certificate

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Sequence

    Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey

_KINDS = (ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey, rsa.RSAPrivateKey)
_PEM = serialization.Encoding.PEM
_PKCS8, _OPEN = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()


def context_of(
    certificate_pem: bytes, key_pem: bytes, names: Iterable[str], *, title: str = "the certificate"
) -> ssl.SSLContext:
    """A server's TLS context with a certificate that its owner provides.

    Args:
        certificate_pem: The certificate, then those above it, as its authority delivers them.
        key_pem: Its key, not encrypted. May be the same bytes, if one file holds both.
        names: The hosts that it will be served for.
        title: What to call it in messages.

    Raises:
        CertificateUnreadable: One of the two cannot be read.
        KeyMismatch: They do not belong together.
        CertificateExpired: By the host's clock it is not valid any more, or not yet.
        WrongDomain: It is not for one of the names.
        SandboxViolation: The enclave is sealed already.
    """
    wanted = names_of(names)
    chain = _chain(certificate_pem, title)
    key = _key(key_pem, title)
    _check_key(chain, key, title)
    for number, certificate in enumerate(chain):
        _check_dates(certificate, f"certificate {number + 1} in the chain of {title}" if number else title)
    _check_names(chain[0], wanted, title)
    content = b"".join(certificate.public_bytes(_PEM) for certificate in chain)
    return context_with(content, key.private_bytes(_PEM, _PKCS8, _OPEN))


def _chain(content: bytes, title: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(content)
    except ValueError as error:
        raise CertificateUnreadable(
            f"{title} cannot be read: {error}",
            hint="it is text with a block -----BEGIN CERTIFICATE-----",
        ) from error


def _key(content: bytes, title: str) -> Key:
    try:
        key = serialization.load_pem_private_key(content, password=None)
    except TypeError as error:  # so the library says that there should have been a password
        raise CertificateUnreadable(
            f"the key of {title} is encrypted",
            hint="provision it without a passphrase: 'eactors provision' encrypts it for the enclave",
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        # Without the library's words, for they may show what it has read.
        raise CertificateUnreadable(
            f"the key of {title} cannot be read",
            hint="it is text with a block -----BEGIN PRIVATE KEY-----",
        ) from error
    if not isinstance(key, _KINDS):
        raise CertificateUnreadable(
            f"the key of {title} is of a kind that TLS does not use", hint="use an EC, Ed25519 or RSA key"
        )
    return key


def _check_key(chain: Sequence[x509.Certificate], key: Key, title: str) -> None:
    fits = [certificate.public_key() == key.public_key() for certificate in chain]
    if fits[0]:
        return
    if any(fits):
        raise KeyMismatch(
            f"the key of {title} is that of certificate {fits.index(True) + 1} in its chain",
            hint="put the certificate of the key first, then those above it",
        )
    raise KeyMismatch(
        f"{title} and its key do not belong together: the key is that of another certificate",
        hint="provide the key that the certificate was requested with",
    )


def _check_dates(certificate: x509.Certificate, title: str) -> None:
    now = datetime.now(UTC)
    if now > certificate.not_valid_after_utc:
        raise CertificateExpired(
            f"{title} has expired on {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC",
            hint="renew it, and provision the new one",
        )
    if now < certificate.not_valid_before_utc:
        raise CertificateExpired(
            f"{title} is not valid before {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC",
            hint="see whether this machine's clock is right",
        )


def _check_names(certificate: x509.Certificate, wanted: Iterable[str], title: str) -> None:
    own = of_certificate(certificate)
    for name in wanted:
        if not any(covers(pattern, name) for pattern in own):
            raise WrongDomain(
                f"{title} is not for {name}, only for {', '.join(own) or 'no host at all'}",
                hint=f"get a certificate for {name}, or serve this one for its own names",
            )
