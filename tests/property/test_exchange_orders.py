"""Key exchanges in any topology and any order of delivery, with and without a hostile carrier.

What must hold of every channel, whatever happened to its messages: if one end has keys, then the
other has come to the same transcript and can come to no other keys than these; and both have
keys only if neither was sent anything but what the other said, in its order.
"""

from __future__ import annotations

from collections import deque
from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.attested import CIPHERS, EXCHANGES, Deployed, agreed

from eactors.errors import ExchangeFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from eactors.attestation.end import End, Keys

# The seed is fixed, so that a run is like the other; how long an example takes is the machine's affair.
steady = settings(deadline=None, derandomize=True, max_examples=40)
fierce = settings(steady, max_examples=300)

TOPOLOGIES: dict[str, Callable[[int], list[tuple[int, int]]]] = {
    "chain": lambda size: [(i, i + 1) for i in range(1, size)],
    "ring": lambda size: [(i, i % size + 1) for i in range(1, size + 1)] if size > 2 else [(1, 2)],
    "star": lambda size: [(1, i) for i in range(2, size + 1)],
    "mesh": lambda size: list(combinations(range(1, size + 1), 2)),
}


class Network:
    """All channels of a deployment, begun; messages wait in the order in which they were sent.

    Args:
        deployed: The deployment.
    """

    def __init__(self, deployed: Deployed) -> None:
        manifest = deployed.written()
        self.ends: list[tuple[End, End]] = [
            (deployed.end(channel, 0, manifest), deployed.end(channel, 1, manifest))
            for channel in range(len(deployed.fields["channels"]))
        ]
        self.keys: list[list[Keys | None]] = [[None, None] for _ in self.ends]
        self.waiting: dict[tuple[int, int], deque[bytes | None]] = {
            (channel, side): deque([None]) for channel in range(len(self.ends)) for side in (0, 1)
        }

    def busy(self) -> list[tuple[int, int]]:
        """The ends for which something waits."""
        return [end for end, frames in self.waiting.items() if frames]

    def deliver(self, channel: int, side: int) -> None:
        """Give an end its next message; what it refuses it has refused."""
        frame = self.waiting[channel, side].popleft()
        try:
            messages, keys = self.ends[channel][side](frame)
        except ExchangeFailed:
            return
        self.keys[channel][side] = keys or self.keys[channel][side]
        self.waiting[channel, 1 - side].extend(messages)


@pytest.mark.parametrize("topology", TOPOLOGIES)
@pytest.mark.parametrize("exchange", EXCHANGES)
@steady
@given(data=st.data(), size=st.integers(2, 8), cipher=st.sampled_from(sorted(CIPHERS)))
def test_every_topology_comes_to_keys_in_every_order(
    exchange: str, topology: str, data: st.DataObject, size: int, cipher: str
) -> None:
    """All channels at once, none waiting for another; all keys are different."""
    network = Network(Deployed(TOPOLOGIES[topology](size), exchange=exchange, cipher=cipher))
    dice = data.draw(st.randoms(use_true_random=False))
    while busy := network.busy():
        network.deliver(*dice.choice(busy))
    assert all(agreed(keys) for keys in network.keys)
    sending = {bytes(keys[0]) for pair in network.keys for keys in pair if keys}
    assert len(sending) == 2 * len(network.ends)
    assert {len(key) for key in sending} == {CIPHERS[cipher]}


def test_eight_enclaves_in_a_full_mesh() -> None:
    """28 channels, all of them attested, in 4 rounds: nothing waits for a chain of others."""
    network = Network(Deployed(TOPOLOGIES["mesh"](8)))
    for _ in range(3):
        for channel, side in network.busy():
            network.deliver(channel, side)
    assert len(network.keys) == 28
    assert all(agreed(keys) for keys in network.keys)


CHANGES: dict[str, Callable[[bytes, int], bytes]] = {
    "flip": lambda frame, number: flipped(frame, number % (8 * len(frame))),
    "cut": lambda frame, number: frame[: number % len(frame)],
    "grow": lambda frame, number: frame + bytes(1 + number % 600),
    "invent": lambda frame, number: frame[:4] + number.to_bytes(4, "big") * (len(frame) // 4 - 1),
}
"""What a host can do to the bytes of one message."""

MOVES = ("drop", "twice", "swap", "cross", "reflect")
"""What it can do to whole messages."""


@pytest.mark.parametrize("exchange", EXCHANGES)
@fierce
@given(data=st.data())
def test_a_hostile_carrier_never_makes_two_ends_differ(exchange: str, data: st.DataObject) -> None:
    """Three enclaves, two of them with two channels; some messages are tampered with, some are not."""
    network = Network(Deployed([(1, 2), (1, 2), (2, 3), (3, 1)], exchange=exchange))
    dice = data.draw(st.randoms(use_true_random=False))
    attacks = data.draw(st.lists(st.sampled_from([*CHANGES, *MOVES]), max_size=6))
    touched: set[int] = set()
    turns = 0
    while busy := network.busy():
        turns += 1
        if turns > 4 and attacks and dice.random() < 0.5:
            touched |= attack(
                network, attacks.pop(), dice.choice(busy), dice.choice(busy), dice.getrandbits(32)
            )
        elif busy := network.busy():
            network.deliver(*dice.choice(busy))
    for channel, ends in enumerate(network.ends):
        keys = network.keys[channel]
        if any(keys):
            assert ends[0].transcript == ends[1].transcript
        if all(keys):
            assert agreed(keys)
        elif channel not in touched:
            pytest.fail(f"channel {channel} was left alone and has no keys")


def attack(
    network: Network, what: str, where: tuple[int, int], elsewhere: tuple[int, int], number: int
) -> set[int]:
    """Do something to the next message for an end; the channels that it was done to."""
    frames, others = network.waiting[where], network.waiting[elsewhere]
    frame = frames[0]
    if not frame:
        return set()  # the beginning is not the host's to touch, and nothing can be left of nothing
    if what in CHANGES:
        frames[0] = CHANGES[what](frame, number)
    elif what == "drop":
        frames.popleft()
    elif what == "twice":
        frames.appendleft(frame)
    elif what == "swap":
        frames.rotate()
    elif what == "reflect":
        network.waiting[where[0], 1 - where[1]].append(frame)
    elif others and others[0]:
        frames[0], others[0] = others[0], frame
    return {where[0], elsewhere[0]}


def flipped(frame: bytes, bit: int) -> bytes:
    """Return the frame with one bit flipped."""
    changed = bytearray(frame)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)
