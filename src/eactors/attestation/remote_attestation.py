"""Key exchange ``remote-attestation``: X25519 between enclaves of two machines that prove who they are.

As local-attestation, but what each sends is a quote, which the other verifies down to a root
certificate that is part of its own image.
"""

from __future__ import annotations

from eactors import _native
from eactors.attestation.agreement import HELLO_SENT, Agreement
from eactors.attestation.end import BEGIN, DONE, HELLO, QUOTE, START
from eactors.attestation.quote import check_quote
from eactors.errors import ExchangeFailed, ReportInvalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar

    from eactors.attestation.end import Messages, Table
    from eactors.attestation.manifest import Manifest
    from eactors.platform.base import Platform

QUOTE_SENT = "waiting for the quote"


class RemoteAttestation(Agreement):
    """Both send their public key, then a quote that covers everything."""

    NUMBER = 4

    def __init__(self, entry: dict[str, Any], manifest: Manifest, own: int, platform: Platform) -> None:
        super().__init__(entry, manifest, own, platform)
        self._roots: list[str] = entry["roots"]

    def send_quote(self, hello: bytes) -> Messages:
        """Agree, and prove to the peer who does."""
        self.agree(hello)
        return (self.say(QUOTE, self.platform.quote(self._data(self.side))),)

    def check_peer(self, quote: bytes) -> Messages:
        """See that the peer is whom the manifest says, and means this exchange."""
        try:
            identity, data = check_quote(quote, self._roots)
        except ReportInvalid as error:
            raise ExchangeFailed(f"the quote of {self.peer} proves nothing: {error}") from None
        if difference := identity.difference(self.expected):
            raise ExchangeFailed(f"what answers for {self.peer} {difference}")
        if not _native.equal(data, self._data(1 - self.side)):
            other = "public key, another channel, another manifest or an earlier run"
            raise ExchangeFailed(
                f"the quote of {self.peer} does not cover this exchange, but another {other}"
            )
        return ()

    def _data(self, side: int) -> bytes:
        return _native.sha256(b"eactors remote-attestation 1", bytes((side,)), self.transcript) + bytes(32)

    TABLE: ClassVar[Table] = {
        (START, BEGIN): (Agreement.send_public, HELLO_SENT),
        (HELLO_SENT, HELLO): (send_quote, QUOTE_SENT),
        (QUOTE_SENT, QUOTE): (check_peer, DONE),
    }
    TABLES = (TABLE, TABLE)


EXCHANGE = RemoteAttestation
