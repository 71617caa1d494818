"""Ends that show each other at last that they have come to the same keys."""

from __future__ import annotations

from eactors import _native
from eactors.attestation.end import CONFIRMATION, End
from eactors.errors import ExchangeFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from eactors.attestation.end import Messages


class Confirming(End):
    """An end of an exchange whose last messages are confirmations."""

    def confirm(self) -> Messages:
        """Show that this end has the secret and the transcript."""
        return (self.say(CONFIRMATION, self._confirmation(self.side)),)

    def confirmed(self, body: bytes) -> Messages:
        """See that the peer has them."""
        if not _native.equal(body, self._confirmation(1 - self.side)):
            raise ExchangeFailed(
                f"{self.peer} has other keys: a message was changed, or is of an earlier run"
            )
        return ()

    def _confirmation(self, side: int) -> bytes:
        info = b"eactors confirmation %d" % side
        return bytes(_native.hkdf(self.secret, self.transcript, info, 32))
