"""Names of hosts: as certificates have them, and as clients ask for them.

ASCII only. A name with other letters goes in the form that certificates and clients use
("xn--..."), so that nothing here depends on a table of Unicode. A wildcard stands for the
first label alone (RFC 6125, section 6.4.3).
"""

from __future__ import annotations

import ipaddress

from cryptography import x509

from eactors.attested_tls.errors import CertificateError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable

_LONGEST, _LONGEST_LABEL = 253, 63
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")


def normal(name: str) -> str:
    """The one form of a name: lower case, without the dot at the end; addresses as Python writes them.

    Raises:
        CertificateError: It is no name of a host.
    """
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        pass
    # Not lower(): that would make ASCII out of the sign for kelvin.
    plain = name.lower().removesuffix(".") if name.isascii() else name
    labels = plain.removeprefix("*.").split(".")
    if len(plain) > _LONGEST or not all(map(_is_label, labels)):
        raise CertificateError(
            f"{name!r} is no name of a host",
            hint="write names like shop.example, *.shop.example or 192.0.2.1; "
            "one with other letters than a to z in its ASCII form, which begins with xn--",
        )
    return plain


def names_of(names: Iterable[str]) -> tuple[str, ...]:
    """Several names in their one form, each once, in their order.

    Raises:
        CertificateError: One is no name, or there is none.
    """
    if isinstance(names, str):
        raise CertificateError(f"{names!r} is one string", hint=f"give a list of names: [{names!r}]")
    found = tuple(dict.fromkeys(normal(name) for name in names))
    if not found:
        raise CertificateError("a certificate for no name is of no use", hint="give at least one name")
    return found


def general_name(name: str) -> x509.GeneralName:
    """A name of `names_of`, for a certificate."""
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def of_certificate(certificate: x509.Certificate) -> tuple[str, ...]:
    """The hosts that a certificate is for; what is no name of a host is left out.

    The subject is not looked at: no client has for years.
    """
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    hosts = [name.lower().removesuffix(".") for name in found.get_values_for_type(x509.DNSName)]
    return (*hosts, *map(str, found.get_values_for_type(x509.IPAddress)))


def covers(pattern: str, name: str) -> bool:
    """Whether a name of a certificate is for this host, or for all hosts of this wildcard."""
    return pattern == name or (pattern.startswith("*.") and _behind_first(name) == pattern[2:])


def pattern_for(names: Container[str], name: str) -> str | None:
    """Which of the names is for this host: itself, or else a wildcard; None: neither."""
    wildcard = f"*.{_behind_first(name)}"
    return name if name in names else wildcard if wildcard in names else None


def _behind_first(name: str) -> str | None:
    first, dot, rest = name.partition(".")
    return rest if first and dot else None


def _is_label(label: str) -> bool:
    return 0 < len(label) <= _LONGEST_LABEL and _LETTERS.issuperset(label) and label.strip("-") == label
