"""Key exchange ``diffie-hellman``: X25519 attested by nobody.

A host that only listens learns nothing; one that answers in the peer's place is not noticed,
so a deployment must ask for it as insecure.
"""

from __future__ import annotations

from eactors.attestation.agreement import HELLO_SENT, Agreement
from eactors.attestation.confirmation import Confirming
from eactors.attestation.end import BEGIN, CONFIRMATION, DONE, HELLO, START

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

    from eactors.attestation.end import Messages, Table

CONFIRMATION_AWAITED = "waiting for the confirmation"


class DiffieHellman(Agreement, Confirming):
    """Both send their public key (RFC 7748), then a proof that they have come to the same keys."""

    NUMBER = 3

    def confirm_keys(self, hello: bytes) -> Messages:
        """Agree, and show it."""
        self.agree(hello)
        return self.confirm()

    TABLE: ClassVar[Table] = {
        (START, BEGIN): (Agreement.send_public, HELLO_SENT),
        (HELLO_SENT, HELLO): (confirm_keys, CONFIRMATION_AWAITED),
        (CONFIRMATION_AWAITED, CONFIRMATION): (Confirming.confirmed, DONE),
    }
    TABLES = (TABLE, TABLE)


EXCHANGE = DiffieHellman
