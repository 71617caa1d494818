"""The limits of the deployment on what one actor has of the network."""

from __future__ import annotations

import errno
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

from tests.local_loop import LocalNetwork
from tests.raw_client import Raw

from eactors.deployment.limits import UNREAD_SIZES
from eactors.deployment.plan import DEFAULT_SOCKETS, DEFAULT_UNREAD
from eactors.services import network
from eactors.services.base import Failed
from eactors.services.network import CHUNK, WINDOW, Closed

if TYPE_CHECKING:
    from eactors.services.connection import Connection
    from eactors.system.reactor import Reactor


def test_at_its_limit_a_listener_leaves_connections_in_the_kernel(reactor: Reactor) -> None:
    """They are connected, and wait; when a socket is closed, the next is accepted."""
    raw = Raw(reactor, sockets=3)
    address = raw.listening()
    clients = [socket.create_connection(address) for _ in range(4)]
    raw.send(*(network.Accept(10 + each, 2, 20 + each) for each in range(4)))
    raw.until(lambda: len(raw.heard(network.Connected)) == 2)
    for _ in range(20):
        raw.turn()
    assert len(raw.heard(network.Connected)) == 2
    assert len(raw.local.session.streams) == 3
    for closed in (20, 21):
        raw.send(network.Close(closed, abort=False))
    raw.until(lambda: len(raw.heard(network.Connected)) == 4)
    clients[3].sendall(b"waited")
    raw.until(lambda: raw.heard(network.Data))
    assert raw.heard(network.Data) == [network.Data(23, b"waited")]
    for client in clients:
        client.close()


def test_what_would_be_one_socket_too_many_is_refused_with_the_limit(reactor: Reactor) -> None:
    """A connection, a listener, a socket for datagrams; after a socket is closed there is room again."""
    raw = Raw(reactor, sockets=1)
    address = raw.listening()
    raw.send(
        network.Connect(2, 3, *address, None, "", 0),
        network.Listen(3, 4, "127.0.0.1", 0, None, 5, reuse_port=False),
        network.Open(4, 5, "127.0.0.1", 0),
    )
    refused = raw.heard(Failed)
    assert [each.id for each in refused] == [2, 3, 4]
    for each in refused:
        assert each.errno == errno.EMFILE
        assert each.reason == "the deployment lets this actor have no more than 1 sockets open at once"
    raw.send(network.Close(2, abort=False), network.Open(5, 5, "127.0.0.1", 0))
    assert raw.heard(network.Bound)[-1].id == 5


LITTLE = 5 * CHUNK


def test_a_limit_for_all_is_for_who_has_none_of_its_own(reactor: Reactor) -> None:
    """And what nobody has set has a default."""
    for limits, most in (
        ([{"actor": None, "sockets": 7, "unread": 9}], (7, 9)),
        ([{"actor": "other", "sockets": 7, "unread": 9}], (DEFAULT_SOCKETS, DEFAULT_UNREAD)),
        ([], (DEFAULT_SOCKETS, DEFAULT_UNREAD)),
    ):
        session = LocalNetwork({"limits": limits}, reactor).session
        assert (session._most, session.unread.room) == most


def test_what_a_client_does_not_take_is_bounded_over_all_its_connections(reactor: Reactor) -> None:
    """However many there are. Their peers wait; and when it takes, in the end every byte arrives."""
    raw = Raw(reactor, sockets=100, unread=LITTLE)
    address = raw.listening()
    count, each_sends = 20, 3 * WINDOW
    raw.send(*(network.Accept(100 + each, 2, 200 + each) for each in range(count)))
    peers = [socket.create_connection(address) for _ in range(count)]
    raw.until(lambda: len(raw.heard(network.Connected)) == count)
    left = {}
    for place, peer in enumerate(peers):
        peer.setblocking(False)  # noqa: FBT003 - as sockets have it
        left[peer] = bytes([place]) * each_sends
    got: dict[int, bytearray] = {200 + each: bytearray() for each in range(count)}

    def push() -> bool:
        pushed = False
        for peer, data in left.items():
            with suppress(BlockingIOError):
                sent = peer.send(data) if data else 0
                left[peer] = data[sent:]
                pushed = pushed or sent > 0
        raw.turn()
        return pushed

    quiet = 0
    while quiet < 20:
        quiet = 0 if push() else quiet + 1
    assert raw.local.session.unread.count == LITTLE
    assert sum(len(message.data) for message in raw.heard(network.Data)) == LITTLE
    while any(len(data) < each_sends for data in got.values()):
        push()
        news, raw.said = raw.heard(network.Data), []
        assert sum(len(message.data) for message in news) <= LITTLE
        for message in news:
            got[message.socket] += message.data
            raw.send(network.Taken(message.socket, len(message.data)))
    for place, data in enumerate(sorted(got.values())):
        assert data == bytes([place]) * each_sends
    assert raw.local.session.unread.count == 0
    for peer in peers:
        peer.close()


def test_what_a_connection_held_is_free_when_it_ends(reactor: Reactor) -> None:
    """Whoever ends it: the client, and the next in line reads, or the peer."""
    raw = Raw(reactor, sockets=100, unread=WINDOW)
    address = raw.listening()
    raw.send(network.Accept(10, 2, 20), network.Accept(11, 2, 21))
    first = socket.create_connection(address)
    first.sendall(b"x" * WINDOW)
    raw.until(lambda: raw.local.session.unread.room == 0)
    second = socket.create_connection(address)
    second.sendall(b"y")
    for _ in range(20):
        raw.turn()
    assert not [message for message in raw.heard(network.Data) if message.socket == 21]
    raw.send(network.Close(20, abort=True))
    raw.until(lambda: [message for message in raw.heard(network.Data) if message.socket == 21])
    assert raw.local.session.unread.count == 1
    second.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    second.close()
    raw.until(lambda: [message for message in raw.heard(Closed) if message.socket == 21])
    assert raw.local.session.unread.count == 0
    first.close()


def test_datagrams_count_as_unread(reactor: Reactor) -> None:
    """No more is read than the last one that begins within the limit."""
    raw = Raw(reactor, sockets=100, unread=2500)
    raw.send(network.Open(1, 2, "127.0.0.1", 0))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        for _ in range(6):
            peer.sendto(b"x" * 1000, raw.heard(network.Bound)[0].address)
        raw.until(lambda: len(raw.heard(network.Datagram)) == 3)
        for _ in range(5):
            raw.turn()
        assert raw.local.session.unread.count == 3000
        raw.send(network.Taken(2, 3))
        raw.until(lambda: len(raw.heard(network.Datagram)) == 6)
    raw.send(network.Close(2, abort=False))
    assert raw.local.session.unread.count == 0


def test_many_connections_of_which_little_was_taken_do_not_hold_up_each_other(reactor: Reactor) -> None:
    """An honest client tells in time what it has taken, though of no connection is it much."""
    least = UNREAD_SIZES.start
    local = LocalNetwork({"limits": [{"actor": None, "sockets": 100, "unread": least}]}, reactor)
    got = 0

    def received(data: bytes) -> None:
        nonlocal got
        got += len(data)

    def accepted(connection: Connection) -> None:
        connection.on_data = received

    answer = local.client.listen("127.0.0.1", 0, accepted)
    while not answer.done:
        local.turn()
    size, count = WINDOW // 4 - 1, 80
    peers = []
    for _ in range(count):
        peers.append(socket.create_connection(answer.result().address))
        peers[-1].sendall(b"x" * size)
        local.turn()
    assert size * count > 2 * least
    while got < size * count:
        local.turn()
    assert local.session.unread.count < least
    local.session.ended()
    for peer in peers:
        peer.close()


def test_what_comes_for_a_connection_that_is_closing_is_not_unread(reactor: Reactor) -> None:
    """Its peer takes nothing, so that it stays; what the peer sends is lost, and held against nobody."""
    local = LocalNetwork(reactor=reactor)
    with socket.create_server(("127.0.0.1", 0)) as server:
        answer = local.client.connect(*server.getsockname())
        while not answer.done:
            local.turn()
        peer = server.accept()[0]
    connection = answer.result()
    connection.on_data = lambda _: connection.pause()
    peer.sendall(b"x" * 1000)
    while not local.session.unread.count:
        local.turn()
    while not connection.waiting:
        connection.write(b"y" * WINDOW)
        for _ in range(5):
            local.turn()
    connection.close()
    for _ in range(5):
        peer.sendall(b"x" * 1000)
        while local.turn():
            pass
    assert not connection.closed
    assert local.session.unread.count == 0
    connection.close(abort=True)
    local.session.ended()
    peer.close()
