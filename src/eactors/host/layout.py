"""Where everything lies in the shared region, and the plan that each enclave gets."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from eactors import _native

if TYPE_CHECKING:
    from eactors.deployment.plan import Plan, PlannedChannel, PlannedPool, PlannedServer, PlannedWorker

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
class Layout:
    """Offsets into the region of one server's run, in bytes from its start."""

    size: int = _native.CONTROL_BYTES
    contexts: list[ContextPlace] = field(default_factory=list)
    channels: dict[int, ChannelPlace] = field(default_factory=dict)
    """By number in the plan."""
    pools: dict[str, PoolPlace] = field(default_factory=dict)
    host_participant: int = 0
    host_id: int = 0
    host_bell: int = 0
    host_pool: int = 0
    host_mbox: int = 0

    def take(self, size: int) -> int:
        """Reserve ``size`` bytes, apart from their neighbours by a pair of cache lines."""
        offset = -(-self.size // (2 * _native.LINE)) * 2 * _native.LINE
        self.size = offset + size
        return offset

    def context_of(self, actor: str) -> ContextPlace:
        """Where the actor is executed."""
        return next(context for context in self.contexts if actor in context.actors)

    def initialise(self, region: _native.Region) -> None:
        """Fill the pools of a new region, and empty its mboxes."""
        for channel in self.channels.values():
            region.init_channel(
                channel.pool, channel.shared, channel.mboxes, channel.capacity, channel.payload
            )
        for place in self.pools.values():
            pool = _native.Pool(region, place.offset, place.nodes, place.payload)
            pool.initialise()
            for offset in place.mboxes.values():
                _native.Mbox(pool, offset, place.capacity).initialise()
        host_pool = _native.Pool(region, self.host_pool, HOST_NODES, HOST_PAYLOAD)
        host_pool.initialise()
        _native.Mbox(host_pool, self.host_mbox, HOST_NODES).initialise()


def lay_out(plan: Plan, server: PlannedServer) -> Layout:
    """Lay out the region of one server."""
    layout = Layout()
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
    for number, channel in enumerate(plan.channels):
        if channel.carrier == "public":
            layout.channels[number] = _lay_channel(layout, channel)
    for pool in plan.pools:
        if pool.kind == "public":
            layout.pools[pool.name] = _lay_pool(layout, pool)
    return layout


def _lay_channel(layout: Layout, channel: PlannedChannel) -> ChannelPlace:
    capacity = _power_of_two(channel.capacity)
    mboxes = (
        layout.take(_native.Region.mbox_bytes(capacity)),
        layout.take(_native.Region.mbox_bytes(capacity)),
    )
    nodes = _native.channel_nodes(capacity)
    return ChannelPlace(
        pool=layout.take(_native.Region.pool_bytes(nodes, channel.node_size)),
        shared=layout.take(_native.CHANNEL_BYTES),
        mboxes=mboxes,
        capacity=capacity,
        payload=channel.node_size,
    )


def _lay_pool(layout: Layout, pool: PlannedPool) -> PoolPlace:
    # An mbox that holds every node of its pool is never full.
    capacity = _power_of_two(pool.nodes)
    offset = layout.take(_native.Region.pool_bytes(pool.nodes, pool.size))
    mboxes = {name: layout.take(_native.Region.mbox_bytes(capacity)) for name in pool.mboxes}
    return PoolPlace(offset, pool.nodes, pool.size, mboxes, capacity)


def _power_of_two(number: int) -> int:
    return 1 << (number - 1).bit_length()


def enclave_plan(plan: Plan, layout: Layout, enclave: int, fixed: dict[str, Any]) -> dict[str, Any]:
    """The plan of one enclave, as its folder holds it: only what its own actors need.

    Args:
        plan: The whole plan.
        layout: The layout of this enclave's server.
        enclave: Its id.
        fixed: What is the same for every enclave of the run.
    """
    contexts = [context for context in layout.contexts if context.enclave == enclave]
    own = {actor for context in contexts for actor in context.actors}
    private = [
        number
        for number, channel in enumerate(plan.channels)
        if channel.carrier == "private" and channel.ends[0].actor in own
    ]
    pools = [pool for pool in plan.pools if own & set(pool.users)]
    return {
        **fixed,
        "enclave": enclave,
        "host": {
            "pool": [layout.host_pool, HOST_NODES, HOST_PAYLOAD],
            "mbox": [layout.host_mbox, HOST_NODES],
            "bell": layout.host_bell,
        },
        "private_channels": [plan.channels[number].capacity for number in private],
        "pools": {pool.name: _pool_entry(layout, pool) for pool in pools},
        "mboxes": {name: _mbox_entry(layout, pool, name) for pool in pools for name in pool.mboxes},
        "workers": [_worker_entry(plan, layout, context, private) for context in contexts],
    }


def _bells(layout: Layout, pool: PlannedPool) -> list[int]:
    return sorted({layout.context_of(user).bell for user in pool.users})


def _pool_entry(layout: Layout, pool: PlannedPool) -> dict[str, Any]:
    entry = {"kind": pool.kind, "nodes": pool.nodes, "payload": pool.size, "bells": _bells(layout, pool)}
    if pool.kind == "public":
        entry["offset"] = layout.pools[pool.name].offset
    return entry


def _mbox_entry(layout: Layout, pool: PlannedPool, name: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"pool": pool.name, "bells": _bells(layout, pool)}
    if pool.kind == "public":
        place = layout.pools[pool.name]
        entry |= {"offset": place.mboxes[name], "capacity": place.capacity}
    return entry


def usable_cpus(worker: PlannedWorker) -> list[int]:
    """The worker's CPUs that this machine has for us; all of ours if it has none of them."""
    available = os.sched_getaffinity(0)
    return sorted(available & set(worker.cpus)) or sorted(available)


def _is_crowded(layout: Layout, context: ContextPlace) -> bool:
    """Whether this worker may have to share its CPUs, so that spinning would hold up another."""
    mine = set(usable_cpus(context.worker))
    workers = {other.bell: other.worker for other in layout.contexts}
    rivals = sum(1 for other in workers.values() if mine & set(usable_cpus(other)))
    reach = set().union(*(usable_cpus(other) for other in workers.values() if mine & set(usable_cpus(other))))
    return rivals > len(reach)


def _worker_entry(plan: Plan, layout: Layout, context: ContextPlace, private: list[int]) -> dict[str, Any]:
    return {
        "id": context.worker.id,
        "cpus": usable_cpus(context.worker),
        "policy": context.worker.policy,
        "crowded": _is_crowded(layout, context),
        "participant": [context.participant, context.id],
        "bell": context.bell,
        "baton": list(context.baton),
        "actors": [_actor_entry(plan, layout, actor, private) for actor in context.actors],
    }


def _actor_entry(plan: Plan, layout: Layout, name: str, private: list[int]) -> dict[str, Any]:
    actor = plan.actors[name]
    connectors = {}
    for number, channel in enumerate(plan.channels):
        for side, end in enumerate(channel.ends):
            if end.actor != name:
                continue
            peer = channel.ends[1 - side].actor
            entry: dict[str, Any] = {
                "peer": peer,
                "side": side,
                "message_size": channel.message_size,
                "peer_bell": layout.context_of(peer).bell,
            }
            place = layout.channels.get(number)
            if place is None:
                entry["channel"] = private.index(number)
            else:
                entry["shared"] = {
                    "pool": place.pool,
                    "shared": place.shared,
                    "mboxes": place.mboxes,
                    "capacity": place.capacity,
                    "payload": place.payload,
                }
            connectors[end.attribute] = entry
    return {"name": name, "class": actor.cls.__name__, "params": actor.params, "connectors": connectors}


def missing_cpus(server: PlannedServer) -> list[tuple[int, list[int]]]:
    """The workers that name CPUs which this machine does not have for us, and which."""
    available = os.sched_getaffinity(0)
    lacking = [(worker.id, sorted(set(worker.cpus) - available)) for worker in server.workers]
    return [(worker, cpus) for worker, cpus in lacking if cpus]
