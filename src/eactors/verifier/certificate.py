"""Verifying an attested certificate: RA-TLS, as Gramine has it and `eactors.attested_tls` makes it.

Three things together make a TLS connection one with a certain enclave: the handshake proved
that whoever answers has the certificate's key; the quote's report data says that the enclave
made that key; the policy accepts the enclave. Who only copies another's quote fails the second.

Names are not compared: which host answers is not what a quote is about.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from eactors.attestation.identity import Identity
from eactors.attested_tls.certificate import QUOTE
from eactors.attested_tls.names import of_certificate
from eactors.errors import ReportInvalid
from eactors.verifier.quote import QuoteRefused, report_data, report_of

_EXTENSION = x509.ObjectIdentifier(QUOTE)


@dataclass(frozen=True, slots=True)
class Presented:
    """What a server has presented, before any of it is believed.

    Attributes:
        quote: The quote in its certificate.
        claimed: Who the quote says the enclave is; None: it says nothing that can be read.
        public_key: The certificate's key: SubjectPublicKeyInfo, DER.
        names: The hosts that the certificate is for.
        starts: Since when the certificate is valid.
        ends: Until when.
    """

    quote: bytes
    claimed: Identity | None
    public_key: bytes
    names: tuple[str, ...]
    starts: datetime
    ends: datetime

    @property
    def pin(self) -> str:
        """The key as ``curl --pinnedpubkey`` takes it."""
        return f"sha256//{base64.b64encode(sha256(self.public_key).digest()).decode()}"


def read_certificate(certificate: bytes) -> Presented:
    """Take the quote out of a certificate.

    Args:
        certificate: DER.

    Raises:
        QuoteRefused: It cannot be read, or has no quote.
    """
    try:
        read = x509.load_der_x509_certificate(certificate)
        quote = read.extensions.get_extension_for_oid(_EXTENSION).value.public_bytes()
        public_key = read.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        names = of_certificate(read)
    except x509.ExtensionNotFound as error:
        raise QuoteRefused(
            "the certificate carries no quote",
            what="certificate",
            hint="this is ordinary TLS: the server is no enclave, or does not use AttestedCertificate",
        ) from error
    except (ValueError, TypeError, x509.DuplicateExtension) as error:
        raise QuoteRefused(f"the certificate cannot be read: {error}", what="certificate") from error
    try:
        claimed = Identity.of_body(report_of(quote))
    except ReportInvalid:
        claimed = None
    return Presented(quote, claimed, public_key, names, read.not_valid_before_utc, read.not_valid_after_utc)


def check_binding(presented: Presented, at: datetime | None = None) -> None:
    """See that the quote is for the certificate's key, and the certificate in its time.

    Raises:
        QuoteRefused: One of them is not so.
    """
    if report_data(presented.quote) != sha256(presented.public_key).digest() + bytes(32):
        raise QuoteRefused(
            "the quote in the certificate is for another key: whoever answers may have copied it from"
            " an enclave, and is none itself",
            what="key",
            hint="do not send secrets there; if a proxy ends TLS before the enclave, let it pass TLS through",
        )
    now = at or datetime.now(UTC)
    if not presented.starts <= now <= presented.ends:
        words = "has expired on" if now > presented.ends else "is not valid before"
        when = presented.ends if now > presented.ends else presented.starts
        raise QuoteRefused(
            f"the certificate {words} {when:%Y-%m-%d %H:%M} UTC",
            what="expired",
            hint="let the server make a new one, or see whether this machine's clock is right",
        )
