"""Two actors with an encrypted channel between them, in one process, and a host that meddles."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from eactors import Actor, _native

if TYPE_CHECKING:
    from tests.world import World

CIPHERS = {"aes-128-gcm": 16, "aes-256-gcm": 32, "chacha20-poly1305": 32}
HEADER = _native.NODE_HEADER_BYTES
TAG = 16
DATA, CLOSE, HANDSHAKE, BROKEN = range(4)


class Exchange:
    """A key exchange that only its state machine makes one: each side sends a hello.

    Args:
        side: 0 or 1.
        key_size: Bytes per key.
        size: Bytes of the hello.

    Attributes:
        seen: What it was called with.
        actors: Which actor ran each time.
        given: The keys it returned.
    """

    def __init__(self, side: int, key_size: int = 16, size: int = 32) -> None:
        self._side, self._key_size, self._size = side, key_size, size
        self.seen: list[bytes | None] = []
        self.actors: list[str | None] = []
        self.given: _native.Keys | None = None

    def __call__(self, frame: bytes | None) -> tuple[tuple[bytes, ...], _native.Keys | None]:
        """Answer as every exchange does."""
        self.seen.append(frame)
        self.actors.append(_native.current_actor())
        if frame is None:
            return (bytes([self._side]) * self._size,), None
        if frame != bytes([1 - self._side]) * self._size:
            message = "a strange hello"
            raise ValueError(message)
        keys = [_native.hkdf(b"%d" % sender, b"", b"", self._key_size) for sender in (0, 1)]
        self.given = keys[self._side], keys[1 - self._side]
        return (), self.given


def idle(_: Actor) -> None:
    """Do nothing: a body that leaves the messages to the test."""


class Talker(Actor):
    """An actor that does what a test has it do."""


class Pair:
    """Two actors, each with a worker, and the channel between them.

    Args:
        world: Where they live.
        cipher: Of the channel.
        channel_id: Of the channel, to which its frames are bound.
        capacity: Messages per direction.
        node_size: Plaintext bytes per node.
        message_size: The most that a message may have.
        number: The number of the first frame in both directions.
        handlers: Of each side: of messages, and of the break.
        exchanges: Of each side.
        bodies: Of each side.

    Attributes:
        ends: The two connectors.
        pool: The channel's nodes, as the host can use them.
        actors: Their actors.
    """

    def __init__(  # noqa: PLR0913 - a test says only what it is about
        self,
        world: World,
        *,
        cipher: str = "aes-128-gcm",
        channel_id: int = 7,
        capacity: int = 4,
        node_size: int = 48,
        message_size: int = 1000,
        number: int = 0,
        handlers: tuple[tuple[Any, Any], tuple[Any, Any]] = ((None, None), (None, None)),
        exchanges: tuple[Any, Any] | None = None,
        bodies: tuple[Any, Any] = (idle, idle),
    ) -> None:
        self._world, self._capacity, self._payload = world, capacity, node_size + TAG
        self._mboxes = [world.take(_native.Region.mbox_bytes(capacity)) for _ in range(2)]
        nodes = _native.channel_nodes(capacity)
        self._pool = world.take(_native.Region.pool_bytes(nodes, self._payload))
        flags = world.take(_native.CHANNEL_BYTES)
        world.region.init_channel(self._pool, flags, self._mboxes, capacity, self._payload)
        self.pool = _native.Pool(world.region, self._pool, nodes, self._payload)
        self.exchanges = exchanges or tuple(Exchange(side, CIPHERS[cipher]) for side in (0, 1))
        self.actors: list[Talker] = []
        self.ends: list[_native.Connector] = []
        self._workers: list[_native.Worker] = []
        for side, names in enumerate((("One", "Two"), ("Two", "One"))):
            actor = Talker()
            actor.name = names[0]
            end = _native.Connector(actor, names[1], message_size, attribute="line")
            mboxes = (self._mboxes[0], self._mboxes[1])
            where = (world.region, self._pool, flags, mboxes, capacity, self._payload, side)
            place = (*where, world.bell, world.participants[side], side + 1)
            _native.attach_sealed(end, place, channel_id, cipher, self.exchanges[side], number)
            worker = world.worker(side)
            worker.add(actor, bodies[side], [(end, *handlers[side])])
            worker.add(self._ticker(), lambda _: world.region.stop(), [])
            self.actors.append(actor)
            self.ends.append(end)
            self._workers.append(worker)
        world.kept.append(self)

    @staticmethod
    def _ticker() -> Actor:
        actor = Talker()
        actor.name = "ticker"
        return actor

    def turn(self, side: int) -> None:
        """Let one side's worker visit its actors once."""
        memory = memoryview(self._world.region)
        memory[:4] = bytes(4)
        self._workers[side].run()
        memory[:4] = bytes(4)
        _native.adopt(self._world.region, self._world.participants[0], 1)

    def turns(self, count: int = 1) -> None:
        """Let both sides take this many turns."""
        for _ in range(count):
            self.turn(0)
            self.turn(1)

    def open(self) -> None:
        """Agree on keys."""
        self.turns(2)

    # What the host does.

    def mbox(self, to: int) -> _native.Mbox:
        """Return the mbox of what is sent to this side."""
        return _native.Mbox(self.pool, self._mboxes[to], self._capacity)

    def frame(self, to: int, position: int = 0) -> memoryview:
        """Return header and payload of a node that is on its way to this side."""
        memory = memoryview(self._world.region)
        (index,) = struct.unpack_from("<I", memory, self.slot(to, position))
        lines = -(-(HEADER + self._payload) // 64) | 1
        start = self._pool + 64 + index * lines * 64
        return memory[start : start + HEADER + self._payload]

    def slot(self, to: int, position: int = 0) -> int:
        """Return where an mbox names the node at this position."""
        base = self._mboxes[to]
        (head,) = struct.unpack_from("<Q", memoryview(self._world.region), base)
        return int(base + 128 + 8 * ((head + position) % self._capacity))

    def waiting(self, to: int) -> int:
        """Return how many frames are on their way to this side."""
        return self.mbox(to).length()


def fields(frame: memoryview) -> tuple[int, int, int]:
    """Return length, rest and kind of a frame."""
    length, rest, kind = struct.unpack_from("<III", frame, 12)
    return length, rest, kind


def set_fields(frame: memoryview, length: int, rest: int, kind: int) -> None:
    """Write them."""
    struct.pack_into("<III", frame, 12, length, rest, kind)
