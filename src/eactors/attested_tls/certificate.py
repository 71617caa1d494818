"""The certificate that an enclave makes for itself: its quote is inside, in the form of RA-TLS.

The quote is the value of extension 1.2.840.113741.1337.6, raw, as in Gramine's RA-TLS; its
report data is SHA-256 of the SubjectPublicKeyInfo, DER, and 32 zeros. So the quote says: the
enclave with this measurement has this key. The handshake says: whoever answers has it, too.

The dates in it are the host's word. They protect nothing; TLS wants some.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import cryptography.hazmat.backends.openssl.backend  # noqa: F401 - imported late, it would not be in the image
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from eactors import _native
from eactors.attested_tls.context import context_with
from eactors.attested_tls.errors import CertificateError
from eactors.attested_tls.names import general_name, names_of
from eactors.errors import SealBroken

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable
    from typing import Protocol

    class Enclave(Protocol):
        """What a certificate needs of an actor in an enclave."""

        def quote(self, data: bytes, /) -> bytes: ...  # noqa: D102 - as in Actor
        def seal(self, data: bytes, /) -> bytes: ...  # noqa: D102
        def unseal(self, sealed: bytes, /) -> bytes: ...  # noqa: D102


QUOTE = "1.2.840.113741.1337.6"
"""The extension that holds the quote."""

_CURVES: dict[str, type[ec.EllipticCurve]] = {"P-256": ec.SECP256R1, "P-384": ec.SECP384R1}
_SUBJECT = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "EActors attested TLS")])
_MAGIC = b"eactors attested tls 1\n"
_EARLY = timedelta(days=1)  # for clients whose clock is behind
_DER, _PEM = serialization.Encoding.DER, serialization.Encoding.PEM
_PKCS8, _OPEN = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()


class AttestedCertificate:
    """A certificate with the enclave's quote, and its key, which nobody outside ever has.

    Made by `create` or `from_sealed`, in an actor's ``constructor()``.

    Attributes:
        names: The hosts that it is for.
        pem: The certificate; no secret.
    """

    __slots__ = ("_key", "names", "pem")

    def __init__(
        self, actor: Enclave, names: Iterable[str], key: ec.EllipticCurvePrivateKey, days: int
    ) -> None:
        self.names = names_of(names)
        self._key = key
        public = key.public_key().public_bytes(_DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        quote = actor.quote(_native.sha256(public) + bytes(32))
        self.pem = _certificate(self.names, key, quote, days).public_bytes(_PEM)

    @classmethod
    def create(
        cls, actor: Enclave, names: Iterable[str], *, days: int = 365, curve: str = "P-256"
    ) -> AttestedCertificate:
        """Make a fresh key and a certificate for it.

        Args:
            actor: Whose enclave quotes: ``self``.
            names: Host names or addresses that clients will ask for.
            days: For how long; by the host's clock.
            curve: ``"P-256"``, or the slower ``"P-384"``, the only one that Gramine's own
                verifier accepts.

        Raises:
            NotInEnclave: The actor runs on the untrusted side, which has no quotes.
            CertificateError: A name or curve is none.
        """
        if curve not in _CURVES:
            raise CertificateError(f"there is no curve {curve!r}", hint=f"use {' or '.join(_CURVES)}")
        return cls(actor, names, ec.generate_private_key(_CURVES[curve]()), days)

    @classmethod
    def from_sealed(cls, actor: Enclave, sealed: bytes, *, days: int = 365) -> AttestedCertificate:
        """Make a new certificate, with a new quote, for the key of an earlier run.

        Args:
            actor: An actor of the very image that sealed it: ``self``.
            sealed: What `export_sealed` returned.
            days: As in `create`.

        Raises:
            SealBroken: It was changed, is of another enclave, or is no such key.
        """
        content = actor.unseal(sealed)
        names, end, key = content.removeprefix(_MAGIC).partition(b"\n")
        if not content.startswith(_MAGIC) or not end:
            raise SealBroken("what was sealed is no key of a certificate, but other data of this enclave")
        private = serialization.load_der_private_key(key, password=None)
        assert isinstance(private, ec.EllipticCurvePrivateKey)
        return cls(actor, names.decode().split(","), private, days)

    def export_sealed(self, actor: Enclave) -> bytes:
        """Encrypt key and names for whoever keeps them, so that only this very image has them back.

        Never for the signer's other images: clients have been told that this measurement has
        the key, and no other.

        Args:
            actor: ``self``.
        """
        key = self._key.private_bytes(_DER, _PKCS8, _OPEN)
        return actor.seal(_MAGIC + ",".join(self.names).encode() + b"\n" + key)

    def context(self) -> ssl.SSLContext:
        """A server's TLS context with this certificate.

        Raises:
            SandboxViolation: The enclave is sealed already.
        """
        return context_with(self.pem, self._key.private_bytes(_PEM, _PKCS8, _OPEN))


def _certificate(
    names: tuple[str, ...], key: ec.EllipticCurvePrivateKey, quote: bytes, days: int
) -> x509.Certificate:
    public = key.public_key()
    now = datetime.now(UTC).replace(microsecond=0)
    return (
        x509.CertificateBuilder()
        .subject_name(_SUBJECT)
        .issuer_name(_SUBJECT)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLY)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier(QUOTE), quote), critical=False)
        .sign(key, hashes.SHA256())
    )
