"""Where everything lies in the shared region."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from eactors import _native
from eactors.deployment.model import SYSTEM
from eactors.deployment.plan import PlannedShare, PlannedWorker
from eactors.deployment.sizes import node_payload, ring_slots

if TYPE_CHECKING:
    from eactors.deployment.plan import (
        PlannedChannel,
        PlannedKeyChannel,
        PlannedPool,
        PlannedServer,
        PlannedService,
    )
    from eactors.host.deployed import Deployed

HOST_NODES = 256
HOST_PAYLOAD = 4096


@dataclass(slots=True)
class ContextPlace:
    """One worker in one enclave: its participant and the worker's bell and baton."""

    worker: PlannedWorker
    enclave: int
    actors: tuple[str, ...]
    id: int
    participant: int
    bell: int
    baton: tuple[int, int, int]
    """Offset, this context's position, how many positions."""


@dataclass(slots=True)
class ChannelPlace:
    """A public channel: the offsets of its pool, its flags and its two mboxes."""

    pool: int
    shared: int
    mboxes: tuple[int, int]
    capacity: int
    payload: int


@dataclass(slots=True)
class PoolPlace:
    """A public pool and its mboxes."""

    offset: int
    nodes: int
    payload: int
    mboxes: dict[str, int]
    capacity: int


@dataclass(slots=True)
class LinkPlace:
    """Of the bridge to one other server: its participant, and the bell that actors ring."""

    participant: int
    id: int
    bell: int


@dataclass(slots=True)
class Layout:
    """Offsets into the region of one server's run, in bytes from its start."""

    size: int = _native.CONTROL_BYTES
    contexts: list[ContextPlace] = field(default_factory=list)
    channels: dict[int, ChannelPlace] = field(default_factory=dict)
    """By id; those to system actors, too."""
    pools: dict[str, PoolPlace] = field(default_factory=dict)
    links: dict[int, LinkPlace] = field(default_factory=dict)
    """By the other server's place among all servers."""
    vacancies: dict[str, int] = field(default_factory=dict)
    """The word of each actor that is started on demand."""
    remote: dict[str, int] = field(default_factory=dict)
    """The server of each actor of another server."""
    host_participant: int = 0
    host_id: int = 0
    host_bell: int = 0
    host_pool: int = 0
    host_mbox: int = 0
    system: ContextPlace | None = None
    """Where system actors are executed; None: no actor of this server uses any."""

    def take(self, size: int) -> int:
        """Reserve ``size`` bytes, apart from their neighbours by a pair of cache lines."""
        offset = -(-self.size // (2 * _native.LINE)) * 2 * _native.LINE
        self.size = offset + size
        return offset

    def context_of(self, actor: str) -> ContextPlace:
        """Where the actor is executed."""
        return next(context for context in self.contexts if actor in context.actors)

    def bell_of(self, actor: str) -> int:
        """What to ring when there is something for this actor."""
        if actor in self.remote:
            return self.links[self.remote[actor]].bell
        return self.context_of(actor).bell

    def initialise(self, region: _native.Region) -> None:
        """Fill the pools of a new region, and empty its mboxes."""
        for channel in self.channels.values():
            region.init_channel(
                channel.pool, channel.shared, channel.mboxes, channel.capacity, channel.payload
            )
        for place in self.pools.values():
            region.init_pool(place.offset, place.nodes, place.payload)
            for offset in place.mboxes.values():
                region.init_mbox(offset, place.capacity)
        region.init_pool(self.host_pool, HOST_NODES, HOST_PAYLOAD)
        region.init_mbox(self.host_mbox, HOST_NODES)


def lay_out(plan: Deployed, server: PlannedServer) -> Layout:
    """Lay out the region of one server.

    Args:
        plan: What runs on this server; see `Deployed.on`.
        server: The server.
    """
    layout = Layout(remote=plan.remote)
    for worker in server.workers:
        bell, baton = layout.take(_native.BELL_BYTES), layout.take(_native.BATON_BYTES)
        for position, share in enumerate(worker.shares):
            participant = layout.take(_native.PARTICIPANT_BYTES)
            place = (baton, position, len(worker.shares))
            layout.contexts.append(
                ContextPlace(
                    worker, share.enclave, share.actors, len(layout.contexts) + 1, participant, bell, place
                )
            )
    layout.host_id = len(layout.contexts) + 1
    layout.host_participant = layout.take(_native.PARTICIPANT_BYTES)
    layout.host_bell = layout.take(_native.BELL_BYTES)
    layout.host_pool = layout.take(_native.Region.pool_bytes(HOST_NODES, HOST_PAYLOAD))
    layout.host_mbox = layout.take(_native.Region.mbox_bytes(HOST_NODES))
    for peer in plan.peers:
        # The first id after the host's is for the system actors.
        participant, number = layout.take(_native.PARTICIPANT_BYTES), layout.host_id + 2 + len(layout.links)
        layout.links[peer] = LinkPlace(participant, number, layout.take(_native.BELL_BYTES))
    shared: list[PlannedChannel | PlannedKeyChannel]
    shared = [*(each for each in plan.channels if each.carrier != "private"), *plan.key_channels]
    for channel in shared:
        layout.channels[channel.id] = _lay_channel(layout, channel, node_payload(channel))
    for pool in plan.pools:
        if pool.kind == "public":
            layout.pools[pool.name] = _lay_pool(layout, pool)
    layout.vacancies = {actor: layout.take(_native.LINE) for actor in plan.actor_lives}
    number = plan.servers.index(server)
    for service in plan.services:
        if service.server == number:
            layout.system = layout.system or _lay_system(layout)
            layout.channels[service.id] = _lay_channel(layout, service, service.node_size)
    return layout


def _lay_system(layout: Layout) -> ContextPlace:
    worker = PlannedWorker(id=SYSTEM, cpus=(), policy="adaptive", shares=(PlannedShare(SYSTEM, ()),))
    participant, bell = layout.take(_native.PARTICIPANT_BYTES), layout.take(_native.BELL_BYTES)
    return ContextPlace(worker, SYSTEM, (), layout.host_id + 1, participant, bell, (0, 0, 1))


def _lay_channel(
    layout: Layout, channel: PlannedChannel | PlannedService | PlannedKeyChannel, payload: int
) -> ChannelPlace:
    capacity = ring_slots(channel.capacity)
    mboxes = (
        layout.take(_native.Region.mbox_bytes(capacity)),
        layout.take(_native.Region.mbox_bytes(capacity)),
    )
    nodes = _native.channel_nodes(capacity)
    return ChannelPlace(
        pool=layout.take(_native.Region.pool_bytes(nodes, payload)),
        shared=layout.take(_native.CHANNEL_BYTES),
        mboxes=mboxes,
        capacity=capacity,
        payload=payload,
    )


def _lay_pool(layout: Layout, pool: PlannedPool) -> PoolPlace:
    # An mbox that holds every node of its pool is never full.
    capacity = ring_slots(pool.nodes)
    offset = layout.take(_native.Region.pool_bytes(pool.nodes, pool.size))
    mboxes = {name: layout.take(_native.Region.mbox_bytes(capacity)) for name in pool.mboxes}
    return PoolPlace(offset, pool.nodes, pool.size, mboxes, capacity)
