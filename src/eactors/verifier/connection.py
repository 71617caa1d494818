"""Asking a TLS server for its certificate, in a handshake that proves that it has the key."""

from __future__ import annotations

import contextlib
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from eactors.errors import EActorsError

_HTTPS = 443
_NO_TLS = {"WRONG_VERSION_NUMBER", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"}
"""What OpenSSL says when the answer is no record of TLS."""


class NotReached(EActorsError):  # noqa: N818 - it names what happened
    """There is no TLS server where the user says, so nothing is known of it."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to connect to.

    Attributes:
        host: Name or address.
        port: Port.
    """

    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Address:
        """Read host and port from ``https://host:port``; what follows is not looked at.

        Raises:
            EActorsError: It is no such address.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            parts, host, port = None, None, None
        if parts is None or parts.scheme != "https" or not host or parts.username is not None:
            raise EActorsError(f"{url!r} is no address of an HTTPS server", hint="write https://HOST:PORT")
        return cls(host, _HTTPS if port is None else port)

    def __str__(self) -> str:
        """As in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def certificate_of(address: Address, seconds: float) -> bytes:
    """Make a TLS connection, and return the certificate of that very session, DER.

    Any certificate will do: it is what is inside that is checked, by the caller. The handshake
    fails if the server does not have the certificate's private key.

    Args:
        address: Whom to ask.
        seconds: How long to wait for each step.

    Raises:
        NotReached: Nobody answers there, or not in TLS.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        with (
            socket.create_connection((address.host, address.port), seconds) as connected,
            context.wrap_socket(connected, server_hostname=address.host) as tls,
        ):
            certificate = tls.getpeercert(binary_form=True)
            with contextlib.suppress(OSError):  # it has said all that we wanted to know
                tls.unwrap()
    except OSError as error:
        raise _not_reached(address, error) from error
    except ValueError as error:  # a name that cannot be encoded
        raise NotReached(f"{address.host!r} is no name of a host: {error}") from error
    assert certificate is not None  # no cipher suite without a certificate is enabled
    return certificate


def _not_reached(address: Address, error: OSError) -> NotReached:
    match error:
        case ssl.SSLError():
            return _no_handshake(address, error.reason or error.strerror or str(error))
        case socket.gaierror():
            return NotReached(f"there is no host {address.host!r}: {error.strerror}")
        case ConnectionRefusedError():
            return NotReached(
                f"nobody listens at {address}: connection refused", hint="see whether the server runs"
            )
        case TimeoutError():
            return NotReached(f"{address} did not answer in time", hint="wait longer with --timeout SECONDS")
    return NotReached(f"cannot talk to {address}: {error.strerror or error}")


def _no_handshake(address: Address, reason: str) -> NotReached:
    if reason in _NO_TLS:
        return NotReached(
            f"{address} does not speak TLS", hint="see whether the port is that of HTTPS, not of HTTP"
        )
    if "UNRECOGNIZED_NAME" in reason:
        return NotReached(
            f"the server at {address} serves no domain {address.host!r}",
            hint="give the name that its certificate is for, and let that name lead to it",
        )
    return NotReached(f"the TLS handshake with {address} failed: {reason}")
