"""The three key exchanges; each reads as its table.

`LocalAttestation`: X25519 between two enclaves that have proved who they are. Each sends a
report made for the other, whose data is the hash of the sender's side and of the transcript:
so a report is good for one peer, channel, manifest, run and direction.

`Sealing`: side 0 chooses a secret and seals it under the signer's sealing key, which side 1
can ask its processor for, too. That proves signer and product id, not the measurement: any
enclave of that signer could answer. Whoever gets that sealing key later can read what was
recorded before.

`DiffieHellman`: X25519 attested by nobody. A host that only listens learns nothing; one that
answers in the peer's place is not noticed, so a deployment must ask for it as insecure.
"""

from __future__ import annotations

from eactors import _native
from eactors.attestation import end
from eactors.attestation.end import BEGIN, CONFIRMATION, DONE, HELLO, REPORT, SECRET, START, End
from eactors.attestation.identity import TO_SIGNER, check_report, own_identity, seal_key_request, target_info
from eactors.errors import ExchangeFailed, ReportInvalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

    from eactors.attestation.end import Messages, Table
    from eactors.attestation.manifest import Manifest
    from eactors.platform.base import Platform

HELLO_SENT, HELLOS_SAID = "waiting for the hello", "waiting for the sealed secret"
REPORT_SENT, CONFIRMATION_AWAITED = "waiting for the report", "waiting for the confirmation"

_HINT = "use local-attestation for this channel"


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


class LocalAttestation(DiffieHellman):
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
        (START, BEGIN): (DiffieHellman.send_public, HELLO_SENT),
        (HELLO_SENT, HELLO): (send_report, REPORT_SENT),
        (REPORT_SENT, REPORT): (check_peer, DONE),
    }
    TABLES = (TABLE, TABLE)


class Sealing(End):
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
            (CONFIRMATION_AWAITED, CONFIRMATION): (End.confirmed, DONE),
        },
        {
            (START, BEGIN): (send_nonce, HELLO_SENT),
            (HELLO_SENT, HELLO): (End.meet, HELLOS_SAID),
            (HELLOS_SAID, SECRET): (open_secret, DONE),
        },
    )


EXCHANGES: dict[str, type[End]] = {
    "local-attestation": LocalAttestation,
    "sealing": Sealing,
    "diffie-hellman": DiffieHellman,
}


def make_exchange(
    kind: str,
    *,
    side: int,
    channel: int,
    cipher: str,
    manifest: Manifest,
    own: int,
    peer: int,
    platform: Platform,
) -> End:
    """One end of a key exchange.

    Args:
        kind: ``local-attestation``, ``sealing`` or ``diffie-hellman``.
        side: Which end of the channel this is, 0 or 1.
        channel: The channel's id in the manifest.
        cipher: Its cipher.
        manifest: The manifest, whose signatures have been checked.
        own: This enclave's id.
        peer: The other's.
        platform: What reports and sealing keys come from.

    Returns:
        What is called with None first, and then with each message received; see `End.__call__`.

    Raises:
        ExchangeFailed: The image and the manifest differ about this channel: the owners have
            signed another deployment than this enclave is part of.
        ManifestRejected: The manifest has no such channel.
    """
    entry = manifest.channel(channel)
    said = (entry.exchange, entry.cipher, *entry.enclaves)
    planned = (kind, cipher, *((own, peer) if side == 0 else (peer, own)))
    if planned != said or kind not in EXCHANGES or cipher not in end.KEY_BYTES:
        raise ExchangeFailed(
            f"channel {channel} is {planned} in this enclave's image and {said} in the manifest"
        )
    return EXCHANGES[kind](side, channel, cipher, manifest, own, peer, platform)
