"""Key exchange ``local-attestation``: X25519 between two enclaves that have proved who they are.

Each sends a report made for the other, whose data is the hash of the sender's side and of the
transcript: so a report is good for one peer, channel, manifest, run and direction.
"""

from __future__ import annotations

from eactors import _native
from eactors.attestation.agreement import HELLO_SENT, Agreement
from eactors.attestation.end import BEGIN, DONE, HELLO, REPORT, START
from eactors.attestation.report import check_report, target_info
from eactors.errors import ExchangeFailed, ReportInvalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

    from eactors.attestation.end import Messages, Table

REPORT_SENT = "waiting for the report"


class LocalAttestation(Agreement):
    """Both send their public key, then a report that covers everything."""

    NUMBER = 1

    def send_report(self, hello: bytes) -> Messages:
        """Agree, and prove to the peer who does."""
        self.agree(hello)
        target = target_info(self.expected.measurement, self.expected.debug)
        return (self.say(REPORT, self.platform.report(target, self._data(self.side))),)

    def check_peer(self, report: bytes) -> Messages:
        """See that the peer is whom the manifest says, and means this exchange."""
        try:
            identity, data = check_report(self.platform, report)
        except ReportInvalid as error:
            raise ExchangeFailed(f"the report of {self.peer} proves nothing: {error}") from None
        if difference := identity.difference(self.expected):
            raise ExchangeFailed(f"what answers for {self.peer} {difference}")
        if not _native.equal(data, self._data(1 - self.side)):
            other = "public key, another channel, another manifest or an earlier run"
            raise ExchangeFailed(
                f"the report of {self.peer} does not cover this exchange, but another {other}"
            )
        return ()

    def _data(self, side: int) -> bytes:
        return _native.sha256(b"eactors local-attestation 1", bytes((side,)), self.transcript) + bytes(32)

    TABLE: ClassVar[Table] = {
        (START, BEGIN): (Agreement.send_public, HELLO_SENT),
        (HELLO_SENT, HELLO): (send_report, REPORT_SENT),
        (REPORT_SENT, REPORT): (check_peer, DONE),
    }
    TABLES = (TABLE, TABLE)


EXCHANGE = LocalAttestation
