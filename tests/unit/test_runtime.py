"""The native types of the low level and of channels, in one process."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import pytest

from eactors import Actor, MessageTooLarge, OperationNotOffered, OutboxFull, _native

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


SIZE = 1 << 20


PAYLOAD = 64


CAPACITY = 4


class World:
    """A region with two participants, and room to lay things out.

    Attributes:
        region: The shared memory.
        bell: Of everyone.
        reported: What workers have reported.
    """

    def __init__(self, path: Path) -> None:
        self.region = _native.Region.create(str(path), SIZE)
        self._next = _native.CONTROL_BYTES
        self.participants = [self.take(_native.PARTICIPANT_BYTES) for _ in range(2)]
        self.bell = self.take(_native.BELL_BYTES)
        self.reported: list[tuple[str, str, object]] = []
        self.kept: list[Any] = []
        _native.adopt(self.region, self.participants[0], 1)

    def take(self, size: int) -> int:
        """Reserve room."""
        offset = -(-self._next // 128) * 128
        self._next = offset + size
        return offset

    def pool(self, nodes: int = 4) -> _native.Pool:
        """Make a pool."""
        pool = _native.Pool(self.region, self.take(_native.Region.pool_bytes(nodes, PAYLOAD)), nodes, PAYLOAD)
        pool.initialise()
        return pool

    def mbox(self, pool: _native.Pool, capacity: int = 4) -> _native.Mbox:
        """Make an mbox of a pool."""
        mbox = _native.Mbox(pool, self.take(_native.Region.mbox_bytes(capacity)), capacity)
        mbox.initialise()
        return mbox

    def worker(self, number: int = 0) -> _native.Worker:
        """Make a worker."""

        def report(what: str, actor: Any, detail: object) -> None:
            self.reported.append((what, actor.name, detail))

        return _native.Worker(
            self.region,
            self.participants[number],
            number + 1,
            self.bell,
            policy=0,
            futex=True,
            crowded=False,
            alone=True,
            report=report,
        )

    def pair(
        self, *, shared: bool, copy: bool = True, message_size: int = 1000, actor: Actor | None = None
    ) -> list[_native.Connector]:
        """Make the two connected ends of a channel, each of an actor with a worker."""
        mboxes = [self.take(_native.Region.mbox_bytes(CAPACITY)) for _ in range(2)]
        pool = self.take(_native.Region.pool_bytes(_native.channel_nodes(CAPACITY), PAYLOAD))
        flags = self.take(_native.CHANNEL_BYTES)
        self.region.init_channel(pool, flags, mboxes, CAPACITY, PAYLOAD)
        private = _native.PrivateChannel(CAPACITY)
        ends = []
        for side, names in enumerate((("one", "two"), ("two", "one"))):
            mine = actor if actor is not None and side == 0 else Some()
            mine.name = names[0]
            end = _native.Connector(mine, names[1], message_size)
            if shared:
                place = (self.region, pool, flags, tuple(mboxes), CAPACITY, PAYLOAD, side)
                end._attach_shared(*place, self.bell, self.participants[side], side + 1, copy)
            else:
                end._attach_private(self.region, private, side, self.bell, self.bell)
            worker = self.worker(side)
            worker.add(mine, None, [(end, None)])
            self.kept += [worker, mine]
            ends.append(end)
        return ends


class Some(Actor):
    """An actor to send from."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A region in a file, adopted by this thread."""
    yield World(tmp_path / "region")
    gc.collect()


@pytest.fixture(params=["shared", "private"])
def ends(world: World, request: pytest.FixtureRequest) -> list[_native.Connector]:
    """The two ends of a channel of either kind."""
    return world.pair(shared=request.param == "shared")


def filled(pool: _native.Pool, data: bytes) -> _native.Node:
    """Take a node and fill it."""
    node = pool.pop_front()
    assert node is not None
    node.write(data)
    return node


def received(end: _native.Connector) -> bytes | None:
    """Receive one message."""
    cargo = end.receive()
    return None if cargo is None else cargo.data


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
