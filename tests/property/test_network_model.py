"""A connection of an actor is a socket like any: every byte arrives, in order, once, and then the end."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.local_loop import LocalNetwork

from eactors.services.network import WINDOW

if TYPE_CHECKING:
    from eactors.services.connection import Connection

SIZES = st.sampled_from([1, 100, 20_000, WINDOW // 2, WINDOW, WINDOW + 1, 400_000])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), SIZES),
        st.tuples(st.just("peer writes"), SIZES),
        st.tuples(st.just("peer reads"), SIZES),
        st.tuples(st.sampled_from(["pause", "resume", "turn", "turn"]), st.just(0)),
    ),
    max_size=30,
)
ENDINGS = st.permutations(["finish", "peer finishes"])


def descriptors() -> int:
    """How many descriptors this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


class Model:
    """A connection, its peer's socket, and what has to arrive at either.

    Attributes:
        sent: What the actor, and what the peer, have sent.
        got: What either has received.
        ended: Whether the actor has received the end.
    """

    def __init__(self) -> None:
        self.network = LocalNetwork()
        self.sent = {"actor": b"", "peer": b""}
        self.got = {"actor": b"", "peer": b""}
        self.ended = 0
        self.closed: list[Exception | None] = []
        with socket.create_server(("127.0.0.1", 0)) as server:
            answer = self.network.client.connect(*server.getsockname())
            while not answer.done:
                self.network.wait(1)
            self.connection: Connection = answer.result()
            self.peer = server.accept()[0]
        self.peer.setblocking(False)  # noqa: FBT003 - as sockets have it
        self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        self.unsent = b""
        self.connection.on_data = self._received
        self.connection.on_end = self._end
        self.connection.on_closed = self.closed.append
        self.peer_ended = self.finishing = False

    def _received(self, data: bytes) -> None:
        assert not self.connection._paused
        self.got["actor"] += data

    def _end(self) -> None:
        self.ended += 1

    def do(self, what: str, size: int) -> None:
        """Take one step."""
        pattern = bytes(i % 251 for i in range(min(size, 997))) * (size // 997 + 1)
        match what:
            case "write":
                self.sent["actor"] += pattern[:size]
                self.connection.write(pattern[:size])
            case "peer writes":
                self.sent["peer"] += pattern[:size]
                self.unsent += pattern[:size]
            case "peer reads":
                with suppress(BlockingIOError):
                    self.got["peer"] += self.peer.recv(size)
            case "pause":
                self.connection.pause()
            case "resume":
                self.connection.resume()
            case "finish":
                self.connection.finish()
            case "peer finishes":
                self.finishing = True
        self.turn()

    def turn(self) -> None:
        """Let the bytes move, and see that nobody holds more than a window."""
        with suppress(BlockingIOError):
            while self.unsent:
                self.unsent = self.unsent[self.peer.send(self.unsent) :]
        if self.finishing and not self.unsent:
            self.peer.shutdown(socket.SHUT_WR)
            self.finishing = False
        self.network.turn()
        assert self.connection._owed <= WINDOW
        assert 0 <= self.connection._window <= WINDOW
        for stream in self.network.session.streams.values():
            assert stream._held <= WINDOW  # type: ignore[union-attr]

    def drain(self) -> None:
        """Let everything arrive."""
        self.connection.resume()
        while not (self.ended and self.peer_ended):
            self.turn()
            with suppress(BlockingIOError):
                data = self.peer.recv(1 << 20)
                self.got["peer"] += data
                self.peer_ended = self.peer_ended or not data


@settings(deadline=None, max_examples=60)
@given(STEPS, ENDINGS)
def test_every_byte_arrives_in_order_once_and_then_the_end(
    steps: list[tuple[str, int]], endings: list[str]
) -> None:
    """Whatever is written, read, paused and half-closed in which order."""
    before = descriptors()
    model = Model()
    for what, size in steps:
        model.do(what, size)
    for what in endings:
        model.do(what, 0)
    model.drain()
    assert model.got["peer"] == model.sent["actor"]
    assert model.got["actor"] == model.sent["peer"]
    assert model.ended == 1
    model.connection.close()
    while not model.closed:
        model.turn()
    assert model.closed == [None]
    assert not model.network.client.sockets
    assert not model.network.session.streams
    model.peer.close()
    model.network.close()
    assert descriptors() == before


@settings(deadline=None, max_examples=40)
@given(st.lists(SIZES, min_size=1, max_size=8), st.booleans())
def test_close_sends_the_rest_and_abort_does_not(sizes: list[int], abort: bool) -> None:  # noqa: FBT001
    """Behind close() the peer has all bytes and then the end; abort() drops what has not left the enclave."""
    model = Model()
    for size in sizes:
        model.connection.write(b"x" * size)
    model.connection.close(abort=abort)
    broken = False
    while not (model.peer_ended or broken):
        model.turn()
        try:
            data = model.peer.recv(1 << 20)
        except BlockingIOError:
            continue
        except ConnectionResetError:
            broken = True
        else:
            model.got["peer"] += data
            model.peer_ended = not data
    while not model.closed:
        model.turn()
    if not abort:
        assert (len(model.got["peer"]), broken) == (sum(sizes), False)
    else:
        assert len(model.got["peer"]) <= sum(sizes)
    model.peer.close()
    model.network.close()
