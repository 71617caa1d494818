"""The link between two servers, over connections that break at any byte, in any order of events."""

from __future__ import annotations

from collections import deque

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from eactors import _native

WINDOWS = ((3, 4, 100), (7, 1, 20), (70_000, 64, 40))
"""Channel, frames that may be on the way, bytes in each."""
CHANNELS = [channel for channel, _, _ in WINDOWS]
SIZES = {channel: payload for channel, _, payload in WINDOWS}
HEADER = 32
WORDS = b"word"


class Side:
    """One end, with what it has sent, got and not yet passed on."""

    def __init__(self) -> None:
        self.link = _native.Link(WINDOWS)
        self.sent: dict[int, list[tuple[int, int, bytes]]] = {channel: [] for channel in CHANNELS}
        self.got: dict[int, list[tuple[int, int, bytes]]] = {channel: [] for channel in CHANNELS}
        self.said: list[bytes] = []
        self.heard: list[bytes] = []
        self.held: deque[int] = deque()
        self.wire = b""

    def receive(self, data: bytes) -> None:
        """Take bytes, and keep the events in order."""
        for event in self.link.receive_data(data):
            if len(event) == 1:
                self.heard.append(event[0])
            else:
                channel, kind, rest, payload = event
                self.got[channel].append((kind, rest, payload))
                self.held.append(channel)


class Links(RuleBasedStateMachine):
    """Two ends, and at most one connection between them at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.sides = (Side(), Side())
        self.connected = False

    @precondition(lambda self: not self.connected)
    @rule(first=st.integers(0, 1))
    def connect(self, first: int) -> None:
        """A new connection: both have said hello, whoever has read it first."""
        received = [side.link.received for side in self.sides]
        for at in (first, 1 - first):
            assert self.sides[at].link.open(received[1 - at])
            self.sides[at].wire = b""
        self.connected = True

    @precondition(lambda self: self.connected)
    @rule(data=st.data())
    def cut(self, data: st.DataObject) -> None:
        """The connection breaks: of what was written each end still gets as much as it happens to."""
        for at, side in enumerate(self.sides):
            side.wire += side.link.data_to_send()
            part = data.draw(st.integers(0, len(side.wire)))
            self.sides[1 - at].receive(side.wire[:part])
        for side in self.sides:
            side.link.lost()
            side.wire = b""
        self.connected = False

    @rule(at=st.integers(0, 1), channel=st.sampled_from(CHANNELS), data=st.data())
    def send(self, at: int, channel: int, data: st.DataObject) -> None:
        """An actor's frame; without room none goes."""
        side = self.sides[at]
        if side.link.may_send(channel):
            frame = (
                data.draw(st.integers(0, 3)),
                data.draw(st.integers(0, 2**32 - 1)),
                data.draw(st.binary(max_size=SIZES[channel])),
            )
            side.link.send(channel, *frame)
            side.sent[channel].append(frame)

    @rule(at=st.integers(0, 1), content=st.binary(max_size=8))
    def say(self, at: int, content: bytes) -> None:
        """A word of the bridge."""
        self.sides[at].link.say(content)
        self.sides[at].said.append(content)

    @rule(at=st.integers(0, 1))
    def acknowledge(self, at: int) -> None:
        """At any time, also without a connection."""
        self.sides[at].link.acknowledge()

    @precondition(lambda self: self.connected)
    @rule(at=st.integers(0, 1), data=st.data())
    def carry(self, at: int, data: st.DataObject) -> None:
        """Some bytes arrive, as many as it pleases the network."""
        side = self.sides[at]
        side.wire += side.link.data_to_send()
        part = data.draw(st.integers(0, len(side.wire)))
        arriving, side.wire = side.wire[:part], side.wire[part:]
        self.sides[1 - at].receive(arriving)

    @rule(at=st.integers(0, 1), most=st.integers(1, 8))
    def take(self, at: int, most: int) -> None:
        """An actor takes what has come, and so makes room."""
        side = self.sides[at]
        for _ in range(min(most, len(side.held))):
            side.link.taken(side.held.popleft())

    @invariant()
    def what_came_is_what_was_sent(self) -> None:
        """A prefix of it: nothing twice, nothing missing, nothing out of order."""
        for one, other in (self.sides, self.sides[::-1]):
            for channel in CHANNELS:
                assert other.got[channel] == one.sent[channel][: len(other.got[channel])]
            assert other.heard == one.said[: len(other.heard)]

    @invariant()
    def what_is_kept_is_bounded(self) -> None:
        """By what may be on the way, whatever breaks how often."""
        for side in self.sides:
            frames = sum(frames * 2 * (HEADER + payload) for _, frames, payload in WINDOWS)
            words = sum(HEADER + len(word) for word in side.said)
            assert side.link.kept <= frames + words

    def teardown(self) -> None:
        """With a connection that holds everything arrives, and both know it."""
        if not self.connected:
            self.connect(0)
        for _ in range(2 * max(len(frames) for side in self.sides for frames in side.sent.values()) + 8):
            for at, side in enumerate(self.sides):
                while side.held:
                    side.link.taken(side.held.popleft())
                side.link.acknowledge()
                wire, side.wire = side.wire + side.link.data_to_send(), b""
                self.sides[1 - at].receive(wire)
        for one, other in (self.sides, self.sides[::-1]):
            assert other.got == one.sent
            assert other.heard == one.said
            assert one.link.settled
            assert all(one.link.may_send(channel) for channel in CHANNELS)


Links.TestCase.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
TestLinks = Links.TestCase
