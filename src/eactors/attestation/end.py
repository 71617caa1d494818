"""One end of a key exchange: it runs a table, and does no I/O.

A subclass is a protocol. Its tables say, per side, what may arrive in which state, what is
then done, and which state follows; whatever is not in the table is refused. A step that
raises leaves the end FAILED, and whoever is DONE or FAILED stays so and has no secrets.

The transcript is one hash over all that both ends must mean alike. Every proof covers it and
every key is derived from it, so two ends that differ in any of it cannot agree: not with
another channel, another manifest, another cipher, an earlier run, nor with roles exchanged.

A message is four bytes, (version, exchange, kind, sender's side), and a body whose length
its kind decides.
"""

from __future__ import annotations

import os

from eactors import _native
from eactors.errors import ExchangeFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ClassVar

    from eactors.attestation.manifest import EnclaveEntry, Manifest
    from eactors.platform.base import Platform

    Messages = tuple[bytes, ...]
    Keys = tuple[bytearray, bytearray]
    Row = tuple[Callable[[Any, bytes], Messages], str]
    Table = dict[tuple[str, int], Row]

VERSION = 1

BEGIN, HELLO, REPORT, SECRET, CONFIRMATION, QUOTE = range(6)
"""Kinds of messages; BEGIN is the caller's, and never travels."""

START, DONE, FAILED = "not begun", "done", "failed"

KEY_BYTES = {"aes-128-gcm": 16, "aes-256-gcm": 32, "chacha20-poly1305": 32}
"""Length of a key, by cipher."""

_WORDS = ("start", "hello", "report", "sealed secret", "confirmation", "quote")
_LENGTHS = {HELLO: (32,), REPORT: (432,), SECRET: (48,), CONFIRMATION: (32,), QUOTE: range(1024, 1 << 14)}
_HEADER = 4


def new_key_pair() -> tuple[bytearray, bytes]:
    """A fresh X25519 private key, and its public."""
    return _native.x25519_generate()


def new_random() -> bytes:
    """32 fresh random bytes."""
    return os.urandom(32)


class End:
    """One end of one exchange on one channel; for the arguments see `make_exchange`."""

    NUMBER: ClassVar[int]
    """What messages call this exchange."""

    TABLES: ClassVar[tuple[Table, Table]]
    """By side: {(state, kind): (step, next state)}."""

    def __init__(self, entry: dict[str, Any], manifest: Manifest, own: int, platform: Platform) -> None:
        side, cipher, peer = entry["side"], entry["cipher"], entry["peer_enclave"]
        entries = [manifest.enclave(own), manifest.enclave(peer)]
        self.own, self.expected = (entry.identity for entry in entries)
        self.side, self.cipher, self.platform, self.peer = side, cipher, platform, f"enclave {peer}"
        head = bytes((self.NUMBER, len(cipher))) + cipher.encode() + entry["channel"].to_bytes(8, "big")
        self.terms = (b"eactors exchange 1", head, manifest.digest, *self.in_order(*map(_who, entries)))
        self.state, self.hello, self.transcript = START, b"", b""
        self.private, self.secret = bytearray(), bytearray()

    def __call__(self, frame: bytes | None) -> tuple[Messages, Keys | None]:
        """Take one step.

        Args:
            frame: A message of the peer; None to begin.

        Returns:
            Messages for the peer; and the keys to send and to receive with, once they are agreed.

        Raises:
            ExchangeFailed: The peer, or who carries its messages, did what no honest one does.
        """
        state, self.state = self.state, FAILED
        try:
            kind, body = (BEGIN, b"") if frame is None else self._parsed(frame)
            step, following = self._row(state, kind)
            messages = step(self, body)
            keys = self._keys() if following == DONE else None
            self.state = following
        except ExchangeFailed:
            raise
        except Exception as error:
            raise ExchangeFailed(f"the key exchange with {self.peer} failed here: {error}") from error
        finally:
            if self.state in (DONE, FAILED):
                _native.wipe(self.private, self.secret)
        return messages, keys

    def in_order(self, own: Any, peer: Any) -> tuple[Any, Any]:
        """What is this end's and what is the other's, side 0's first."""
        return (own, peer) if self.side == 0 else (peer, own)

    def say(self, kind: int, body: bytes) -> bytes:
        """A message of this end."""
        return bytes((VERSION, self.NUMBER, kind, self.side)) + body

    def meet(self, hello: bytes) -> Messages:
        """Fix the transcript, now that both ends have said hello."""
        if hello == self.hello:
            raise ExchangeFailed(f"this enclave's own hello came back to it as that of {self.peer}")
        self.transcript = _native.sha256(*self.terms, *self.in_order(self.hello, hello))
        return ()

    def _keys(self) -> Keys:
        infos = self.in_order(b"eactors key 0->1", b"eactors key 1->0")
        length = KEY_BYTES[self.cipher]
        send, receive = (_native.hkdf(self.secret, self.transcript, info, length) for info in infos)
        return send, receive

    def _parsed(self, frame: bytes) -> tuple[int, bytes]:
        if len(frame) < _HEADER or (frame[0], frame[1]) != (VERSION, self.NUMBER):
            raise ExchangeFailed(f"{self.peer} speaks another key exchange, or another version of it")
        kind, side, body = frame[2], frame[3], frame[_HEADER:]
        if side != 1 - self.side:
            raise ExchangeFailed(
                f"{self.peer} claims side {side} of the channel, or an own message came back"
            )
        if len(body) not in _LENGTHS.get(kind, ()):
            raise ExchangeFailed(f"{self.peer} sent no message that there is: kind {kind}, {len(body)} bytes")
        return kind, body

    def _row(self, state: str, kind: int) -> Row:
        row = self.TABLES[self.side].get((state, kind))
        if row is None:
            raise ExchangeFailed(f"the {_WORDS[kind]} of {self.peer} came out of turn: this end is {state}")
        return row


def _who(entry: EnclaveEntry) -> bytes:
    return entry.enclave.to_bytes(4, "big") + entry.identity.measurement
