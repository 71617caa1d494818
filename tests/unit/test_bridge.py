"""What bridges are told by addresses, and say to each other before and besides frames."""

from __future__ import annotations

import math

import pytest

from eactors.bridge.address import PORT, address_of
from eactors.bridge.bridge import wait_until_told, window_of
from eactors.bridge.wire import HELLO_SIZE, NOBODY, Hello, Refused, VersionDiffers, WireError, hello_in
from eactors.bridge.words import Exit, Failed, Finished, pack, unpack
from eactors.deployment.plan import ChannelEnd, PlannedChannel

OURS = Hello(b"d" * 32, 0, 1, b"o" * 16)
THEIRS = Hello(b"d" * 32, 1, 0, b"t" * 16)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("localhost", ("localhost", PORT)),
        ("10.0.0.1", ("10.0.0.1", PORT)),
        ("10.0.0.1:4000", ("10.0.0.1", 4000)),
        ("host.example:1", ("host.example", 1)),
        ("::1", ("::1", PORT)),
        ("[::1]", ("::1", PORT)),
        ("[fe80::2]:65535", ("fe80::2", 65535)),
    ],
)
def test_an_address_may_name_a_port(text: str, address: tuple[str, int]) -> None:
    """And need not."""
    assert address_of(text) == address


@pytest.mark.parametrize("text", ["localhost:0", "localhost:65536"])
def test_a_port_that_there_is_not(text: str) -> None:
    """Sixteen bits, and not zero."""
    with pytest.raises(ValueError, match="is no port"):
        address_of(text)


def test_a_hello_byte_by_byte() -> None:
    """It is there when its last byte is, and not before."""
    hello = THEIRS._replace(known=OURS.run, received=77)
    data = hello.pack()
    assert len(data) == HELLO_SIZE
    assert [hello_in(data[:length]) for length in range(HELLO_SIZE)] == [None] * HELLO_SIZE
    assert hello_in(data + b"more") == hello


def test_another_version_is_told_by_its_first_bytes() -> None:
    """Whatever follows in that version."""
    with pytest.raises(VersionDiffers) as caught:
        hello_in(OURS.pack(version=7)[:10])
    assert caught.value.version == 7


@pytest.mark.parametrize(
    "data", [b"G", b"GET / HTTP/1.1\r\n", b"EACTORT", OURS.pack()[:8] + b"\0\1" + bytes(90)]
)
def test_what_is_no_hello(data: bytes) -> None:
    """Known as early as can be."""
    with pytest.raises(WireError):
        hello_in(data)


@pytest.mark.parametrize(
    ("theirs", "ours", "why"),
    [
        (THEIRS._replace(deployment=b"e" * 32), OURS, "deployment"),
        (THEIRS._replace(server=2), OURS, "server"),
        (THEIRS._replace(peer=2), OURS, "server"),
        (THEIRS._replace(known=b"x" * 16), OURS, "twin"),
        (THEIRS, OURS._replace(known=b"x" * 16), "restarted"),
    ],
)
def test_who_is_refused(theirs: Hello, ours: Hello, why: str) -> None:
    """By what they say, and by what is known of them."""
    with pytest.raises(Refused) as caught:
        theirs.judge(ours)
    assert caught.value.why == why


@pytest.mark.parametrize("known", [NOBODY, OURS.run])
def test_who_is_let_in(known: bytes) -> None:
    """Strangers at first, and then only each other."""
    THEIRS._replace(known=known).judge(OURS)
    THEIRS._replace(known=known).judge(OURS._replace(known=THEIRS.run))


@pytest.mark.parametrize("word", [Finished(), Exit(3), Failed("it broke", "mend it"), Failed("it broke")])
def test_words_arrive_as_they_were_said(word: Finished | Exit | Failed) -> None:
    """All that there are."""
    assert unpack(pack(word)) == word


@pytest.mark.parametrize("content", [b"", b"\xc1", b"\x91\xa4what", b"\x92\xa4exit\xa1x"])
def test_what_is_no_word(content: bytes) -> None:
    """Of an honest bridge."""
    with pytest.raises(WireError):
        unpack(content)


@pytest.mark.parametrize(
    ("capacity", "node", "frames"), [(64, 4096, 64), (5, 16, 8), (64, 1 << 20, 1), (1, 1 << 28, 1)]
)
def test_what_may_be_on_the_way_is_bounded(capacity: int, node: int, frames: int) -> None:
    """By slots, and by bytes; but one frame always may."""
    ends = (ChannelEnd("A", "b"), ChannelEnd("B", "a"))
    channel = PlannedChannel(0, ends, "network", "none", None, capacity, node, node)
    assert window_of(channel) == (frames, node)


class Flaky:
    """A span that is connected after so many looks, and has said all after as many more."""

    def __init__(self, looks: float) -> None:
        self._left, self._looks = looks, looks
        self.asked = 0

    @property
    def connected(self) -> bool:
        """As a span says it."""
        self._left -= 1
        return self._left <= 0

    @property
    def settled(self) -> bool:
        """As a span says it."""
        self.asked += 1
        return self._left <= -self._looks


def test_who_is_not_connected_at_the_end_is_waited_for() -> None:
    """Its last words may have been lost with the connection."""
    flaky = Flaky(5)
    wait_until_told([flaky], 30)
    assert flaky.settled


def test_who_has_gone_is_not_waited_for_to_the_end() -> None:
    """It does not come again; nor is it waited for who is not expected."""
    gone = Flaky(math.inf)
    wait_until_told([gone], 3600, reunion=0.01)
    wait_until_told([gone], 0.01)
    wait_until_told([], 3600)
    assert gone.asked > 1
