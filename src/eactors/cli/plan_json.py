"""A plan as JSON, for scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eactors.deployment.encryption import attested
from eactors.deployment.labels import declassified, declassified_service
from eactors.deployment.sizes import STORE_BLOCK

if TYPE_CHECKING:
    from eactors.deployment.plan import Plan, PlannedChannel, PlannedEnclave, PlannedServer


def plan_json(plan: Plan) -> dict[str, Any]:
    """Return all of a plan as what ``json`` can write."""
    return {
        "source": str(plan.source),
        "deployment": plan.deployment.file,
        "servers": [_server(plan, server) for server in plan.servers],
        "enclaves": [_enclave(enclave) for enclave in plan.enclaves.values()],
        "keys": {name: str(file) for name, file in plan.keys.items()},
        "channels": [_channel(plan, channel) for channel in plan.channels],
        "system_actors": [
            {
                "id": service.id,
                "actor": service.actor,
                "connector": service.attribute,
                "system": service.system,
                "declassified": declassified_service(plan, service),
            }
            for service in plan.services
        ],
        "directories": [
            {"name": each.name, "path": each.path, "access": each.access, "actor": each.actor}
            for each in plan.directories
        ],
        "networks": [
            {"actor": each.actor, "sockets": each.sockets, "unread": each.unread} for each in plan.networks
        ],
        "pools": [
            {
                "name": pool.name,
                "kind": pool.kind,
                "nodes": pool.nodes,
                "size": pool.size,
                "mboxes": list(pool.mboxes),
                "users": list(pool.users),
            }
            for pool in plan.pools
        ],
        "stores": [
            {
                "name": store.name,
                "kind": store.kind,
                "size": store.limit * STORE_BLOCK,
                "file": store.file,
                "encryption": store.encryption,
                "key": store.key,
                "rollback": "detect" if store.detects else "none",
                "users": list(store.users),
                "watchers": list(store.watchers),
            }
            for store in plan.stores
        ],
        "unplaced": list(plan.unplaced),
    }


def _server(plan: Plan, server: PlannedServer) -> dict[str, Any]:
    return {
        "address": server.address,
        "workers": [
            {
                "id": worker.id,
                "cpus": list(worker.cpus),
                "wait": worker.policy,
                "enclaves": [
                    {
                        "id": share.enclave,
                        "name": server.enclaves[share.enclave],
                        "actors": [_actor(plan, name) for name in share.actors],
                    }
                    for share in worker.shares
                ],
            }
            for worker in server.workers
        ],
    }


def _actor(plan: Plan, name: str) -> dict[str, Any]:
    actor = plan.actors[name]
    return {
        "name": name,
        "class": actor.cls.__name__,
        "params": actor.params,
        "secret": actor.cls.secret,
        "on_demand": actor.life.family,
        "restarts": str(actor.life.failures) if actor.life.restart else None,
    }


def _enclave(enclave: PlannedEnclave) -> dict[str, Any]:
    return {
        "id": enclave.id,
        "name": enclave.name,
        "signer": enclave.signer,
        "owners": list(enclave.owners),
        "debug": enclave.debug,
        "product_id": enclave.product_id,
        "security_version": enclave.security_version,
        "platform": enclave.platform,
        "requires": list(enclave.requires),
        "on_demand": enclave.life.family,
        "restarts": str(enclave.life.failures) if enclave.life.restart else None,
    }


def _channel(plan: Plan, channel: PlannedChannel) -> dict[str, Any]:
    return {
        "id": channel.id,
        "between": [str(end) for end in channel.ends],
        "carried": channel.carrier,
        "protection": channel.protection,
        "cipher": channel.cipher,
        "key_exchange": channel.exchange,
        "attested": attested(plan, channel),
        "declassified": {str(end): reason for end, reason in declassified(plan, channel).items()},
        "capacity": channel.capacity,
        "message_size": channel.message_size,
        "node_size": channel.node_size,
    }
