"""Agreeing on a secret by X25519 (RFC 7748), whoever the other end is."""

from __future__ import annotations

from eactors import _native
from eactors.attestation import end
from eactors.attestation.end import HELLO, End
from eactors.errors import ExchangeFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from eactors.attestation.end import Messages

HELLO_SENT = "waiting for the hello"


class Agreement(End):
    """An end of an exchange that begins with both public keys."""

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
