"""Encrypted channels: the key exchange, messages, and the end."""

from __future__ import annotations

import random
import sys

import pytest
from tests.sealed import CIPHERS, CLOSE, DATA, HANDSHAKE, Exchange, Pair, fields, idle
from tests.world import World, received

from eactors import _native
from eactors.errors import ChannelBroken, MessageTooLarge


@pytest.mark.parametrize("cipher", CIPHERS)
def test_messages_of_all_sizes_arrive(world: World, cipher: str) -> None:
    """In order, in both directions, in one frame or many, more than there is room for."""
    pair = Pair(world, cipher=cipher)
    source = random.Random(1)
    for end in pair.ends:
        end.send(b"sent before there are keys")
    pair.open()
    messages = [source.randbytes(size) for size in (0, 1, 47, 48, 49, 96, 97, 1000, *range(0, 200, 7))]
    for side in (0, 1):
        for message in messages:
            pair.ends[side].send(message)
    for side in (0, 1):
        arrived: list[bytes] = []
        for _ in range(300):
            found = received(pair.ends[1 - side])
            if found is None:
                pair.turns()
            else:
                arrived.append(found)
        assert arrived == [b"sent before there are keys", *messages]


def test_what_lies_in_shared_memory_is_ciphertext(world: World) -> None:
    """Its length shows; a frame of kind 0 with the tag behind it."""
    pair = Pair(world)
    pair.open()
    pair.ends[0].send(b"attack at dawn, and not one minute later")
    frame = pair.frame(1)
    assert fields(frame) == (40, 0, DATA)
    assert b"dawn" not in bytes(memoryview(world.region))
    assert received(pair.ends[1]) == b"attack at dawn, and not one minute later"


def test_a_frame_is_as_specified(world: World) -> None:
    """Nonce, associated data and key, done by hand."""
    pair = Pair(world, channel_id=0x0102030405, number=0x0A0B)
    pair.open()
    for side in (0, 1):
        pair.ends[side].send(b"x" * 50)
        for number, (length, rest) in enumerate(((48, 2), (2, 0)), 0x0A0B):
            frame = pair.frame(1 - side, number - 0x0A0B)
            aad = (0x0102030405).to_bytes(8, "little") + bytes([side, DATA, 0, 0])
            aad += length.to_bytes(4, "little") + rest.to_bytes(4, "little")
            aad += number.to_bytes(8, "little") + bytes(4)
            key = _native.hkdf(b"%d" % side, b"", b"", 16)
            sealed = bytes(frame[32 : 32 + length + 16])
            nonce = bytes(4) + number.to_bytes(8, "big")
            assert fields(frame) == (length, rest, DATA)
            assert _native.aead_open("aes-128-gcm", key, nonce, sealed, aad) == b"x" * length
        assert received(pair.ends[1 - side]) == b"x" * 50


def test_no_key_sees_a_number_twice(world: World) -> None:
    """In random traffic both ways at once, around the change of keys; what travels is recorded."""
    seed, first, change = 30, (1 << 24) - 40, 1 << 24
    print(f"seed {seed}")  # noqa: T201
    dice = random.Random(seed)
    pair = Pair(world, number=first)
    pair.open()
    seen: set[tuple[bytes, bytes]] = set()
    numbers = [first, first]
    while min(numbers) < change + 40:
        for end in pair.ends:
            end.try_send(dice.randbytes(dice.randrange(90)))
        for side in (0, 1):
            for position in range(pair.waiting(1 - side)):
                frame = bytes(pair.frame(1 - side, position))
                (length, rest, kind), number = fields(memoryview(frame)), numbers[side] + position
                key = _native.hkdf(b"%d" % side, b"", b"", 16)
                if number >= change:
                    key = _native.hkdf(key, b"", b"eactors next key", 16)
                aad = (7).to_bytes(8, "little") + bytes([side, kind, 0, 0]) + length.to_bytes(4, "little")
                aad += rest.to_bytes(4, "little") + number.to_bytes(8, "little") + bytes(4)
                nonce = number.to_bytes(12, "big")
                _native.aead_open("aes-128-gcm", key, nonce, frame[32 : 48 + length], aad)
                assert (bytes(key), nonce) not in seen
                seen.add((bytes(key), nonce))
            numbers[side] += pair.waiting(1 - side)
            while received(pair.ends[1 - side]) is not None:
                pass
    assert len(seen) == sum(numbers) - 2 * first


@pytest.mark.parametrize("before", range(4))
def test_keys_are_replaced_on_the_way(world: World, before: int) -> None:
    """After 2^24 frames, at both ends alike, also in the middle of a message."""
    pair = Pair(world, number=(1 << 24) - before)
    pair.open()
    for _ in range(3):
        for side in (0, 1):
            pair.ends[side].send(b"a message of three frames" * 5)
            assert received(pair.ends[1 - side]) == b"a message of three frames" * 5


def test_a_channel_whose_numbers_are_used_up_is_broken(world: World) -> None:
    """No nonce comes twice, whatever that costs."""
    pair = Pair(world, number=(1 << 64) - 2)
    pair.open()
    one, two = pair.ends
    one.send(b"the last")
    assert received(two) == b"the last"
    with pytest.raises(ChannelBroken, match="its frame numbers are used up"):
        one.send(b"one more")
    pair.turn(0)
    with pytest.raises(ChannelBroken, match="'line' to 'One' is broken: its peer has given it up"):
        two.receive()


def test_the_exchange_runs_as_the_actor(world: World) -> None:
    """It is called first with None, then with what the peer sent; its keys are wiped."""
    pair = Pair(world)
    assert [exchange.seen for exchange in pair.exchanges] == [[], []]
    pair.open()
    for side, exchange in enumerate(pair.exchanges):
        assert exchange.seen == [None, bytes([1 - side]) * 32]
        assert exchange.actors == [pair.actors[side].name] * 2
        assert exchange.given == (bytes(16), bytes(16))
    references = sys.getrefcount(pair.exchanges[0]), sys.getrefcount(Exchange(0))
    assert references[0] <= references[1] + 2, "the carrier keeps an exchange that is over"


@pytest.mark.parametrize("capacity", [1, 2, 64])
@pytest.mark.parametrize("size", [0, 32, 1024])
def test_long_hellos_pass_through_small_channels(world: World, capacity: int, size: int) -> None:
    """Both at once: neither waits for the other to make room."""
    pair = Pair(
        world, capacity=capacity, node_size=16, exchanges=(Exchange(0, size=size), Exchange(1, size=size))
    )
    one, two = pair.ends
    one.send(b"behind it")
    two.send(b"here, too")
    pair.turns(40)
    assert received(two) == b"behind it"
    assert received(one) == b"here, too"


def test_hellos_travel_as_handshake_frames(world: World) -> None:
    """Plain, and cut like any long message."""
    pair = Pair(world, exchanges=(Exchange(0, size=100), Exchange(1, size=100)))
    pair.turn(0)
    assert [fields(pair.frame(1, at)) for at in (0, 1)] == [(64, 36, HANDSHAKE), (36, 0, HANDSHAKE)]
    assert bytes(pair.frame(1)[32:]) == bytes(64)


@pytest.mark.parametrize("late", [0, 1])
def test_an_exchange_goes_on_whatever_the_actor_does(world: World, late: int) -> None:
    """Here one that has stopped, with a message that waits, before there are keys."""
    pair = Pair(world, bodies=(idle, idle))
    pair.ends[late].send(b"last words")
    pair.actors[late].stop()
    pair.turns(4)
    other = pair.ends[1 - late]
    assert received(other) == b"last words"
    assert received(other) is None
    assert other.closed
    assert other.broken is None
    assert ("finished", pair.actors[late].name, None) in world.reported


def test_a_channel_ends_with_a_sealed_frame(world: World) -> None:
    """So the host cannot end it."""
    pair = Pair(world)
    pair.open()
    pair.actors[0].stop()
    pair.turn(0)
    assert fields(pair.frame(1)) == (0, 0, CLOSE)
    pair.ends[1].send(b"on its way")
    assert received(pair.ends[1]) is None
    assert pair.ends[1].closed
    assert pair.ends[1].broken is None
    pair.ends[1].send(b"to nobody")
    pair.turns(3)
    assert world.reported == [("finished", "One", None)]


def test_nothing_after_the_end_is_looked_at(world: World) -> None:
    """The keys are gone by then."""
    pair = Pair(world)
    pair.open()
    pair.actors[0].stop()
    pair.turn(0)
    pair.turn(1)
    assert received(pair.ends[1]) is None
    node = pair.pool.pop_front()
    assert node is not None
    pair.mbox(1).push_back(node)
    pair.turns(2)
    assert received(pair.ends[1]) is None
    assert pair.ends[1].broken is None


def test_a_created_cargo_is_private(world: World) -> None:
    """It is filled in private memory, so the host never sees it."""
    pair = Pair(world)
    pair.open()
    one, two = pair.ends
    cargo = one.create(6)
    cargo.view[:] = b"secret"
    assert b"secret" not in bytes(memoryview(world.region))
    one.send(cargo)
    arrived = two.receive()
    assert arrived is not None
    assert arrived.view.readonly
    two.send(arrived)
    assert received(one) == b"secret"
    with pytest.raises(MessageTooLarge):
        one.create(1001)


def test_try_send_says_whether_there_is_room(world: World) -> None:
    """Before there are keys, as much as there will be then."""
    pair = Pair(world)
    one, two = pair.ends
    assert [one.try_send(b"%d" % number) for number in range(6)] == [True] * 4 + [False] * 2
    pair.turns(3)
    assert not one.try_send(b"full")
    assert [received(two) for _ in range(5)] == [b"0", b"1", b"2", b"3", None]
    assert [one.try_send(b"%d" % number) for number in range(6)] == [True] * 4 + [False] * 2
