"""Certificates that owners provide: what is wrong with one is said before anything is served."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from tests.attested_tls import owned, pem_of, shake_hands

from eactors.attested_tls import (
    CertificateError,
    CertificateExpired,
    CertificateUnreadable,
    KeyMismatch,
    WrongDomain,
    context_of,
)

NAME = "shop.example"


def refusal(
    certificate: bytes, key: bytes, *names: str, kind: type[CertificateError], title: str = "shop.pem"
) -> CertificateError:
    """Return why a certificate is refused."""
    with pytest.raises(kind) as info:
        context_of(certificate, key, names or [NAME], title=title)
    assert type(info.value) is kind
    assert info.value.hint
    assert title in str(info.value)
    return info.value


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP384R1()),
        ed25519.Ed25519PrivateKey.generate(),
        rsa.generate_private_key(65537, 2048),
    ],
    ids=lambda key: type(key).__name__,
)
def test_a_good_one_is_served(
    key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey,
) -> None:
    """Of each kind that authorities sign."""
    assert shake_hands(context_of(*owned(NAME, key=key), [NAME]))[1].version()


def test_one_file_may_hold_both() -> None:
    """An actor is provisioned one file."""
    certificate, key = owned(NAME)
    for content in (certificate + key, key + certificate):
        assert shake_hands(context_of(content, content, [NAME]))[1].version()


def test_the_key_of_another_certificate_is_named() -> None:
    """OpenSSL would say "key values mismatch", and not whose."""
    error = refusal(owned(NAME)[0], owned(NAME)[1], kind=KeyMismatch)
    assert str(error) == "shop.pem and its key do not belong together: the key is that of another certificate"


def test_a_chain_in_the_wrong_order_is_named() -> None:
    """A common mistake, with its own way out."""
    certificate, key = owned(NAME)
    above = owned("authority.example")[0]
    assert context_of(certificate + above, key, [NAME])
    error = refusal(above + certificate, key, kind=KeyMismatch)
    assert str(error) == "the key of shop.pem is that of certificate 2 in its chain"


def test_dates_are_named() -> None:
    """Expired, not valid yet, and expired further up."""
    assert "has expired on 20" in str(refusal(*owned(NAME, starts=-9, ends=-1), kind=CertificateExpired))
    assert "is not valid before 20" in str(refusal(*owned(NAME, starts=1, ends=2), kind=CertificateExpired))
    certificate, key = owned(NAME)
    above = owned("authority.example", starts=-9, ends=-1)[0]
    error = refusal(certificate + above, key, kind=CertificateExpired)
    assert str(error).startswith("certificate 2 in the chain of shop.pem has expired on")


def test_another_domain_is_named() -> None:
    """With what the certificate is for."""
    error = refusal(*owned("a.example", "*.b.example"), "www.b.example", NAME, kind=WrongDomain)
    assert str(error) == "shop.pem is not for shop.example, only for a.example, *.b.example"
    assert "only for no host at all" in str(refusal(*owned(), kind=WrongDomain))
    refusal(*owned("*.shop.example"), kind=WrongDomain)
    refusal(*owned("*.example"), "a.shop.example", kind=WrongDomain)


@pytest.mark.parametrize(
    "content", [b"", b"\0", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_what_is_no_certificate_is_refused(content: bytes) -> None:
    """Or is damaged."""
    assert "cannot be read" in str(refusal(content, owned(NAME)[1], kind=CertificateUnreadable))


def test_what_is_no_key_is_refused() -> None:
    """Or needs a passphrase that nobody can type into an enclave, or is of a kind that TLS lacks."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = owned(NAME, key=key)[0]
    assert "cannot be read" in str(refusal(certificate, certificate, kind=CertificateUnreadable))
    assert "is encrypted" in str(refusal(certificate, pem_of(key, b"secret"), kind=CertificateUnreadable))
    odd = pem_of(ed448.Ed448PrivateKey.generate())
    assert "of a kind that TLS does not use" in str(refusal(certificate, odd, kind=CertificateUnreadable))


def test_a_message_shows_nothing_of_the_key() -> None:
    """It goes to a console that the host reads."""
    certificate, key = owned(NAME)
    damaged = key.replace(b"PRIVATE KEY", b"PRIVATE QUAY")
    error = refusal(certificate, damaged, kind=CertificateUnreadable)
    assert all(line.decode() not in f"{error}{error.__cause__}" for line in key.splitlines() if line)
