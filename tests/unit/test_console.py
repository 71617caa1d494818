"""The two halves of print(): lines in an enclave, frames on the host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eactors.enclave.console import ConsoleStream
from eactors.enclave.failure import describe
from eactors.system.console import Console

if TYPE_CHECKING:
    from eactors.enclave.link import HostLink


class Link:
    """Remembers what is sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, bytes]] = []

    def send(self, kind: bytes, data: bytes) -> None:
        """Take one text."""
        self.sent.append((kind, data))


@pytest.fixture
def link() -> Link:
    """A link that leads nowhere."""
    return Link()


def stream_to(link: Link) -> ConsoleStream:
    """Make a stream."""
    sink: HostLink = link  # type: ignore[assignment]
    return ConsoleStream(sink, b"o")


def test_a_line_is_sent_when_it_is_complete(link: Link) -> None:
    """However it was written."""
    stream = stream_to(link)
    for piece in ("a", "b\nc", "d", "", "\n\ne"):
        assert stream.write(piece) == len(piece)
    assert link.sent == [(b"o", b"ab\n"), (b"o", b"cd\n\n")]
    stream.finish()
    stream.finish()
    assert link.sent[2:] == [(b"o", b"e\n")]


def test_what_is_no_unicode_is_escaped(link: Link) -> None:
    """A lone surrogate does not fail the actor that prints it."""
    stream_to(link).write("\udc80\n")
    assert link.sent == [(b"o", b"\\udc80\n")]


def frame(kind: bytes, text: bytes, *, sender: int = 1, more: int = 0) -> bytes:
    """Make a frame as an enclave does."""
    return kind + bytes([more]) + sender.to_bytes(2, "big") + text


def test_frames_of_several_senders_do_not_mix(capfd: pytest.CaptureFixture[str]) -> None:
    """Each text is printed whole, when its last frame has come."""
    console = Console(lambda: None)
    for one in (
        frame(b"o", b"aaa", sender=1, more=1),
        frame(b"o", b"bbb", sender=2, more=1),
        frame(b"e", b"error\n", sender=1),
        frame(b"o", b"BBB\n", sender=2),
        frame(b"o", b"AAA\n", sender=1),
    ):
        assert list(console.take(one)) == []
    assert capfd.readouterr() == ("bbbBBB\naaaAAA\n", "error\n")


@pytest.mark.parametrize("junk", [b"", b"o", b"o\0\0", b"x\0\0\1text", b"\xff" * 4])
def test_frames_without_sense_are_dropped(capfd: pytest.CaptureFixture[str], junk: bytes) -> None:
    """Nothing is printed, nothing raised."""
    assert list(Console(lambda: None).take(junk)) == []
    assert capfd.readouterr() == ("", "")


def test_events_are_yielded() -> None:
    """Whole, from several frames."""
    console = Console(lambda: None)
    assert list(console.take(frame(b"j", b'{"a":', more=1))) == []
    assert list(console.take(frame(b"j", b" 1}"))) == [b'{"a": 1}']


def test_an_exception_as_plain_data() -> None:
    """Type, message, frames and cause; a cause that goes in circles ends."""
    inner, outer = KeyError("k"), ValueError("v")
    outer.__cause__, inner.__context__ = inner, outer
    described = describe(outer)
    assert (described["type"], described["message"], described["hint"], described["frames"]) == (
        "ValueError",
        "v",
        None,
        [],
    )
    assert (described["cause"]["type"], described["cause"]["cause"]) == ("KeyError", None)


def test_only_the_last_frames_of_a_deep_recursion() -> None:
    """The report of an endless recursion is bounded."""

    def deeper(n: int) -> None:
        if n == 0:
            raise ValueError(n)
        deeper(n - 1)

    with pytest.raises(ValueError, match="0") as raised:
        deeper(200)
    assert len(describe(raised.value)["frames"]) == 50
