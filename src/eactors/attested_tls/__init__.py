"""TLS whose private key never leaves an enclave, and that proves to its peer which enclave that is.

A certificate is either made by the enclave, with its quote inside (`AttestedCertificate`), or
provisioned by its owner (`context_of`). Both become an `ssl.SSLContext` in ``constructor()``:
afterwards the enclave makes no system calls, and handshakes need none. `by_name` serves
several domains. See docs/design/attested-tls.md.
"""

from __future__ import annotations

from eactors.attested_tls.certificate import AttestedCertificate
from eactors.attested_tls.domains import by_name
from eactors.attested_tls.errors import (
    CertificateError,
    CertificateExpired,
    CertificateUnreadable,
    KeyMismatch,
    WrongDomain,
)
from eactors.attested_tls.owned import context_of

__all__ = [
    "AttestedCertificate",
    "CertificateError",
    "CertificateExpired",
    "CertificateUnreadable",
    "KeyMismatch",
    "WrongDomain",
    "by_name",
    "context_of",
]
