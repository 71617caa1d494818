"""A region with a worker in one process, for tests of the native types."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import pytest

from eactors import Actor, _native

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
        self._start = self._next
        self.reported: list[tuple[str, str, object]] = []
        self.kept: list[Any] = []
        _native.adopt(self.region, self.participants[0], 1)

    def forget(self) -> None:
        """Make room: what was laid out lately is used no more."""
        self._next = self._start
        self.kept.clear()

    def take(self, size: int) -> int:
        """Reserve room."""
        offset = -(-self._next // 128) * 128
        self._next = offset + size
        return offset

    def pool(self, nodes: int = 4) -> _native.Pool:
        """Make a pool."""
        offset = self.take(_native.Region.pool_bytes(nodes, PAYLOAD))
        self.region.init_pool(offset, nodes, PAYLOAD)
        return _native.Pool(self.region, offset, nodes, PAYLOAD)

    def mbox(self, pool: _native.Pool, capacity: int = 4) -> _native.Mbox:
        """Make an mbox of a pool."""
        offset = self.take(_native.Region.mbox_bytes(capacity))
        self.region.init_mbox(offset, capacity)
        return _native.Mbox(pool, offset, capacity)

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
                where = (self.region, pool, flags, (mboxes[0], mboxes[1]), CAPACITY, PAYLOAD, side)
                _native.attach_plain(end, (*where, self.bell, self.participants[side], side + 1), copy)
            else:
                _native.attach_private(end, self.region, private, side, self.bell, self.bell)
            worker = self.worker(side)
            worker.add(mine, None, [(end, None, None)])
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


def received(end: _native.Connector) -> bytes | None:
    """Receive one message."""
    cargo = end.receive()
    return None if cargo is None else cargo.data
