"""A host, or a peer, that does to an encrypted channel what it must not.

Whatever it does, the receiver gets what was sent before, then nothing more and an error; an
actor's other channels go on.
"""

from __future__ import annotations

import random
import struct
from typing import TYPE_CHECKING

import pytest
from tests.sealed import BROKEN, CIPHERS, CLOSE, DATA, HANDSHAKE, TAG, Pair, fields, set_fields
from tests.world import World, received

from eactors.errors import ChannelBroken

if TYPE_CHECKING:
    from collections.abc import Callable

FORGED = "a frame failed authentication"


def check_broken(world: World, pair: Pair, words: str = FORGED, to: int = 1) -> None:
    """Check that one side meets the break, and nothing else."""
    end = pair.ends[to]
    with pytest.raises(ChannelBroken, match=words):
        end.receive()
    assert end.receive() is None
    assert end.closed
    other = Pair(world, channel_id=99)
    other.open()
    other.ends[1 - to].send(b"a channel beside it")
    assert received(other.ends[to]) == b"a channel beside it"


def inject(pair: Pair, frame: bytes, to: int) -> None:
    """Put a frame on its way that nobody sent."""
    waiting = pair.waiting(to)
    node = pair.pool.pop_front()
    assert node is not None
    assert pair.mbox(to).push_back(node)
    pair.frame(to, waiting)[12:] = frame[12:]


def test_every_bit_of_a_frame_counts(world: World) -> None:
    """Of lengths, kind, ciphertext and tag; a frame of each cipher, each bit a channel of its own."""
    for cipher in CIPHERS:
        pair = Pair(world, cipher=cipher, node_size=16, capacity=1)
        pair.open()
        pair.ends[0].send(b"twelve bytes")
        frame = bytes(pair.frame(1))
        for bit in range(8 * 12, 8 * (32 + 12 + TAG)):
            if 24 * 8 <= bit < 32 * 8:
                continue  # two words that nobody reads
            world.forget()
            victim = Pair(world, cipher=cipher, node_size=16, capacity=1)
            victim.open()
            victim.ends[0].send(b"twelve bytes")
            assert bytes(victim.frame(1)[12:]) == frame[12:], "the same keys, the same frame"
            victim.frame(1)[bit // 8] ^= 1 << bit % 8
            with pytest.raises(ChannelBroken):
                victim.ends[1].receive()
            assert victim.ends[1].receive() is None


@pytest.mark.parametrize("kind", [CLOSE, HANDSHAKE, 4, 1 << 8, 1 << 31])
def test_a_frame_keeps_its_kind(world: World, kind: int) -> None:
    """No message becomes an end, and no end can be forged."""
    pair = Pair(world)
    pair.open()
    for length in (7, 0):
        pair.ends[0].send(bytes(length))
    set_fields(pair.frame(1), 7 if kind != CLOSE else 0, 0, kind)
    check_broken(world, pair, FORGED if kind == CLOSE else "it received what is no frame")


def test_an_end_is_no_message(world: World) -> None:
    """The other way round."""
    pair = Pair(world)
    pair.open()
    pair.actors[0].stop()
    pair.turn(0)
    assert fields(pair.frame(1)) == (0, 0, CLOSE)
    set_fields(pair.frame(1), 0, 0, DATA)
    check_broken(world, pair)


def test_a_message_is_not_cut(world: World) -> None:
    """Shorter, longer, or without its later frames."""
    for length, rest, words in (
        (6, 0, FORGED),
        (8, 0, FORGED),
        (0, 0, FORGED),
        (7, 1, FORGED),
        (48, 952, FORGED),
        (7, 994, "does not follow"),
        (0, 7, "does not follow"),
        (49, 0, "no frame"),
        (1 << 31, 0, "no frame"),
        ((1 << 32) - 1, (1 << 32) - 1, "no frame"),
        (7, (1 << 32) - 1, "does not follow"),
    ):
        world.forget()
        pair = Pair(world)
        pair.open()
        pair.ends[0].send(b"message")
        set_fields(pair.frame(1), length, rest, DATA)
        check_broken(world, pair, words)


def test_the_end_of_a_long_message_cannot_be_forged(world: World) -> None:
    """Nor its middle left out: nothing of it is delivered."""
    for drop in (0, 1, 2):
        world.forget()
        pair = Pair(world, node_size=16)
        pair.open()
        pair.ends[0].send(b"0123456789abcdef" * 3)
        nodes = [pair.mbox(1).pop_front() for _ in range(3)]
        for number, node in enumerate(nodes):
            assert node is not None
            if number == drop:
                pair.pool.push_front(node)
            else:
                pair.mbox(1).push_back(node)
        pair.ends[0].send(b"next")
        check_broken(world, pair, "does not follow|failed authentication")


@pytest.mark.parametrize("drop", [0, 1, 2])
def test_a_dropped_frame_is_missed(world: World, drop: int) -> None:
    """By the next one."""
    pair = Pair(world)
    pair.open()
    for number in range(4):
        pair.ends[0].send(b"%d" % number)
    nodes = [pair.mbox(1).pop_front() for _ in range(4)]
    for number, node in enumerate(nodes):
        assert node is not None
        if number == drop:
            pair.pool.push_front(node)
        else:
            pair.mbox(1).push_back(node)
    assert [received(pair.ends[1]) for _ in range(drop)] == [b"%d" % number for number in range(drop)]
    check_broken(world, pair)


def test_swapped_frames_are_noticed(world: World) -> None:
    """The first of them is not the one that is expected."""
    pair = Pair(world)
    pair.open()
    for number in range(3):
        pair.ends[0].send(b"%d" % number)
    first, second, third = (pair.mbox(1).pop_front() for _ in range(3))
    for node in (first, third, second):
        assert node is not None
        pair.mbox(1).push_back(node)
    assert received(pair.ends[1]) == b"0"
    check_broken(world, pair)


@pytest.mark.parametrize("later", [0, 1, 2])
def test_a_frame_is_not_delivered_twice(world: World, later: int) -> None:
    """At once or later."""
    pair = Pair(world)
    pair.open()
    pair.ends[0].send(b"pay 100")
    frame = bytes(pair.frame(1))
    for number in range(later):
        pair.ends[0].send(b"%d" % number)
    inject(pair, frame, 1)
    assert [received(pair.ends[1]) for _ in range(later + 1)] == [
        b"pay 100",
        *(b"%d" % n for n in range(later)),
    ]
    check_broken(world, pair)


def test_a_frame_is_not_sent_back(world: World) -> None:
    """The directions have keys of their own."""
    pair = Pair(world)
    pair.open()
    pair.ends[0].send(b"message")
    inject(pair, bytes(pair.frame(1)), 0)
    check_broken(world, pair, to=0)


def test_a_frame_stays_in_its_channel(world: World) -> None:
    """Even where two have the same keys, which no key exchange gives."""
    pair, other = Pair(world, channel_id=1), Pair(world, channel_id=2)
    pair.open()
    other.open()
    pair.ends[0].send(b"message")
    other.ends[0].send(b"message")
    other.frame(1)[12:] = bytes(pair.frame(1)[12:])
    assert received(pair.ends[1]) == b"message"
    check_broken(world, other)


def test_a_frame_of_another_run_does_not_open(world: World) -> None:
    """What was recorded under other keys."""
    old, new = Pair(world), Pair(world, number=1)
    old.open()
    new.open()
    old.ends[0].send(b"message")
    inject(new, bytes(old.frame(1)), 1)
    check_broken(world, new)


def test_a_frame_of_noise_breaks_the_channel(world: World) -> None:
    """Printed: the seed."""
    seed = 20
    print(f"seed {seed}")  # noqa: T201
    source = random.Random(seed)
    for _ in range(20):
        world.forget()
        pair = Pair(world)
        pair.open()
        frame = bytearray(source.randbytes(32 + 48 + TAG))
        struct.pack_into(
            "<III", frame, 12, source.randrange(60), source.randrange(3), source.choice((0, 1, 2, 3, 9))
        )
        inject(pair, bytes(frame), 1)
        check_broken(world, pair, "is broken: ")


def test_a_forged_surrender_ends_the_channel_only(world: World) -> None:
    """The host can always do that, and nothing is delivered by it."""
    pair = Pair(world)
    pair.open()
    pair.ends[0].send(b"message")
    set_fields(pair.frame(1), 7, 0, BROKEN)
    check_broken(world, pair, "its peer has given it up")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda frame: set_fields(frame, 32, 0, DATA), "no part of it"),
        (lambda frame: set_fields(frame, 32, 0, CLOSE), "no part of it"),
        (lambda frame: set_fields(frame, 32, 16353, HANDSHAKE), "no part of it"),
        (lambda frame: set_fields(frame, 0, 32, HANDSHAKE), "no part of it"),
        (lambda frame: set_fields(frame, 65, 0, HANDSHAKE), "no part of it"),
        (lambda frame: set_fields(frame, 1 << 31, 0, HANDSHAKE), "no part of it"),
        (lambda frame: set_fields(frame, 31, 0, HANDSHAKE), "a strange hello"),
        (lambda frame: set_fields(frame, 0, 0, HANDSHAKE), "a strange hello"),
        (lambda frame: frame.__setitem__(40, 9), "a strange hello"),
        (lambda frame: set_fields(frame, 32, 0, BROKEN), "its peer has given it up"),
    ],
)
def test_a_changed_key_exchange_breaks_the_channel(
    world: World, change: Callable[[memoryview], None], words: str
) -> None:
    """Its frames are plain, and bounded all the same."""
    pair = Pair(world)
    pair.turn(0)
    change(pair.frame(1))
    pair.turn(1)
    check_broken(world, pair, words)


def test_a_late_message_of_the_exchange_is_refused(world: World) -> None:
    """Between data frames there is none."""
    pair = Pair(world)
    pair.turn(0)
    hello = bytes(pair.frame(1))
    pair.turns(2)
    inject(pair, hello, 1)
    check_broken(world, pair, "it received what is no frame")


def test_a_corrupted_mbox_breaks_the_channel_only(world: World) -> None:
    """An index from outside the pool, when receiving and when sending."""
    for to in (0, 1):
        world.forget()
        pair = Pair(world)
        pair.open()
        pair.ends[0].send(b"message")
        memory = memoryview(world.region)
        if to == 1:
            slot = pair.slot(1, 0)
            memory[slot : slot + 4] = b"\xfe\xff\xff\xff"
            check_broken(world, pair, "shared memory is corrupted")
        else:
            slot = pair.slot(1, 1)
            memory[slot + 4 : slot + 8] = b"\x77\x00\x00\x70"
            with pytest.raises(ChannelBroken, match="shared memory is corrupted"):
                pair.ends[0].send(b"message")
        pair.turns(3)
