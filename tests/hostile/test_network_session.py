"""A hostile client of the network: its session closes what it had, and all others are served."""

from __future__ import annotations

import os
import resource
import socket

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.local_loop import close
from tests.raw_client import Raw, descriptors

from eactors.services import network
from eactors.services.base import Failed
from eactors.services.network import CHUNK, WINDOW, Closed
from eactors.system.reactor import Reactor

NUMBERS = st.integers(min_value=1, max_value=6)
HOSTS = st.sampled_from(["127.0.0.1", "", "::1", "no name", "a" * 300, "\0"])
PORTS = st.just(0)
PATHS = st.sampled_from([None, b"", b"/etc/x", b"\0abstract", b"data/../x", b"x" * 5000])
DATA = st.sampled_from([b"", b"x", b"x" * CHUNK, b"x" * (CHUNK + 1)])
ASKED = st.one_of(
    st.builds(network.Listen, NUMBERS, NUMBERS, HOSTS, PORTS, PATHS, st.just(5), st.booleans()),
    st.builds(network.Accept, NUMBERS, NUMBERS, NUMBERS),
    st.builds(network.Connect, NUMBERS, NUMBERS, st.just("127.0.0.1"), st.just(1), PATHS, HOSTS, PORTS),
    st.builds(network.Open, NUMBERS, NUMBERS, HOSTS, PORTS),
    st.builds(network.Write, NUMBERS, DATA),
    st.builds(network.Taken, NUMBERS, st.sampled_from([1, WINDOW, WINDOW + 1])),
    st.builds(network.Finish, NUMBERS),
    st.builds(network.Close, NUMBERS, st.booleans()),
    st.builds(network.SendTo, NUMBERS, HOSTS, PORTS, DATA),
).map(msgspec.msgpack.encode)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.lists(st.one_of(ASKED, ASKED, st.binary(max_size=12)), max_size=30))
def test_arbitrary_requests_never_fail_the_process_and_leave_nothing_open(messages: list[bytes]) -> None:
    """Another client of the same process is served all the while, and in the end all is closed."""
    before = descriptors()
    reactor = Reactor()
    hostile, honest = Raw(reactor), Raw(reactor)
    peer = honest.connected()
    for message in messages:
        hostile.send(message)
    peer.sendall(b"still here")
    honest.until(lambda: honest.heard(network.Data))
    assert honest.heard(network.Data)[-1].data == b"still here"
    for each in (hostile, honest):
        each.local.session.ended()
        assert not each.local.session.streams
    peer.close()
    # What still is on its way to be connected ends by itself.
    if reactor._threads is not None:
        reactor._threads.shutdown()
    while reactor.body() is True:
        pass
    close(reactor)
    assert descriptors() == before


def test_more_than_the_window_breaks_that_connection(reactor: Reactor) -> None:
    """The peer does not read; the client writes on."""
    raw = Raw(reactor)
    peer = raw.connected()
    while not raw.heard(Closed):
        raw.send(network.Write(2, b"x" * CHUNK))
    assert "more than it may" in raw.heard(Closed)[0].reason
    peer.close()


def test_a_number_that_is_taken_is_not_given_again(reactor: Reactor) -> None:
    """Neither by a second request, nor by connections that were still on their way."""
    before = descriptors()
    raw = Raw(reactor)
    with socket.create_server(("127.0.0.1", 0)) as server:
        connect = network.Connect(1, 2, "127.0.0.1", server.getsockname()[1], None, "", 0)
        raw.send(connect, connect, network.Listen(3, 4, "127.0.0.1", 0, None, 5, reuse_port=False))
        raw.until(lambda: len(raw.said) == 3)
        raw.send(network.Accept(5, 4, 2))
        raw.until(lambda: raw.heard(network.Bound))
        client = socket.create_connection(raw.heard(network.Bound)[0].address)
        for _ in range(3):
            raw.turn()
        raw.until(lambda: raw.heard(Failed))
        client.close()
    raw.local.session.ended()
    if reactor._threads is not None:
        reactor._threads.shutdown()
        reactor._threads = None
    assert descriptors() <= before


def test_a_client_that_reads_nothing_slows_the_peer_down(reactor: Reactor) -> None:
    """No more than a window is read of a socket; the rest stays where the peer has to wait for it."""
    raw = Raw(reactor)
    peer = raw.connected()
    peer.setblocking(False)  # noqa: FBT003 - as sockets have it
    sent = 0
    quiet = 0
    while quiet < 50:
        try:
            sent += peer.send(b"x" * CHUNK)
            quiet = 0
        except BlockingIOError:
            quiet += 1
        raw.turn()
    assert sum(len(message.data) for message in raw.heard(network.Data)) == WINDOW
    assert sent > WINDOW
    raw.send(network.Taken(2, WINDOW))
    raw.until(lambda: sum(len(message.data) for message in raw.heard(network.Data)) == 2 * WINDOW)
    peer.close()


def test_a_listener_waits_until_there_are_descriptors_again(reactor: Reactor) -> None:
    """At the limit it accepts nothing, and afterwards all that have waited."""
    raw = Raw(reactor)
    raw.send(network.Listen(1, 2, "127.0.0.1", 0, None, 16, reuse_port=False))
    address = raw.heard(network.Bound)[0].address
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    clients = [socket.create_connection(address) for _ in range(3)]
    wanted = [network.Accept(10 + each, 2, 20 + each) for each in range(3)]
    top = os.open(os.devnull, os.O_RDONLY)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (top + 1, hard))
        raw.send(*wanted)
        for _ in range(20):
            raw.turn()
        assert not raw.heard(network.Connected)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        os.close(top)
    raw.until(lambda: len(raw.heard(network.Connected)) == 3)
    for client in clients:
        client.close()
