"""The link between two servers: what travels, byte by byte, and what a peer must not do."""

from __future__ import annotations

import struct

import pytest

from eactors import _native

FRAME, WORD, CREDIT, ACK = 1, 2, 3, 4
HEADER = struct.Struct(">BBHIIIQQ")
CHANNEL = (5, 4, 10)


def link() -> _native.Link:
    """An end with a connection."""
    made = _native.Link((CHANNEL,))
    assert made.open(0)
    return made


def frame(  # noqa: PLR0913 - a header has as many parts
    what: int = FRAME,
    *,
    kind: int = 0,
    zeros: int = 0,
    channel: int = 5,
    payload: bytes = b"",
    length: int | None = None,
    rest: int = 0,
    number: int = 0,
    received: int = 0,
) -> bytes:
    """A frame as the peer would send it."""
    size = len(payload) if length is None else length
    return HEADER.pack(what, kind, zeros, channel, size, rest, number, received) + payload


def test_a_frame_and_a_word_are_numbered_together() -> None:
    """What is on the wire is what native/link.h says."""
    end = link()
    end.send(5, 1, 77, b"abc")
    end.say(b"bye")
    assert end.data_to_send() == frame(kind=1, rest=77, payload=b"abc") + frame(
        WORD, channel=0, payload=b"bye", number=1
    )
    assert end.data_to_send() == b""


def test_what_has_come_is_acknowledged_by_whatever_is_sent() -> None:
    """Each header says so."""
    end = link()
    assert end.receive_data(frame(payload=b"x") + frame(payload=b"y", number=1)) == [
        (5, 0, 0, b"x"),
        (5, 0, 0, b"y"),
    ]
    end.send(5, 0, 0, b"z")
    assert end.data_to_send() == frame(payload=b"z", received=2)


def test_what_is_acknowledged_is_forgotten() -> None:
    """And nothing else."""
    end = link()
    end.send(5, 0, 0, b"a")
    end.send(5, 0, 0, b"b")
    end.data_to_send()
    assert end.kept == 2 * (HEADER.size + 1)
    end.receive_data(frame(ACK, channel=0, received=1))
    assert end.kept == HEADER.size + 1
    assert not end.settled


def test_room_is_said_when_half_of_it_was_taken() -> None:
    """Not for every frame."""
    end = link()
    end.receive_data(frame() + frame(number=1))
    end.taken(5)
    assert end.data_to_send() == b""
    end.taken(5)
    assert end.data_to_send() == frame(CREDIT, number=6, received=2)


def test_sixteen_frames_are_acknowledged_though_there_is_nothing_to_send() -> None:
    """So that a peer that only sends need not keep more."""
    end = link()
    end.receive_data(b"".join(frame(WORD, channel=0, number=number) for number in range(16)))
    assert end.data_to_send() == frame(ACK, channel=0, received=16)


def test_a_peer_without_room_gets_nothing() -> None:
    """Four frames may be on the way here, and no fifth."""
    end = link()
    for _ in range(4):
        end.send(5, 0, 0, b"")
    assert not end.may_send(5)
    with pytest.raises(ValueError, match="no room"):
        end.send(5, 0, 0, b"")


def test_after_a_break_what_is_missing_comes_again() -> None:
    """Whether or not it had been written before."""
    end = link()
    for payload in (b"a", b"b", b"c"):
        end.send(5, 0, 0, payload)
    end.data_to_send()
    end.lost()
    assert end.data_to_send() == b""
    assert end.open(2)
    assert end.data_to_send() == frame(payload=b"c", number=2)


@pytest.mark.parametrize("received", [0, 4])
def test_a_peer_cannot_have_other_frames_than_it_was_sent(received: int) -> None:
    """Neither fewer than it had already, nor more than there are."""
    end = link()
    for _ in range(3):
        end.send(5, 0, 0, b"")
    end.receive_data(frame(ACK, channel=0, received=1))
    assert not end.open(received)


WRONG = {
    "no type": (frame(0), "what is no frame"),
    "a type that is not there": (frame(5), "what is no frame"),
    "zeros that are none": (frame(zeros=1), "what is no frame"),
    "a channel that is not there": (frame(channel=6), "a frame of no channel between the two"),
    "credit for no channel": (frame(CREDIT, channel=6), "a frame of no channel between the two"),
    "more than a node": (frame(length=11), "a frame that is too long"),
    "a long word": (frame(WORD, length=(1 << 16) + 1), "a frame that is too long"),
    "a long acknowledgement": (frame(ACK, length=1), "a frame that is too long"),
    "a gap": (frame(number=1), "another frame than the next one"),
    "a frame twice": (frame() + frame(), "another frame than the next one"),
    "what was never sent": (frame(ACK, received=1), "that it has what was never sent"),
    "no regard for room": (
        b"".join(frame(number=number) for number in range(5)),
        "more frames than there is room for",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_peer_that_breaks_the_rules_is_found_out(case: str) -> None:
    """With what it did; nothing is taken from it any more."""
    data, words = WRONG[case]
    with pytest.raises(ValueError, match=f"^{words}$"):
        link().receive_data(data)


def test_a_long_frame_in_single_bytes() -> None:
    """A connection may cut anywhere."""
    end, got = link(), []
    for byte in frame(payload=b"0123456789", rest=3):
        got += end.receive_data(bytes((byte,)))
    assert got == [(5, 0, 3, b"0123456789")]
