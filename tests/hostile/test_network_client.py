"""A hostile network system actor: it may say anything, and an actor's sockets believe only what can be."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.local_loop import End, channel

from eactors.services import network
from eactors.services.base import Done, Failed
from eactors.services.connection import Connection
from eactors.services.errors import SystemActorError, SystemActorMisbehaved
from eactors.services.network import CHUNK, WINDOW, Says
from eactors.services.sockets import NetworkClient

NUMBERS = st.integers(min_value=0, max_value=12)
WORDS = st.text(max_size=6)
ADDRESSES = st.tuples(WORDS, st.integers(min_value=-1, max_value=65536))
BYTES = st.one_of(st.binary(max_size=8), st.sampled_from([b"x" * CHUNK, b"x" * (CHUNK + 1)]))
COUNTS = st.sampled_from([-1, 0, 1, 100, WINDOW, WINDOW + 1, 1 << 62])
SAID = st.one_of(
    st.builds(Done, NUMBERS),
    st.builds(Failed, NUMBERS, st.sampled_from([-1, 0, 104, 4096]), WORDS, WORDS),
    st.builds(network.Bound, NUMBERS, ADDRESSES),
    st.builds(network.Connected, NUMBERS, ADDRESSES, ADDRESSES),
    st.builds(network.Resolved, NUMBERS, st.lists(st.tuples(st.booleans(), WORDS, NUMBERS), max_size=3)),
    st.builds(network.Data, NUMBERS, BYTES),
    st.builds(network.End, NUMBERS),
    st.builds(network.Written, NUMBERS, COUNTS),
    st.builds(network.Datagram, NUMBERS, WORDS, NUMBERS, BYTES),
    st.builds(network.Closed, NUMBERS, st.sampled_from([0, 104, 5000]), WORDS),
).map(msgspec.msgpack.encode)
MESSAGES = st.lists(st.one_of(SAID, SAID, SAID, st.binary(max_size=16)), max_size=40)


class Told:
    """What an actor's functions were called with, by connection.

    Attributes:
        data: Bytes of each connection.
        closed: The errors of those that are no more.
        failed: Of requests that were not carried out.
    """

    def __init__(self) -> None:
        self.data: dict[int, bytes] = {}
        self.closed: dict[int, list[Exception | None]] = {}
        self.failed: list[Exception] = []

    def watch(self, connection: Connection) -> None:
        """Note what comes of a connection."""
        number = connection.number
        self.data[number], self.closed[number] = b"", []

        def received(data: bytes) -> None:
            assert not self.closed[number], "bytes behind the end of all"
            self.data[number] += data

        connection.on_data = received
        connection.on_closed = self.closed[number].append


def client_of(end: End) -> NetworkClient:
    """An actor's client."""
    decoder: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(Says)
    return NetworkClient(end, "network", decoder)


def busy() -> tuple[NetworkClient, Told, End]:
    """A client that has asked for one thing of each kind, the first of which was granted."""
    mine, theirs = channel()
    client, told = client_of(mine), Told()
    client.connect("host", 80).then(told.watch, told.failed.append)
    theirs.send(msgspec.msgpack.encode(network.Connected(2, ("host", 80), ("me", 1))))
    client.poll()
    client.connect("host", 81).then(told.watch, told.failed.append)
    client.listen("", 0, told.watch).then(lambda _: None, told.failed.append)
    client.open(lambda _, __: None).then(lambda _: None, told.failed.append)
    client.resolve("host").then(lambda _: None, told.failed.append)
    return client, told, theirs


@given(MESSAGES)
def test_whatever_it_says_nothing_but_the_typed_errors_comes_of_it(messages: list[bytes]) -> None:
    """No exception leaves the client, and once it was lied to, all that is open fails, once."""
    client, told, theirs = busy()
    for message in messages:
        theirs.send(message)
        client.poll()
        held = sum(
            socket._owed + sum(map(len, socket._incoming))
            for socket in client.sockets.values()
            if isinstance(socket, Connection)
        )
        assert held <= 2 * WINDOW * max(1, len(client.sockets))
    assert all(isinstance(error, SystemActorError | SystemActorMisbehaved) for error in told.failed)
    for errors in told.closed.values():
        assert len(errors) <= 1
        assert all(
            error is None or isinstance(error, SystemActorError | SystemActorMisbehaved) for error in errors
        )
    if client.broken is not None:
        assert not client.sockets
        assert not client._open
        assert all(told.closed.values())
        with pytest.raises(SystemActorMisbehaved, match="the system actor 'network'"):
            client.connect("host", 80).result()


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (network.Data(99, b"x"), "of a socket 99, which is not open"),
        (network.Closed(99, 0, ""), "of a socket 99, which is not open"),
        (network.Written(1, 1), "says that more bytes have left than were written"),
        (network.Datagram(1, "", 1, b""), "sent Datagram of a socket 1"),
        (network.Connected(2, ("", 1), ("", 1)), "answered request 2, which is not open"),
        (network.Resolved(4, []), "answered request 4 by Resolved"),
        (Done(4), "answered request 4 by Done"),
    ],
)
def test_a_lie_is_named(message: Any, words: str) -> None:
    """And the connection that was open learns who has lied."""
    client, told, theirs = busy()
    theirs.send(msgspec.msgpack.encode(message))
    client.poll()
    assert client.broken is not None
    assert words in str(client.broken)
    assert told.closed[1] == [client.broken]


def test_more_than_the_window_is_refused() -> None:
    """A paused reader holds a window of bytes at most."""
    client, told, theirs = busy()
    connection = client.sockets[1]
    assert isinstance(connection, Connection)
    connection.pause()
    for _ in range(WINDOW // CHUNK):
        theirs.send(msgspec.msgpack.encode(network.Data(1, b"x" * CHUNK)))
    client.poll()
    assert client.broken is None
    theirs.send(msgspec.msgpack.encode(network.Data(1, b"x")))
    client.poll()
    assert isinstance(told.closed[1][0], SystemActorMisbehaved)
    assert told.data[1] == b""


@pytest.mark.parametrize("last", [network.Data(1, b"x"), network.End(1)])
def test_nothing_comes_behind_the_end(last: Any) -> None:
    """Neither bytes nor another end."""
    client, told, theirs = busy()
    theirs.send(msgspec.msgpack.encode(network.End(1)))
    theirs.send(msgspec.msgpack.encode(last))
    client.poll()
    assert isinstance(told.closed[1][0], SystemActorMisbehaved)
