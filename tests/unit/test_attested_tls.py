"""Certificates that enclaves make, their keys, and several domains behind one address."""

from __future__ import annotations

import os
import ssl
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.attested_tls import SECS, Attester, client_context, owned, shake_hands

from eactors import Actor
from eactors.attested_tls import AttestedCertificate, CertificateError, by_name, context_of
from eactors.errors import NotInEnclave, SandboxViolation, SealBroken

NAMES = ["shop.example", "*.shop.example", "192.0.2.1"]


@pytest.fixture(scope="module")
def attester() -> Attester:
    """An enclave."""
    return Attester()


@pytest.fixture(scope="module")
def certificate(attester: Attester) -> AttestedCertificate:
    """Its certificate."""
    return AttestedCertificate.create(attester, NAMES)


def served_by(context: ssl.SSLContext, name: str | None = None) -> x509.Certificate:
    """Return the certificate that a client gets who asks for a name."""
    der = shake_hands(context, name)[0].getpeercert(binary_form=True)
    assert der is not None
    return x509.load_der_x509_certificate(der)


def quote_in(certificate: x509.Certificate) -> bytes:
    """Return the value of the extension of RA-TLS."""
    extension = certificate.extensions.get_extension_for_oid(x509.ObjectIdentifier("1.2.840.113741.1337.6"))
    assert not extension.critical
    return extension.value.public_bytes()


def test_it_has_the_form_of_ra_tls(certificate: AttestedCertificate) -> None:
    """The raw quote in an extension, whose report data is the hash of the public key, and zeros."""
    read = x509.load_pem_x509_certificate(certificate.pem)
    public = read.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    quote = quote_in(read)
    assert quote[112:144] == SECS.measurement
    assert quote[368:432] == sha256(public).digest() + bytes(32)
    read.verify_directly_issued_by(read)
    names = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == NAMES[:2]
    assert list(map(str, names.get_values_for_type(x509.IPAddress))) == NAMES[2:]
    assert certificate.names == tuple(NAMES)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("curve", ["P-256", "P-384"])
def test_tls_is_served_with_it(attester: Attester, version: ssl.TLSVersion, curve: str) -> None:
    """Also to a client that verifies the chain and the name, once it trusts the certificate."""
    certificate = AttestedCertificate.create(attester, NAMES, curve=curve)
    client = ssl.create_default_context(cadata=certificate.pem.decode())
    client.maximum_version = version
    for name in ("shop.example", "www.shop.example", "192.0.2.1"):
        ours, theirs = shake_hands(certificate.context(), name, client)
        assert ours.version() == theirs.version() == version.name.replace("_", ".")


def test_every_certificate_has_a_key_of_its_own(attester: Attester) -> None:
    """Fresh by default."""
    one, two = (AttestedCertificate.create(attester, NAMES) for _ in range(2))
    assert served_by(one.context()).public_key() != served_by(two.context()).public_key()


def test_the_key_survives_in_sealed_form_alone(attester: Attester, certificate: AttestedCertificate) -> None:
    """The certificate and its quote are made anew: a quote says what runs now."""
    sealed = certificate.export_sealed(attester)
    again = AttestedCertificate.from_sealed(attester, sealed)
    assert again.names == certificate.names
    assert again.pem != certificate.pem
    assert served_by(again.context()).public_key() == served_by(certificate.context()).public_key()


def test_sealed_bytes_of_others_are_refused(attester: Attester, certificate: AttestedCertificate) -> None:
    """Of another enclave, and what this one has sealed for some other purpose."""
    other = Attester(secs=SECS._replace(measurement=b"o" * 32))
    with pytest.raises(SealBroken):
        AttestedCertificate.from_sealed(other, certificate.export_sealed(attester))
    with pytest.raises(SealBroken, match="other data of this enclave"):
        AttestedCertificate.from_sealed(attester, attester.seal(b"the crown jewels"))


def test_no_key_stays_in_a_file(certificate: AttestedCertificate, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file in memory has no name, is its owner's alone, and overwritten and closed at once."""
    seen = []
    close = os.close

    def spy(descriptor: int) -> None:
        status = os.fstat(descriptor)
        seen.append((status.st_nlink, status.st_mode & 0o777, set(os.pread(descriptor, 1 << 16, 0))))
        close(descriptor)

    before = set(Path("/proc/self/fd").iterdir())
    monkeypatch.setattr(os, "close", spy)
    certificate.context()
    monkeypatch.undo()
    assert seen == [(0, 0o600, {0})]
    assert set(Path("/proc/self/fd").iterdir()) == before


def test_a_sealed_enclave_makes_no_more_contexts(
    certificate: AttestedCertificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says where to make them."""

    def refused(*_: object) -> int:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "memfd_create", refused)
    with pytest.raises(SandboxViolation) as info:
        certificate.context()
    assert info.value.hint == "make it in constructor()"


def test_the_untrusted_side_has_no_quotes() -> None:
    """An actor there gets the usual error."""

    class Shop(Actor):
        pass

    shop = Shop()
    shop.name = "shop"
    with pytest.raises(NotInEnclave, match="cannot make quotes"):
        AttestedCertificate.create(shop, NAMES)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], "for no name"),
        ("shop.example", "is one string"),
        (["shop..example"], "no name of a host"),
        (["shop example"], "no name of a host"),
        (["käse.example"], "no name of a host"),
        (["\N{KELVIN SIGN}.example"], "no name of a host"),
        (["*"], "no name of a host"),
        (["a,b"], "no name of a host"),
        (["x" * 64 + ".example"], "no name of a host"),
    ],
)
def test_what_is_no_name_is_refused(attester: Attester, names: list[str], words: str) -> None:
    """Before a key is made."""
    with pytest.raises(CertificateError, match=words):
        AttestedCertificate.create(attester, names)
    with pytest.raises(CertificateError, match="no curve 'P-1'"):
        AttestedCertificate.create(attester, NAMES, curve="P-1")


@pytest.fixture(scope="module")
def domains() -> dict[str, ssl.SSLContext]:
    """Three domains with certificates of their owners."""
    return {name: context_of(*owned(name), [name]) for name in ("a.example", "b.example", "*.b.example")}


@pytest.mark.parametrize(
    ("asked", "got"),
    [
        ("a.example", "a.example"),
        ("A.EXAMPLE", "a.example"),
        ("b.example", "b.example"),
        ("www.b.example", "*.b.example"),
    ],
)
def test_each_domain_has_its_own_certificate(
    domains: dict[str, ssl.SSLContext], asked: str, got: str
) -> None:
    """In either case of letters; a wildcard for one more label."""
    front = by_name(domains)
    client, server = shake_hands(front, asked)
    assert server.context is domains[got]
    der = client.getpeercert(binary_form=True)
    assert der is not None
    names = x509.load_der_x509_certificate(der).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert names.value.get_values_for_type(x509.DNSName) == [got]


@pytest.mark.parametrize(
    "asked", ["c.example", "www.a.example", "x.www.b.example", "example", "192.0.2.1", None, "xn--a"]
)
def test_other_domains_are_refused(domains: dict[str, ssl.SSLContext], asked: str | None) -> None:
    """With the alert for it; clients that name nobody, too, and what is no international name."""
    with pytest.raises(ssl.SSLError) as info:
        shake_hands(by_name(domains), asked)
    assert "UNRECOGNIZED_NAME" in str(info.value.reason) or "CALLBACK_FAILED" in str(info.value.reason)


def test_a_client_that_names_nobody_can_be_served(domains: dict[str, ssl.SSLContext]) -> None:
    """If the application says with what; one that names a stranger still is refused."""
    front = by_name(domains, unnamed=domains["b.example"])
    assert shake_hands(front)[1].context is domains["b.example"]
    with pytest.raises(ssl.SSLError):
        shake_hands(front, "c.example")


def test_a_domain_keeps_its_own_settings(domains: dict[str, ssl.SSLContext]) -> None:
    """Application protocols, for one: HTTP/2 may be spoken in one domain and not in another."""
    context = context_of(*owned("h2.example"), ["h2.example"])
    context.set_alpn_protocols(["h2"])
    client = client_context()
    client.set_alpn_protocols(["h2", "http/1.1"])
    front = by_name({"h2.example": context, **domains})
    assert shake_hands(front, "h2.example", client)[0].selected_alpn_protocol() == "h2"
    assert shake_hands(front, "a.example", client)[0].selected_alpn_protocol() is None


@pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")
def test_a_stranger_s_name_need_not_be_text(domains: dict[str, ssl.SSLContext]) -> None:
    """CPython refuses the client before it asks us, and prints that it did."""
    hello = client_hello(b"\xff\xfe\x80.example")
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    incoming.write(hello)
    with pytest.raises(ssl.SSLError):
        by_name(domains).wrap_bio(incoming, outgoing, server_side=True).do_handshake()


def client_hello(name: bytes) -> bytes:
    """Return the first record of a client, with these bytes as the name of the server."""
    placeholder = "x" * (len(name) - 8) + ".example"
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        client_context().wrap_bio(incoming, outgoing, server_hostname=placeholder).do_handshake()
    return outgoing.read().replace(placeholder.encode(), name)


def test_contexts_by_what_is_no_name_are_refused(domains: dict[str, ssl.SSLContext]) -> None:
    """At the start, not at the first client."""
    with pytest.raises(CertificateError, match="no name of a host"):
        by_name({"a b": domains["a.example"]})
    with pytest.raises(CertificateError, match="for no name"):
        by_name({})
