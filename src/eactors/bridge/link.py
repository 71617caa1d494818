"""One end of the link between two servers: a state machine that does no I/O.

It is told what comes from a connection, and says what to write to it; connections may break
at any byte and follow each other, and still what one end sends the other gets once and in
order. Whatever matters is numbered. Each side keeps what it has sent until the other says
that it has it, and after a break sends again what the other lacks.

What is kept is bounded by credit: of each channel the receiver says how many frames may ever
be sent, and says more only as its actor takes them. As that is a total, saying it twice, or
losing a saying that a later one repeats, changes nothing.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from eactors.bridge.wire import (
    ACK,
    CREDIT,
    FRAME,
    HEADER,
    HELLO_SIZE,
    NOBODY,
    WORD,
    Hello,
    WireError,
    hello_in,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

CLOSED, GREETING, OPEN = "closed", "greeting", "open"
"""No connection; one on which the peer has not said hello; one that carries frames."""

ACK_EVERY = 16
"""Frames after which an acknowledgement goes out though there is nothing else to send."""

_MOST_WORD = 1 << 16
_HEAD = HEADER.size


class Window(NamedTuple):
    """What both ends know of a channel from the deployment: frames on the way at first, bytes in each."""

    frames: int
    payload: int


class Frame(NamedTuple):
    """A frame of a channel has come."""

    channel: int
    kind: int
    rest: int
    payload: bytes


class Word(NamedTuple):
    """The other bridge says something."""

    content: bytes


class Refused(WireError):  # noqa: N818 - it names what happened
    """The peer's hello was understood, and it is not whom this end can be linked with.

    Attributes:
        why: "deployment", "server", "restarted" or "twin".
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Link:
    """One end of a link.

    Args:
        hello: What this end says of itself.
        windows: Its channels.

    Attributes:
        state: Of the connection.
        peer_run: The peer's process, once it is known.
    """

    def __init__(self, hello: Hello, windows: Mapping[int, Window]) -> None:
        self.state = CLOSED
        self.peer_run = NOBODY
        self._hello = hello
        self._windows = dict(windows)
        self._buffer = b""
        self._out: list[bytes] = []
        self._kept: deque[bytes] = deque()
        self._acked = self._next = 0  # numbers of the first frame that is kept, and of the next one
        self._expected = self._reported = 0
        self._sent = dict.fromkeys(windows, 0)
        self._limit = {channel: window.frames for channel, window in windows.items()}
        self._got = dict.fromkeys(windows, 0)
        self._allowed = dict(self._limit)
        self._free = dict.fromkeys(windows, 0)

    # ---- connections ----

    def begin(self) -> None:
        """There is a new connection, and nothing on it yet."""
        self.state, self._buffer = GREETING, b""
        self._reported = self._expected
        self._out = [self.greeting()]

    def greeting(self) -> bytes:
        """This end's hello, as it is now."""
        return self._hello._replace(known=self.peer_run, received=self._expected).pack()

    def lost(self) -> None:
        """The connection is no more."""
        self.state, self._buffer, self._out = CLOSED, b"", []

    def judge(self, hello: Hello) -> None:
        """See whether this end can be linked with whoever says that.

        Raises:
            Refused: It cannot.
        """
        ours = self._hello
        if hello.deployment != ours.deployment:
            raise Refused("deployment")
        if (hello.server, hello.peer) != (ours.peer, ours.server):
            raise Refused("server")
        if hello.known not in (NOBODY, ours.run):
            raise Refused("twin")
        if self.peer_run not in (NOBODY, hello.run):
            raise Refused("restarted")

    # ---- sending ----

    def may_send(self, channel: int) -> bool:
        """Whether the peer has room for a frame of this channel."""
        return self._sent[channel] < self._limit[channel]

    def send(self, channel: int, kind: int, rest: int, payload: bytes) -> None:
        """Send a frame, for which there must be room."""
        assert self._sent[channel] < self._limit[channel]
        self._sent[channel] += 1
        self._keep(FRAME, kind, channel, rest, payload)

    def say(self, content: bytes) -> None:
        """Say something to the other bridge."""
        assert len(content) <= _MOST_WORD
        self._keep(WORD, 0, 0, 0, content)

    def _keep(self, what: int, kind: int, channel: int, rest: int, payload: bytes) -> None:
        expected = self._expected
        data = HEADER.pack(what, kind, 0, channel, len(payload), rest, self._next, expected) + payload
        self._next += 1
        self._kept.append(data)
        if self.state == OPEN:
            self._out.append(data)
            self._reported = expected

    def acknowledge(self) -> None:
        """Say what has been received, and that this end is alive."""
        if self.state == OPEN:
            self._tell(ACK, 0, 0)

    @property
    def owes(self) -> bool:
        """Whether something was received that the peer does not know of."""
        return self._reported < self._expected

    @property
    def settled(self) -> bool:
        """Whether the peer has all that was sent."""
        return not self._kept

    @property
    def wants_to_send(self) -> bool:
        """Whether there is something to write."""
        return bool(self._out)

    def data_to_send(self) -> bytes:
        """What is to be written to the connection now; it is never asked for again."""
        out, self._out = self._out, []
        return out[0] if len(out) == 1 else b"".join(out)

    def _tell(self, what: int, channel: int, number: int) -> None:
        self._out.append(HEADER.pack(what, 0, 0, channel, 0, 0, number, self._expected))
        self._reported = self._expected

    # ---- receiving ----

    def consumed(self, channel: int) -> None:
        """One more received frame of this channel is where it was going."""
        self._free[channel] += 1
        if self._free[channel] * 2 >= self._windows[channel].frames:
            self._allowed[channel] += self._free[channel]
            self._free[channel] = 0
            if self.state == OPEN:
                self._tell(CREDIT, channel, self._allowed[channel])

    def receive_data(self, data: bytes) -> list[Frame | Word]:
        """Take what came from the connection.

        Raises:
            WireError: The peer breaks the rules; nothing more can be taken from it.
        """
        data = self._buffer + data if self._buffer else data
        at = 0
        if self.state == GREETING:
            hello = hello_in(data)
            if hello is None:
                self._buffer = data
                return []
            self._greet(hello)
            at = HELLO_SIZE
        found: list[Frame | Word] = []
        end = len(data)
        while end - at >= _HEAD:
            what, kind, zeros, channel, length, rest, number, received = HEADER.unpack_from(data, at)
            if what == FRAME:
                window = self._windows.get(channel)
                if window is None or length > window.payload or zeros:
                    raise WireError("a frame of no channel, or a longer one than its channel has")
            elif length > (_MOST_WORD if what == WORD else 0) or not WORD <= what <= ACK:
                raise WireError("what is no frame")
            after = at + _HEAD + length
            if after > end:
                break
            if received > self._acked:
                self._forget(received)
            if what <= WORD:
                if number != self._expected:
                    raise WireError(f"frame {number} where {self._expected} was to come")
                self._expected += 1
                payload = data[at + _HEAD : after]
                if what == FRAME:
                    self._count(channel)
                    found.append(Frame(channel, kind, rest, payload))
                else:
                    found.append(Word(payload))
            elif what == CREDIT:
                self._grant(channel, number)
            at = after
        self._buffer = data[at:]
        if self._expected - self._reported >= ACK_EVERY:
            self._tell(ACK, 0, 0)
        return found

    def _greet(self, hello: Hello) -> None:
        self.judge(hello)
        self._forget(hello.received)
        self.peer_run = hello.run
        self.state = OPEN
        self._out += self._kept
        for channel, allowed in self._allowed.items():
            if allowed > self._windows[channel].frames:
                self._tell(CREDIT, channel, allowed)

    def _forget(self, received: int) -> None:
        """Give up what the peer has."""
        if not self._acked <= received <= self._next:
            raise WireError(f"it has {received} frames of {self._next}")
        for _ in range(received - self._acked):
            self._kept.popleft()
        self._acked = received

    def _count(self, channel: int) -> None:
        self._got[channel] += 1
        if self._got[channel] > self._allowed[channel]:
            raise WireError("more frames than there is room for")

    def _grant(self, channel: int, limit: int) -> None:
        if channel not in self._limit:
            raise WireError("room on no channel")
        self._limit[channel] = max(self._limit[channel], limit)
