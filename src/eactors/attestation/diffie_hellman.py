"""Key exchange ``diffie-hellman``: X25519 attested by nobody.

A host that only listens learns nothing; one that answers in the peer's place is not noticed,
so a deployment must ask for it as insecure.
"""

from __future__ import annotations

from eactors import _native
from eactors.attestation import end
from eactors.attestation.end import BEGIN, CONFIRMATION, DONE, HELLO, START, End
from eactors.errors import ExchangeFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

    from eactors.attestation.end import Messages, Table

HELLO_SENT, CONFIRMATION_AWAITED = "waiting for the hello", "waiting for the confirmation"


class DiffieHellman(End):
    """Both send their public key (RFC 7748), then a proof that they have come to the same keys."""

    NUMBER = 3

    def send_public(self, _body: bytes) -> Messages:
        """Send a fresh public key."""
        self.private, self.hello = end.new_key_pair()
        return (self.say(HELLO, self.hello),)

    def agree(self, hello: bytes) -> None:
        """Compute the secret from the peer's public key."""
        self.meet(hello)
        try:
            self.secret = _native.x25519(self.private, hello)
        except ValueError:
            # All zeros: a point of low order, with which the secret is no secret (RFC 7748, 6.1).
            raise ExchangeFailed(f"the public key of {self.peer} is not valid") from None

    def confirm_keys(self, hello: bytes) -> Messages:
        """Agree, and show it."""
        self.agree(hello)
        return self.confirm()

    TABLE: ClassVar[Table] = {
        (START, BEGIN): (send_public, HELLO_SENT),
        (HELLO_SENT, HELLO): (confirm_keys, CONFIRMATION_AWAITED),
        (CONFIRMATION_AWAITED, CONFIRMATION): (End.confirmed, DONE),
    }
    TABLES = (TABLE, TABLE)
