"""Key exchange ``sealing``: a secret that only enclaves of one signer can open.

Side 0 chooses it and seals it under the signer's sealing key, which side 1 can ask its
processor for, too. That proves signer and product id, not the measurement: any enclave of
that signer could answer. Whoever gets that sealing key later can read what was recorded
before.
"""

from __future__ import annotations

from eactors import _native
from eactors.attestation import end
from eactors.attestation.confirmation import Confirming
from eactors.attestation.end import BEGIN, CONFIRMATION, DONE, HELLO, SECRET, START
from eactors.attestation.identity import own_identity
from eactors.attestation.key_request import TO_SIGNER, seal_key_request
from eactors.errors import ExchangeFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from eactors.attestation.end import Messages

HELLO_SENT, HELLOS_SAID = "waiting for the hello", "waiting for the sealed secret"
CONFIRMATION_AWAITED = "waiting for the confirmation"

_HINT = "use local-attestation for this channel"


class Sealing(Confirming):
    """Both send a nonce; side 0 sends a sealed secret, and side 1 shows that it could open it."""

    NUMBER = 2

    def send_nonce(self, _body: bytes) -> Messages:
        """Send a fresh nonce, unless there can be no common key."""
        for name in ("signer", "product_id", "debug", "simulated"):
            if getattr(self.own, name) != getattr(self.expected, name):
                words = f"{self.peer} has another {name.replace('_', ' ')} in the manifest than this enclave"
                raise ExchangeFailed(f"{words}: they have no sealing key in common", hint=_HINT)
        self.hello = end.new_random()
        return (self.say(HELLO, self.hello),)

    def send_secret(self, hello: bytes) -> Messages:
        """Choose a secret, and seal it."""
        self.meet(hello)
        self.secret = bytearray(end.new_random())
        return (self.say(SECRET, _native.aead_seal(*self._under(), self.secret, self.transcript)),)

    def open_secret(self, sealed: bytes) -> Messages:
        """Open the secret, and show it."""
        try:
            self.secret = bytearray(_native.aead_open(*self._under(), sealed, self.transcript))
        except ValueError:
            why = "changed, or of another signer, another channel, another manifest or an earlier run"
            raise ExchangeFailed(f"the sealed secret of {self.peer} cannot be opened: it is {why}") from None
        return self.confirm()

    def _under(self) -> tuple[str, bytes, bytes]:
        version = min(self.own.security_version, self.expected.security_version)
        key_id = _native.sha256(b"eactors sealing 1", self.transcript)
        cpu_svn = own_identity(self.platform).cpu_svn
        key = self.platform.key(seal_key_request(TO_SIGNER, key_id, version, cpu_svn))
        # The nonce may be zero: both ends' fresh nonces are in the key id, so a key seals once.
        return "aes-128-gcm", key, bytes(12)

    TABLES = (
        {
            (START, BEGIN): (send_nonce, HELLO_SENT),
            (HELLO_SENT, HELLO): (send_secret, CONFIRMATION_AWAITED),
            (CONFIRMATION_AWAITED, CONFIRMATION): (Confirming.confirmed, DONE),
        },
        {
            (START, BEGIN): (send_nonce, HELLO_SENT),
            (HELLO_SENT, HELLO): (Confirming.meet, HELLOS_SAID),
            (HELLOS_SAID, SECRET): (open_secret, DONE),
        },
    )


EXCHANGE = Sealing
