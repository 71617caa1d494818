"""The native types of the low level and of channels, in one process."""

from __future__ import annotations

import pytest
from tests.world import CAPACITY, PAYLOAD, SIZE, World, received

from eactors import MessageTooLarge, OperationNotOffered, OutboxFull, _native


def filled(pool: _native.Pool, data: bytes) -> _native.Node:
    """Take a node and fill it."""
    node = pool.pop_front()
    assert node is not None
    node.write(data)
    return node


def test_a_pool_gives_each_node_once(world: World) -> None:
    """Until it is empty; then None."""
    pool = world.pool(3)
    nodes = [pool.pop_front() for _ in range(3)]
    assert None not in nodes
    assert (pool.pop_front(), pool.is_empty(), pool.length()) == (None, True, 0)
    for node in nodes:
        assert node is not None
        pool.push_front(node)
    assert (pool.nodes, pool.payload, pool.length(), pool.is_empty()) == (3, PAYLOAD, 3, False)


def test_a_dropped_node_returns_to_its_pool(world: World) -> None:
    """A forgetful actor loses nothing."""
    pool = world.pool(2)
    node = pool.pop_front()
    assert pool.length() == 1
    del node
    assert pool.length() == 2


def test_an_mbox_is_first_in_first_out(world: World) -> None:
    """Full at its capacity; then the node stays with whoever pushed it."""
    pool = world.pool(6)
    mbox = world.mbox(pool, 4)
    for number in range(4):
        assert mbox.push_back(filled(pool, b"%d" % number))
    refused = filled(pool, b"4")
    assert mbox.push_back(refused) is False
    assert refused.data == b"4"
    assert mbox.length() == 4
    out = [mbox.pop_front() for _ in range(5)]
    assert [node and node.data for node in out] == [b"0", b"1", b"2", b"3", None]
    assert mbox.is_empty()


def test_a_public_mbox_has_one_direction(world: World) -> None:
    """push_front and pop_back are refused with the reason."""
    pool = world.pool()
    mbox = world.mbox(pool)
    with pytest.raises(OperationNotOffered, match="first in, first out"):
        mbox.push_front(filled(pool, b""))
    with pytest.raises(OperationNotOffered, match="first in, first out"):
        mbox.pop_back()
    assert pool.length() == pool.nodes


def test_a_node_of_another_pool_is_refused(world: World) -> None:
    """In mboxes and in pools; so is what is no node."""
    pool, other = world.pool(), world.pool()
    node = filled(other, b"")
    for push in (pool.push_front, world.mbox(pool).push_back):
        with pytest.raises(ValueError, match="only a node of the same pool"):
            push(node)
        with pytest.raises(ValueError, match="only a node of the same pool"):
            push(object())  # type: ignore[arg-type]
    assert node.data == b""


def test_a_pushed_node_is_gone(world: World) -> None:
    """Who gave it away can neither read, write nor push it again."""
    pool = world.pool()
    node = filled(pool, b"x")
    pool.push_front(node)
    for use in (lambda: node.data, lambda: node.view, lambda: node.write(b""), lambda: pool.push_front(node)):
        with pytest.raises(ValueError, match="this node has been pushed"):
            use()
    assert pool.length() == pool.nodes


def test_a_node_with_a_view_stays(world: World) -> None:
    """A view of memory that belongs to someone else must not be possible."""
    pool = world.pool()
    node = filled(pool, b"abc")
    view = node.view
    with pytest.raises(BufferError, match=r"release\(\) it"):
        pool.push_front(node)
    view[0:1] = b"A"
    view.release()
    assert node.data == b"Abc"
    pool.push_front(node)


def test_a_node_has_its_bounds(world: World) -> None:
    """Neither data nor length beyond its payload."""
    node = filled(world.pool(), b"abc")
    with pytest.raises(ValueError, match="65 bytes do not fit into a node of 64"):
        node.write(bytes(65))
    for length in (65, -1):
        with pytest.raises(ValueError, match="holds 0 to 64 bytes"):
            node.length = length
    node.length = 2
    assert (node.data, node.length, len(node.view)) == (b"ab", 2, 64)


@pytest.mark.parametrize("offset", [SIZE, SIZE - 64, 2**63, 2**64 - 64])
def test_nothing_lies_outside_the_region(world: World, offset: int) -> None:
    """Offsets are checked against the region's size, whatever the plan says."""
    with pytest.raises(ValueError, match="inside the region"):
        _native.Pool(world.region, offset, 4, PAYLOAD)
    with pytest.raises(ValueError, match="inside the region"):
        _native.Mbox(world.pool(), offset, 4)
    with pytest.raises(ValueError, match="inside the region"):
        _native.adopt(world.region, offset, 1)


def test_messages_arrive_in_order(ends: list[_native.Connector]) -> None:
    """In both directions; what does not fit waits in the outbox."""
    one, two = ends
    for number in range(10):
        one.send(b"%d" % number)
    answers: list[bytes] = []
    while len(answers) < 10:
        data = received(two)
        if data is None:
            assert received(one) is None  # lets it flush its outbox
        else:
            answers.append(data)
    assert answers == [b"%d" % number for number in range(10)]


def test_try_send_stops_at_the_capacity(ends: list[_native.Connector]) -> None:
    """Then it is False, and nothing is kept."""
    one, two = ends
    assert [one.try_send(b"x") for _ in range(6)] == [True] * 4 + [False] * 2
    assert received(two) == b"x"
    assert one.try_send(b"y")


@pytest.mark.parametrize("shared", [True, False])
def test_an_actor_that_waits_for_one_peer_hears_no_other(world: World, *, shared: bool) -> None:
    """Back-pressure: first the answers go, then come new questions, but from whom they wait for."""
    one, two = world.pair(shared=shared)
    actor = world.kept[1]
    source, other = world.pair(shared=shared, actor=actor)
    other.send(b"question")
    two.send(b"news")
    for _ in range(CAPACITY + 1):
        one.send(b"")
    assert received(source) is None
    assert received(one) == b"news"
    assert received(two) == b""
    assert received(one) is None  # and lets go of what waited
    assert received(source) == b"question"


def test_the_outbox_is_bounded(ends: list[_native.Connector]) -> None:
    """65,536 messages, and then an error that says so."""
    one, _ = ends
    for _ in range(CAPACITY + 65_536):
        one.send(b"")
    with pytest.raises(OutboxFull, match="65536 messages to 'two' wait for room"):
        one.send(b"")


@pytest.mark.parametrize("size", [1001, 10_000])
def test_a_message_has_a_limit(ends: list[_native.Connector], size: int) -> None:
    """The channel's message size, for every way to send."""
    one, _ = ends
    for send in (one.send, one.try_send):
        with pytest.raises(
            MessageTooLarge, match=f"a message of {size} bytes to 'two' exceeds the channel's 1000"
        ):
            send(bytes(size))
    with pytest.raises(MessageTooLarge):
        one.create(size)
    one.create(1000)
    assert one.message_size == 1000


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 128, 1000])
def test_a_cargo_of_every_size(ends: list[_native.Connector], size: int) -> None:
    """Created, filled through its view, sent, received; spent afterwards."""
    one, two = ends
    cargo = one.create(size)
    data = bytes(range(250)) * 4
    with cargo.view as view:
        view[:] = data[:size]
    one.send(cargo)
    answers = []
    for _ in range(20):
        got = received(two)
        if got is not None:
            answers.append(got)
        received(one)
    assert answers == [data[:size]]
