"""A plan as a tree, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape
from rich.tree import Tree

from eactors.deployment.encryption import attested, signer_words
from eactors.deployment.hints import printable
from eactors.deployment.labels import declassified, declassified_service
from eactors.deployment.sizes import STORE_BLOCK, size_words
from eactors.host.cpus import missing_cpus

if TYPE_CHECKING:
    from eactors.deployment.plan import (
        Plan,
        PlannedChannel,
        PlannedEnclave,
        PlannedLife,
        PlannedServer,
        PlannedStore,
    )


def plan_tree(plan: Plan) -> Tree:
    """Return a tree of all that would run."""
    tree = Tree(f"[bold]{escape(plan.source.name)}[/] as {escape(plan.deployment.file)}")
    for server in plan.servers:
        _add_server(tree, plan, server)
    if plan.enclaves:
        branch = tree.add("enclaves")
        for enclave in plan.enclaves.values():
            branch.add(escape(_enclave_line(enclave)))
    _add_channels(tree, plan)
    _add_system_actors(tree, plan)
    if plan.pools:
        branch = tree.add("pools")
        for pool in plan.pools:
            mboxes = f", mboxes {', '.join(pool.mboxes)}" if pool.mboxes else ""
            branch.add(f"{pool.name}: [bold]{pool.kind}[/], {pool.nodes} nodes of {pool.size} bytes{mboxes}")
    branch = tree.add("stores") if plan.stores else tree
    for store in plan.stores:
        branch.add(_store_line(store))
    if plan.unplaced:
        tree.add(f"declared but not placed: {', '.join(plan.unplaced)}")
    return tree


def _add_server(tree: Tree, plan: Plan, server: PlannedServer) -> None:
    branch = tree.add(escape(f"server {server.address}"))
    missing = dict(missing_cpus(server))
    for worker in server.workers:
        cpus = ", ".join(map(str, worker.cpus)) or "any"
        lacks = (
            f" [yellow](not on this machine: {', '.join(map(str, missing[worker.id]))})[/]"
            if worker.id in missing
            else ""
        )
        leaf = branch.add(f"worker {worker.id} on CPU {cpus}{lacks}, waits {worker.policy}")
        for share in worker.shares:
            home = leaf.add(escape(server.enclaves[share.enclave]))
            for name in share.actors:
                home.add(_actor_line(plan, name))


def _actor_line(plan: Plan, name: str) -> str:
    actor = plan.actors[name]
    cls = "" if actor.cls.__name__ == name else f" ({actor.cls.__name__})"
    secret = ", [bold]secret[/]" if actor.cls.secret else ""
    params = ", ".join(f"{key}={value!r}" for key, value in actor.params.items())
    life = "".join(f", {fact}" for fact in _life_facts(actor.life))
    return f"[cyan]{escape(name)}[/]{escape(cls)}{secret}{escape(life)}" + (
        f" with {escape(params)}" if params else ""
    )


def _life_facts(life: PlannedLife) -> list[str]:
    return [
        *([f"started on demand as {life.family}"] if life.family is not None else []),
        *([f"restarted on failure, {life.failures} s"] if life.restart else []),
    ]


def _enclave_line(enclave: PlannedEnclave) -> str:
    facts = [f"signed by {signer_words(enclave)}"]
    if enclave.owners:
        facts.append(f"owned by {' and '.join(enclave.owners)}")
    if enclave.product_id:
        facts.append(f"product id {enclave.product_id}")
    if enclave.security_version:
        facts.append(f"security version {enclave.security_version}")
    facts.append(f"platform {enclave.platform}")
    facts.append("debug" if enclave.debug else "no debug")
    facts += _life_facts(enclave.life)
    if enclave.requires:
        facts.append(f"requires {', '.join(enclave.requires)}")
    return f"{enclave.title}: {', '.join(facts)}"


def _add_channels(tree: Tree, plan: Plan) -> None:
    branch = tree.add("channels") if plan.channels else tree
    for channel in plan.channels:
        limits = f"{channel.capacity} messages of up to {channel.message_size} bytes"
        network = "network, " if channel.carrier == "network" else ""
        leaf = branch.add(f"{channel}: {network}[bold]{channel.protection}[/], {limits}")
        if channel.protection == "encrypted":
            leaf.add(_encryption_line(plan, channel))
        for end, reason in declassified(plan, channel).items():
            leaf.add(escape(f"declassified by {end}: {printable(reason)}"))


def _add_system_actors(tree: Tree, plan: Plan) -> None:
    branch = tree.add("system actors") if plan.services else tree
    for service in plan.services:
        leaf = branch.add(escape(f"{service}: ") + "[bold]plain[/], the host reads it")
        if reason := declassified_service(plan, service):
            leaf.add(escape(f"declassified: {printable(reason)}"))
    branch = tree.add("directories") if plan.directories else tree
    for each in plan.directories:
        whose = "all actors" if each.actor is None else each.actor
        may = "read" if each.access == "read" else "read and write"
        branch.add(escape(f"{each.name}: {printable(each.path)}, which {whose} may {may}"))
    branch = tree.add("network") if plan.networks else tree
    for limits in plan.networks:
        whose = "every other actor" if limits.actor is None else limits.actor
        branch.add(escape(f"{whose}: {limits.sockets} sockets, {limits.unread} bytes unread"))


def _store_line(store: PlannedStore) -> str:
    facts = [f"up to {size_words(store.limit * STORE_BLOCK)}"]
    if store.file is not None:
        facts.append(f"in {printable(store.file)}")
    if store.key is not None:
        whose = {
            "measurement": "of its enclave",
            "signer": "of the signer",
            "shared": "shared by its enclaves",
        }
        facts.append(f"{store.encryption} with a key {whose[store.key]}")
    elif store.kind != "private":
        facts.append("plain, the host reads it")
    if store.detects:
        facts.append("detects rollback")
    facts.append(f"used by {', '.join(store.users)}")
    if store.watchers:
        facts.append(f"watched by {', '.join(store.watchers)}")
    return f"{escape(store.name)}: [bold]{store.kind}[/], {escape(', '.join(facts))}"


def _encryption_line(plan: Plan, channel: PlannedChannel) -> str:
    line = escape(f"{channel.cipher}, {channel.exchange}: {attested(plan, channel)}")
    return f"[yellow]{line}[/]" if channel.exchange == "diffie-hellman" else line
