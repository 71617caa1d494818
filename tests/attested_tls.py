"""Enclaves that are no processes, certificates for them, and TLS servers and clients in memory."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from eactors.cpu.instructions import Secs
from eactors.cpu.quoting import QuotingEnclave
from eactors.cpu.structures import INIT, MODE64BIT, attributes
from eactors.errors import SealBroken

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

SECS = Secs(b"m" * 32, b"s" * 32, attributes(INIT | MODE64BIT), 3, 4)
PEM = serialization.Encoding.PEM


class Attester:
    """What a certificate needs of an actor: an enclave of the software CPU, without a process."""

    def __init__(self, state: Path | None = None, secs: Secs = SECS) -> None:
        self.quoting, self.secs = QuotingEnclave(state), secs

    def quote(self, data: bytes) -> bytes:
        """Return a quote."""
        return self.quoting.quote(self.secs, data)

    def seal(self, data: bytes) -> bytes:
        """Return the data as another enclave could not read it."""
        return self.secs.measurement + data[::-1]

    def unseal(self, sealed: bytes) -> bytes:
        """Return what this enclave has sealed."""
        if not sealed.startswith(self.secs.measurement):
            raise SealBroken("sealed by another enclave")
        return sealed.removeprefix(self.secs.measurement)[::-1]


def pem_of(key: CertificateIssuerPrivateKeyTypes, passphrase: bytes | None = None) -> bytes:
    """Return a key as its owner keeps it."""
    locked = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, locked)


def owned(
    *names: str,
    key: CertificateIssuerPrivateKeyTypes | None = None,
    starts: float = -1,
    ends: float = 1,
    quote: bytes | None = None,
) -> tuple[bytes, bytes]:
    """Return a certificate and its key, PEM.

    Args:
        names: What it is for.
        key: The key.
        starts: From when, in days from now.
        ends: Until when.
        quote: What to put into the extension of RA-TLS.
    """
    private = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "owner")])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=starts))
        .not_valid_after(now + timedelta(days=ends))
    )
    if names:
        alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(alternatives, critical=False)
    if quote is not None:
        extension = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.840.113741.1337.6"), quote)
        builder = builder.add_extension(extension, critical=False)
    algorithm = None if isinstance(private, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(private, algorithm).public_bytes(PEM), pem_of(private)


def client_context() -> ssl.SSLContext:
    """Return a client's context that accepts any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def shake_hands(
    server: ssl.SSLContext, name: str | None = None, client: ssl.SSLContext | None = None
) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    """Connect a client and a server in memory; the client's end, and the server's."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        (client or client_context()).wrap_bio(down, up, server_hostname=name),
        server.wrap_bio(up, down, server_side=True),
    )
    for _ in range(4):
        for end in ends:
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
    assert ends[0].version()
    return ends


@contextmanager
def serving(context: ssl.SSLContext | None, answer: bytes = b"") -> Iterator[int]:
    """Serve TLS on loopback, or without a context send plain bytes; the port."""

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                connection.settimeout(10)
                if context is None:
                    connection.sendall(answer)
                    connection.shutdown(socket.SHUT_WR)
                    connection.recv(4096)
                else:
                    with context.wrap_socket(connection, server_side=True) as tls:
                        tls.recv(1)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)  # wakes accept()
            thread.join()
