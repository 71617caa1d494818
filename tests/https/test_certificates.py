"""Certificates of owners: brought by ``eactors provision``, and what can be wrong with them."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from tests.attested_tls import owned
from tests.conftest import COMMAND, environment
from tests.sites import running

if TYPE_CHECKING:
    from pathlib import Path


def provision(built: Path, content: bytes, actor: str) -> None:
    """Provision a file for an actor."""
    file = built.parent / "provisioned.pem"
    file.write_bytes(content)
    command: list[str | Path] = [COMMAND, "provision", file, "--to", actor, "--allow-debug", built]
    subprocess.run(command, env=environment(built.parent), check=True, capture_output=True, timeout=60)


def test_the_owner_s_certificates_are_served(built: Path, tmp_path: Path) -> None:
    """One for each site, in one file; clients see the owner's, not one that the enclave made."""
    book, shop = owned("book.localhost", "localhost", "127.0.0.1"), owned("shop.localhost")
    provision(built, b"".join((*book, *shop)), "Both")
    try:
        with running(tmp_path, built) as site:
            for name, (pem, _) in (("book.localhost", book), ("shop.localhost", shop)):
                assert site.certificate(name).read_bytes() == pem
                assert site.curl("/style.css", name=name).returncode == 0
    finally:
        (built / "provisioned" / "Both.sealed").unlink()


@pytest.mark.parametrize(
    ("content", "error", "hint"),
    [
        (
            owned("book.localhost")[0] + owned("book.localhost")[1],
            "KeyMismatch: the certificate provisioned for Book and its key do not belong together",
            "provide the key that the certificate was requested with",
        ),
        (
            b"".join(owned("book.localhost", starts=-3, ends=-1)),
            "CertificateExpired: the certificate provisioned for Book has expired on",
            "renew it, and provision the new one",
        ),
        (
            b"".join(owned("other.example")),
            "WrongDomain: the certificate provisioned for Book is not for book.localhost, only for other",
            "get a certificate for book.localhost",
        ),
        (
            b"no certificate at all",
            "CertificateUnreadable: the certificate provisioned for Book cannot be read",
            "it is text with a block -----BEGIN CERTIFICATE-----",
        ),
    ],
    ids=["mismatch", "expired", "wrong domain", "no certificate"],
)
def test_a_certificate_that_clients_would_refuse_is_not_served(
    guest_book: Path, tmp_path: Path, content: bytes, error: str, hint: str
) -> None:
    """The site does not open, and says why and what to do."""
    provision(guest_book, content, "Book")
    done = subprocess.run(
        [COMMAND, "run", guest_book],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    (guest_book / "provisioned" / "Book.sealed").unlink()
    assert (done.returncode, done.stdout) == (1, "")
    assert f"error: actor 'Book' failed: {error}" in done.stderr
    assert f"hint: {hint}" in done.stderr
