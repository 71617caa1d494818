"""The plan of one enclave: all of the deployment that its own actors need, and that is measured.

Where things lie in shared memory, on which CPUs a worker runs and who the launcher is, an
enclave learns at its start (`eactors.host.launch`); the host may choose these as it likes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eactors.build.powers import powers_of
from eactors.build.source import module_name
from eactors.deployment.sizes import node_payload, ring_slots
from eactors.services.base import Service

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from eactors.build.reach import Reach
    from eactors.deployment.plan import (
        Home,
        Plan,
        PlannedChannel,
        PlannedKeyChannel,
        PlannedService,
        PlannedStore,
        PlannedWorker,
    )


def enclave_plan(
    plan: Plan, home: Home, owners: Mapping[str, str], reached: Reach, roots: Sequence[str] = ()
) -> dict[str, Any]:
    """Say what one enclave executes, and with whom it talks.

    Args:
        plan: The whole plan.
        home: Its server's place, and its id; 0 is the untrusted side.
        owners: Public keys (PEM), by name, of those who must have signed the manifest.
        reached: What it has of the source.
        roots: Certificates (PEM) that quotes of other servers' enclaves may lead to.
    """
    server, enclave = home
    own = {name for name, actor in plan.actors.items() if actor.home == home}
    private = [
        channel for channel in plan.channels if channel.carrier == "private" and channel.ends[0].actor in own
    ]
    pools = [pool for pool in plan.pools if own & set(pool.users)]
    stores = [store for store in plan.stores if own & set(store.users)]
    encrypted = any(
        channel.protection == "encrypted" and own & {end.actor for end in channel.ends}
        for channel in plan.channels
    )
    return {
        "enclave": enclave,
        "platform": plan.enclaves[enclave].platform if enclave in plan.enclaves else "untrusted",
        "source": {
            "file": f"app/{plan.source.name}",
            "name": module_name(plan.source),
            "beside": reached.beside,
        },
        "owners": dict(owners),
        "powers": sorted(
            {
                *(["exchanges"] if encrypted else []),
                *powers_of(reached),
                *_asked(plan, own),
                *_of_stores(stores),
            }
        ),
        "private_channels": [channel.capacity for channel in private],
        "pools": {
            pool.name: {"kind": pool.kind, "nodes": pool.nodes, "payload": pool.size} for pool in pools
        },
        "mboxes": {name: pool.name for pool in pools for name in pool.mboxes},
        "stores": {store.name: _store(plan, store, home) for store in stores},
        "workers": [
            _worker(plan, worker, enclave, private, roots)
            for worker in plan.servers[server].workers
            if any(share.enclave == enclave for share in worker.shares)
        ],
    }


def _asked(plan: Plan, own: set[str]) -> Iterator[str]:
    """The powers that clients of system actors use."""
    for service in plan.services:
        if service.actor in own:
            declared = plan.actors[service.actor].cls.__eactors__.connectors[service.attribute]
            if isinstance(declared, Service):
                yield from declared.powers


def _of_stores(stores: Sequence[PlannedStore]) -> Iterator[str]:
    for store in stores:
        if store.key is not None:
            yield "store_keys"
        if store.detects:
            yield "store_counters"


def _store(plan: Plan, store: PlannedStore, home: Home) -> dict[str, Any]:
    users = {plan.actors[user].enclave for user in store.users}
    versions = [plan.enclaves[user].security_version for user in users if user in plan.enclaves]
    return {
        "kind": store.kind,
        # That of a file may be changed, and the enclave that has its key stay the same.
        "limit": store.limit if store.kind == "private" else None,
        "key": store.key,
        "detects": store.detects,
        # What is sealed to the signer is for all of them, the oldest included.
        "security_version": min(versions, default=0),
        "watchers": list(store.watchers),
        "watched_here": any(plan.actors[watcher].home == home for watcher in store.watchers),
        "key_channels": [
            _key_channel(channel, channel.enclaves.index(home[1]))
            for channel in plan.key_channels
            if channel.store == store.name and home[1] in channel.enclaves
        ],
    }


def _key_channel(channel: PlannedKeyChannel, side: int) -> dict[str, Any]:
    peer = channel.enclaves[1 - side]
    return {
        "peer": f"enclave {peer}",
        "peer_enclave": peer,
        "side": side,
        "channel": channel.id,
        "message_size": channel.message_size,
        "capacity": ring_slots(channel.capacity),
        "payload": node_payload(channel),
        "cipher": channel.cipher,
        "exchange": channel.exchange,
    }


def _worker(
    plan: Plan, worker: PlannedWorker, enclave: int, private: list[PlannedChannel], roots: Sequence[str]
) -> dict[str, Any]:
    names = next(share.actors for share in worker.shares if share.enclave == enclave)
    actors = [_actor(plan, name, private, roots) for name in names if not plan.actors[name].life.family]
    vacancies = [_actor(plan, name, private, roots) for name in names if plan.actors[name].life.family]
    return {
        "id": worker.id,
        "policy": worker.policy,
        "spans": len(worker.shares) > 1,
        "actors": actors,
        **({"vacancies": vacancies} if vacancies else {}),
    }


def _actor(plan: Plan, name: str, private: list[PlannedChannel], roots: Sequence[str]) -> dict[str, Any]:
    actor = plan.actors[name]
    connectors = {
        end.attribute: _connector(plan, channel, side, private, roots)
        for channel in plan.channels
        for side, end in enumerate(channel.ends)
        if end.actor == name
    }
    connectors |= {service.attribute: _service(service) for service in plan.services if service.actor == name}
    # As pairs, for the plan is written in the order of its keys, and a source may care about its own.
    params = [[key, value] for key, value in actor.params.items()]
    return {"name": name, "class": actor.cls.__name__, "params": params, "connectors": connectors}


def _service(service: PlannedService) -> dict[str, Any]:
    return {
        "peer": f"system {service.system}",
        "side": 0,
        "message_size": service.message_size,
        "channel": service.id,
        "capacity": ring_slots(service.capacity),
        "payload": service.node_size,
    }


def _connector(
    plan: Plan, channel: PlannedChannel, side: int, private: list[PlannedChannel], roots: Sequence[str]
) -> dict[str, Any]:
    peer = channel.ends[1 - side].actor
    entry: dict[str, Any] = {"peer": peer, "side": side, "message_size": channel.message_size}
    lives = [plan.actors[peer].life]
    if channel.carrier == "public" and plan.actors[peer].enclave in plan.enclaves:
        lives.append(plan.enclaves[plan.actors[peer].enclave].life)
    if any(life.may_begin_again for life in lives):
        entry["reopens"] = "on-demand" if any(life.family for life in lives) else "on-failure"
    if channel.carrier == "private":
        return entry | {"private": private.index(channel)}
    entry |= {
        "channel": channel.id,
        "capacity": ring_slots(channel.capacity),
        "payload": node_payload(channel),
    }
    if channel.cipher != "none":
        entry |= {
            "cipher": channel.cipher,
            "exchange": channel.exchange,
            "peer_enclave": plan.actors[peer].enclave,
        }
    if channel.exchange == "remote-attestation":
        entry["roots"] = list(roots)
    return entry
