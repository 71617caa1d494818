"""Deployments to attest: a machine, its enclaves, their manifest, and the ends of their channels."""

from __future__ import annotations

import copy
import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.fake_platform import FakeCpu

from eactors.attestation.exchange import make_exchange
from eactors.attestation.manifest import Manifest
from eactors.errors import ExchangeFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tests.fake_platform import FakePlatform

    from eactors.attestation.end import End

    Keys = tuple[bytearray, bytearray]

EXCHANGES = ("local-attestation", "sealing", "diffie-hellman")
CIPHERS = {"aes-128-gcm": 16, "aes-256-gcm": 32, "chacha20-poly1305": 32}
SIGNER = hashlib.sha256(b"alice").digest()


def measurement_of(enclave: int) -> bytes:
    """Return what an enclave of these tests measures."""
    return hashlib.sha256(b"enclave %d" % enclave).digest()


def enclave_entry(enclave: int, **changes: Any) -> dict[str, Any]:
    """Return an enclave as a manifest describes it."""
    return {
        "enclave": enclave,
        "name": f"enclave{enclave}",
        "measurement": measurement_of(enclave).hex(),
        "signer": SIGNER.hex(),
        "product_id": 0,
        "security_version": 0,
        "debug": False,
        "platform": "simulation",
        **changes,
    }


def channel_entry(channel: int, enclaves: Iterable[int], exchange: str, cipher: str) -> dict[str, Any]:
    """Return a channel as a manifest describes it."""
    ends = list(enclaves)
    between = [f"Actor{enclave}.channel{channel}" for enclave in ends]
    return {"id": channel, "between": between, "enclaves": ends, "cipher": cipher, "exchange": exchange}


def canonical(value: object) -> bytes:
    """Return the one form of JSON that is hashed and signed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode() + b"\n"


class Deployed:
    """A deployment whose enclaves run.

    Args:
        channels: Pairs of enclaves, side 0 first; a channel's id is its index.
        exchange: The key exchange of them all.
        cipher: The cipher of them all.
        changes: What the manifest says of an enclave other than usual, by id.
        cpu: The machine.

    Attributes:
        fields: The manifest before it is written; a test may change it, and call `written`.
        platforms: What each enclave sees of the machine; as the manifest says, unless changed.
    """

    def __init__(
        self,
        channels: Sequence[tuple[int, int]] = ((1, 2),),
        exchange: str = "local-attestation",
        cipher: str = "aes-128-gcm",
        changes: dict[int, dict[str, Any]] | None = None,
        cpu: FakeCpu | None = None,
    ) -> None:
        enclaves = sorted({enclave for pair in channels for enclave in pair})
        entries = {
            enclave: enclave_entry(enclave, **(changes or {}).get(enclave, {})) for enclave in enclaves
        }
        self.fields: dict[str, Any] = {
            "format": 1,
            "application": "app.py",
            "enclaves": list(entries.values()),
            "channels": [channel_entry(i, pair, exchange, cipher) for i, pair in enumerate(channels)],
        }
        self.cpu = cpu or FakeCpu()
        self.platforms: dict[int, FakePlatform] = {
            enclave: self.cpu.enclave(
                bytes.fromhex(entry["measurement"]),
                bytes.fromhex(entry["signer"]),
                product_id=entry["product_id"],
                security_version=entry["security_version"],
                debug=entry["debug"],
            )
            for enclave, entry in entries.items()
        }

    def written(self) -> Manifest:
        """Return the manifest, as an enclave reads it."""
        return Manifest(canonical(self.fields))

    def end(self, channel: int, side: int, manifest: Manifest | None = None) -> End:
        """Return one end of a channel, not begun."""
        entry = self.fields["channels"][channel]
        own, peer = entry["enclaves"][side], entry["enclaves"][1 - side]
        planned = {
            **{key: entry[key] for key in ("exchange", "cipher")},
            "side": side,
            "channel": channel,
            "peer_enclave": peer,
            "roots": [self.cpu.authority.root],
        }
        return make_exchange(planned, manifest or self.written(), own, self.platforms[own])

    def ends(self, channel: int = 0) -> tuple[End, End]:
        """Return both ends of a channel, not begun."""
        return self.end(channel, 0), self.end(channel, 1)


def talk(
    ends: tuple[Callable[..., Any], Callable[..., Any]],
    carry: Callable[[int, int, bytes], bytes] = lambda _side, _index, frame: frame,
) -> list[Keys | None]:
    """Carry messages between two ends, in order, until nobody has anything to say.

    Args:
        ends: Both sides.
        carry: What arrives of message ``index`` (from 0) of ``side``.

    Returns:
        The keys of each side.
    """
    keys: list[Keys | None] = [None, None]
    sent = [0, 0]
    waiting: list[tuple[int, bytes | None]] = [(0, None), (1, None)]
    while waiting:
        side, frame = waiting.pop(0)
        messages, agreed = ends[side](frame)
        keys[side] = agreed or keys[side]
        for message in messages:
            waiting.append((1 - side, carry(side, sent[side], message)))
            sent[side] += 1
    return keys


def clone(end: End) -> End:
    """Return an end in the same state, whose secrets are wiped apart."""
    twin = copy.copy(end)
    twin.private, twin.secret = bytearray(end.private), bytearray(end.secret)
    return twin


def agreed(keys: Sequence[Keys | None]) -> bool:
    """Tell whether both sides have keys, and what one sends with the other receives with."""
    first, second = keys
    return bool(first and second and first == second[::-1] and first[0] != first[1])


def begun(ends: tuple[End, End]) -> tuple[bytes, bytes]:
    """Begin both ends; their hellos."""
    return ends[0](None)[0][0], ends[1](None)[0][0]


def refused(end: End, frame: bytes, words: str) -> None:
    """The end refuses the frame with these words, has no secrets left, and stays so."""
    with pytest.raises(ExchangeFailed, match=words):
        end(frame)
    over(end, "failed")


def over(end: End, state: str) -> None:
    """The end answers nothing any more, and has no secrets left."""
    assert not any(end.private)
    assert not any(end.secret)
    with pytest.raises(ExchangeFailed, match=f"out of turn: this end is {state}"):
        end(None)
