"""What can be wrong with a certificate, its key, or the names that it is for."""

from __future__ import annotations

from eactors.errors import EActorsError


class CertificateError(EActorsError, ValueError):
    """A certificate cannot be made or served. The base of the others."""


class CertificateUnreadable(CertificateError):  # noqa: N818 - it names what is wrong, as in eactors.errors
    """A certificate or key is no PEM, of no kind that TLS uses, or encrypted."""


class KeyMismatch(CertificateError):  # noqa: N818
    """The key is not that of the certificate."""


class CertificateExpired(CertificateError):  # noqa: N818
    """A certificate is not valid any more, or not yet."""


class WrongDomain(CertificateError):  # noqa: N818
    """A certificate is not for a name that it should be served for."""
