"""What an enclave is told at its start: where its things lie in shared memory, and the manifest.

Nothing here is measured or signed. An enclave checks every place against the size of the
region, and the manifest against the owners' keys in its image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from eactors.host.cpus import is_crowded, usable_cpus
from eactors.host.layout import HOST_NODES, HOST_PAYLOAD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from eactors.deployment.plan import PlannedPool
    from eactors.host.deployed import Deployed
    from eactors.host.layout import ContextPlace, Layout


def launch_of(deployed: Deployed, layout: Layout, enclave: int, epochs: Mapping[int, int]) -> dict[str, Any]:
    """The places of one enclave's things, in the terms of its plan; and its channels' epochs, by id."""
    contexts = [context for context in layout.contexts if context.enclave == enclave]
    own = {actor for context in contexts for actor in context.actors}
    ends = [
        (channel, channel.ends[1 - side].actor)
        for channel in deployed.channels
        for side, end in enumerate(channel.ends)
        if end.actor in own
    ]
    services = [service for service in deployed.services if service.actor in own]
    pools = [pool for pool in deployed.pools if own & set(pool.users)]
    watchers = {name for store in deployed.stores if own & set(store.users) for name in store.watchers}
    keys = [each for each in deployed.key_channels if enclave in each.enclaves]
    return {
        "host": host_of(layout),
        "bells": {actor: layout.bell_of(actor) for actor in {peer for _, peer in ends} | own | watchers}
        | {f"system {service.system}": layout.system.bell for service in services if layout.system}
        | {
            f"enclave {context.enclave}": context.bell
            for context in reversed(layout.contexts)  # that of the first worker, which does it
            if any(context.enclave in each.enclaves for each in keys)
        },
        "channels": {
            str(number): {**_channel(layout, number), "epoch": epochs.get(number, 1)}
            for number in (
                *(channel.id for channel, _ in ends),
                *(each.id for each in services),
                *(each.id for each in keys),
            )
            if number in layout.channels
        },
        "pools": {pool.name: _pool(layout, pool) for pool in pools},
        "mboxes": {
            name: layout.pools[pool.name].mboxes[name]
            for pool in pools
            if pool.kind == "public"
            for name in pool.mboxes
        },
        "vacancies": {actor: word for actor, word in layout.vacancies.items() if actor in own},
        "workers": [_worker(layout, context) for context in contexts],
    }


def system_of(deployed: Deployed, layout: Layout, epochs: Mapping[int, int]) -> dict[str, Any]:
    """What the process of the system actors is told at its start."""
    assert layout.system is not None
    return {
        "host": host_of(layout),
        "worker": _worker(layout, layout.system),
        "services": [
            {
                "system": service.system,
                "actor": service.actor,
                "message_size": service.message_size,
                "bell": layout.context_of(service.actor).bell,
                "capacity": layout.channels[service.id].capacity,
                "payload": layout.channels[service.id].payload,
                "epoch": epochs.get(service.id),
                **_channel(layout, service.id),
            }
            for service in deployed.services
            if service.id in layout.channels
        ],
        "settings": settings_of(deployed),
    }


def settings_of(deployed: Deployed) -> dict[str, Any]:
    """What the deployment says for each system actor."""
    directories = {"directories": msgspec.to_builtins(deployed.directories)}
    return {
        "files": directories,
        "pipes": directories,
        "names": {"enclaves": deployed.actors},
        "network": {**directories, "limits": msgspec.to_builtins(deployed.networks)},
    }


def host_of(layout: Layout) -> dict[str, Any]:
    """Where the link to the host lies."""
    return {
        "pool": [layout.host_pool, HOST_NODES, HOST_PAYLOAD],
        "mbox": [layout.host_mbox, HOST_NODES],
        "bell": layout.host_bell,
    }


def _channel(layout: Layout, channel: int) -> dict[str, Any]:
    place = layout.channels[channel]
    return {"pool": place.pool, "shared": place.shared, "mboxes": place.mboxes}


def _pool(layout: Layout, pool: PlannedPool) -> dict[str, Any]:
    bells = sorted({layout.context_of(user).bell for user in pool.users})
    return {"bells": bells, "offset": layout.pools[pool.name].offset if pool.kind == "public" else 0}


def _worker(layout: Layout, context: ContextPlace) -> dict[str, Any]:
    everyone = [*layout.contexts, *([layout.system] if layout.system is not None else [])]
    workers = {other.bell: other.worker for other in everyone}
    return {
        "cpus": usable_cpus(context.worker),
        "crowded": is_crowded(context.worker, workers.values(), bridges=len(layout.links)),
        "participant": [context.participant, context.id],
        "bell": context.bell,
        "baton": list(context.baton),
    }
