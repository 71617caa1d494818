"""``eactors check``: show what would run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.markup import escape
from rich.tree import Tree

from eactors.cli.files import plan_of, takes_files
from eactors.host.layout import missing_cpus

if TYPE_CHECKING:
    from pathlib import Path

    from eactors.deployment.plan import Plan


@click.command(short_help="Show what would run, without running it.")
@takes_files
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a tree.")
def check(source: Path, deployment: Path, params: tuple[str, ...], *, as_json: bool) -> None:
    r"""Show the servers, workers, enclaves, actors and channels of an application.

    Nothing is run but the import of SOURCE. A private channel stays inside one enclave; a
    public one goes through shared memory.

    \b
    Example:
        eactors check pingpong.py two-enclaves.xml
    """
    plan = plan_of(source, deployment, params)
    if as_json:
        click.echo(json.dumps(_as_json(plan), indent=1))
    else:
        _show(plan)


def _as_json(plan: Plan) -> dict[str, Any]:
    return {
        "source": str(plan.source),
        "deployment": plan.deployment.file,
        "servers": [
            {
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
                                "actors": [
                                    {
                                        "name": name,
                                        "class": plan.actors[name].cls.__name__,
                                        "params": plan.actors[name].params,
                                    }
                                    for name in share.actors
                                ],
                            }
                            for share in worker.shares
                        ],
                    }
                    for worker in server.workers
                ],
            }
            for server in plan.servers
        ],
        "channels": [
            {
                "between": [f"{end.actor}.{end.attribute}" for end in channel.ends],
                "carried": channel.carrier,
                "capacity": channel.capacity,
                "message_size": channel.message_size,
                "node_size": channel.node_size,
            }
            for channel in plan.channels
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
        "unplaced": list(plan.unplaced),
    }


def _show(plan: Plan) -> None:
    tree = Tree(f"[bold]{escape(plan.source.name)}[/] as {escape(plan.deployment.file)}")
    for server in plan.servers:
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
    if plan.channels:
        branch = tree.add("channels")
        for channel in plan.channels:
            one, other = (f"{end.actor}.{end.attribute}" for end in channel.ends)
            limits = f"{channel.capacity} messages of up to {channel.message_size} bytes"
            branch.add(f"{one} - {other}: [bold]{channel.carrier}[/], {limits}")
    if plan.pools:
        branch = tree.add("pools")
        for pool in plan.pools:
            mboxes = f", mboxes {', '.join(pool.mboxes)}" if pool.mboxes else ""
            branch.add(f"{pool.name}: [bold]{pool.kind}[/], {pool.nodes} nodes of {pool.size} bytes{mboxes}")
    if plan.unplaced:
        tree.add(f"declared but not placed: {', '.join(plan.unplaced)}")
    Console(soft_wrap=True, highlight=False).print(tree)


def _actor_line(plan: Plan, name: str) -> str:
    actor = plan.actors[name]
    cls = "" if actor.cls.__name__ == name else f" ({actor.cls.__name__})"
    params = ", ".join(f"{key}={value!r}" for key, value in actor.params.items())
    return f"[cyan]{escape(name)}[/]{escape(cls)}" + (f" with {escape(params)}" if params else "")
