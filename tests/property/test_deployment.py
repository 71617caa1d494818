"""Deployments that are right: random ones survive a round trip."""

from __future__ import annotations

import dataclasses
import os.path
from itertools import zip_longest
from typing import Any, get_args
from xml.sax.saxutils import escape, quoteattr

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from eactors.deployment import limits, xml
from eactors.deployment.checks import check
from eactors.deployment.model import (
    ActorSettings,
    ChannelSettings,
    Cipher,
    DeployedActor,
    Deployment,
    Directory,
    EnclaveSettings,
    EnclaveShare,
    Key,
    KeyExchange,
    NetworkSettings,
    Param,
    PoolSettings,
    Rate,
    Requirement,
    Restart,
    Rollback,
    Server,
    StoreEncryption,
    StoreKey,
    StoreSettings,
    Trust,
    WaitPolicy,
    WaitSettings,
    Worker,
)

FILE = "any.xml"


SCHEMA = etree.XMLSchema(etree.parse(xml.SCHEMA))


# How long an example takes is the machine's affair; the tests' own time limit finds a hang.
steady = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


LETTERS = "abcXYZ019_éЖ名𝒳"


names = st.builds(str.__add__, st.sampled_from(LETTERS), st.text(LETTERS + ".-", max_size=8))


def numbers(limited: range) -> st.SearchStrategy[int]:
    """Return any number within ``limited``."""
    return st.integers(limited.start, limited.stop - 1)


def perhaps(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return one of ``values``, or None."""
    return st.none() | values


ids = numbers(limits.IDS)


texts = st.text(LETTERS + " <>&'\"\u2003\x85", max_size=20)


@st.composite
def deployments(draw: st.DrawFn) -> Deployment:
    """Draw a deployment that is right: it passes the checks."""
    actor_names = draw(st.lists(names, min_size=2, max_size=8, unique=True))
    actor_ids = draw(st.lists(ids, min_size=len(actor_names), max_size=len(actor_names), unique=True))
    actors = tuple(
        DeployedActor(number, name, 0, draw(perhaps(names)))
        for number, name in zip(actor_ids, actor_names, strict=True)
    )
    servers = []
    waiting = list(actor_names)
    addresses = draw(st.lists(names, min_size=1, max_size=2, unique=True))
    for address in addresses:
        workers = []
        for number in draw(st.lists(ids, min_size=1, max_size=3, unique=True)):
            if not waiting:
                break
            shares = []
            for enclave in draw(st.lists(ids, min_size=1, max_size=3, unique=True)):
                count = draw(st.integers(1, 3))
                held, waiting = waiting[:count], waiting[count:]
                if held:
                    shares.append(EnclaveShare(enclave, tuple(held), 0))
            cpus = draw(st.lists(numbers(limits.CPUS), max_size=3, unique=True))
            workers.append(Worker(number, tuple(cpus), tuple(shares), 0))
        if workers:
            servers.append(Server(address, tuple(workers), 0))
    return Deployment(FILE, actors, tuple(servers), *draw(extensions(tuple(servers))))


@st.composite
def extensions(draw: st.DrawFn, servers: tuple[Server, ...]) -> tuple[Any, ...]:
    """Draw settings of what is in ``servers``, in the order of the fields of a deployment."""
    shares = [share for server in servers for worker in server.workers for share in worker.shares]
    placed = [actor for share in shares for actor in share.actors]
    workers = sorted({worker.id for server in servers for worker in server.workers})
    enclaves = sorted({share.enclave for share in shares} - {0})
    pairs = [(one, other) for place, one in enumerate(placed) for other in placed[:place]]

    def some_of(values: list[Any]) -> list[Any]:
        return draw(st.lists(st.sampled_from(values), unique=True, max_size=3)) if values else []

    channels = tuple(
        ChannelSettings(
            pair,
            0,
            draw(perhaps(st.sampled_from(get_args(Cipher)))),
            draw(perhaps(numbers(limits.CAPACITIES))),
            draw(perhaps(numbers(limits.MESSAGE_SIZES))),
            draw(perhaps(numbers(limits.NODE_SIZES))),
            draw(perhaps(st.sampled_from(get_args(KeyExchange)))),
            draw(perhaps(st.booleans())),
        )
        for pair in some_of(pairs)
    )
    pools = tuple(
        PoolSettings(
            name,
            0,
            draw(perhaps(numbers(limits.NODE_COUNTS))),
            draw(perhaps(numbers(limits.NODE_SIZES))),
            draw(perhaps(st.sampled_from(["public", "private"]))),
        )
        for name in draw(st.lists(names, unique=True, max_size=3))
    )
    policies: st.SearchStrategy[WaitPolicy] = st.sampled_from(["adaptive", "spin", "sleep"])
    waits = tuple(WaitSettings(worker, draw(policies), 0) for worker in some_of(workers))
    params = tuple(
        Param(actor, name, draw(texts).strip(" "), 0)
        for actor in some_of(placed)
        for name in draw(st.lists(names, unique=True, max_size=2))
    )
    directories = (
        tuple(
            Directory(
                name,
                draw(paths),
                0,
                draw(perhaps(st.sampled_from(["read", "write"]))),
                draw(perhaps(st.sampled_from(placed))),
            )
            for name in draw(st.lists(names, unique=True, max_size=3))
        )
        if placed
        else ()
    )
    roots = tuple(Trust(root, 0) for root in draw(st.lists(paths, unique=True, max_size=2)))
    networks = tuple(
        NetworkSettings(
            0, actor, draw(perhaps(numbers(limits.SOCKETS))), draw(perhaps(numbers(limits.UNREAD_SIZES)))
        )
        for actor in some_of([None, *placed])
    )
    lives = tuple(
        ActorSettings(
            *(actor, 0, "on-demand"),
            draw(perhaps(numbers(limits.INSTANCES))),
            draw(perhaps(st.sampled_from(get_args(Restart)))),
            draw(perhaps(st.builds(Rate, st.integers(1, 9999), st.integers(1, 99999)))),
        )
        for actor in some_of(placed)
    )
    settled = draw(trust(tuple(enclaves)))
    return channels, pools, waits, params, *settled, directories, roots, networks, draw(stores()), lives


@st.composite
def stores(draw: st.DrawFn) -> tuple[StoreSettings, ...]:
    """Draw settings of stores that do not contradict each other."""
    files = draw(st.lists(paths, unique_by=os.path.normpath, max_size=3))
    called = draw(st.lists(names, unique=True, min_size=len(files), max_size=4))
    return tuple(
        StoreSettings(
            name,
            0,
            draw(perhaps(numbers(limits.STORE_SIZES))),
            draw(perhaps(st.sampled_from(["private", "public"]))) if file is None else "persistent",
            file,
            draw(perhaps(st.sampled_from(get_args(StoreEncryption)))),
            draw(perhaps(st.sampled_from(get_args(StoreKey)))),
            draw(perhaps(st.sampled_from(get_args(Rollback)))),
        )
        for name, file in zip_longest(called, files)
    )


paths = st.text(LETTERS + "./-<&'\" ", min_size=1, max_size=20).filter(lambda text: text == text.strip())


modules = st.sampled_from(["json", "package.module", "codes:TABLE", "é._x1:名"])


@st.composite
def trust(draw: st.DrawFn, enclaves: tuple[int, ...]) -> tuple[Any, ...]:
    """Draw settings of ``enclaves``, with a signer where there is a key, the keys, and requirements."""
    keys = tuple(Key(name, draw(paths), 0) for name in draw(st.lists(names, unique=True, max_size=3)))
    called = [key.name for key in keys]
    titles = draw(st.lists(names, unique=True, min_size=len(enclaves), max_size=len(enclaves)))
    settled = tuple(
        EnclaveSettings(
            *(enclave, 0, draw(perhaps(st.just(title)))),
            signer=draw(st.sampled_from(called)) if called else None,
            owners=tuple(draw(st.lists(st.sampled_from(called), unique=True, min_size=1)))
            if called
            else None,
            debug=draw(perhaps(st.booleans())),
            product_id=draw(perhaps(numbers(limits.PRODUCT_IDS))),
            security_version=draw(perhaps(numbers(limits.SECURITY_VERSIONS))),
            platform=draw(perhaps(st.just("simulation"))),
            restart=draw(perhaps(st.just("never"))),
            start=draw(perhaps(st.just("at-once"))),
        )
        for enclave, title in zip(enclaves, titles, strict=True)
    )
    requirements = tuple(
        Requirement(enclave, module, 0)
        for enclave in enclaves
        for module in draw(st.lists(modules, unique=True, max_size=2))
    )
    return settled, keys, requirements


def element(tag: str, *content: str, **attributes: object) -> str:
    """Return an element with the attributes that are not None; ``_`` in a name stands for ``-``."""
    given_ones = "".join(
        f" {name.replace('_', '-')}={quoteattr(str(value))}"
        for name, value in attributes.items()
        if value is not None
    )
    return f"<{tag}{given_ones}>{''.join(content)}</{tag}>"


def leaf(tag: str, value: object) -> str:
    """Return an element that holds a value, or nothing if that is None."""
    return "" if value is None else element(tag, escape(str(value)))


def yes(value: bool | None) -> str | None:  # noqa: FBT001 - the value is what it is about
    """Return how a file says ``value``."""
    return None if value is None else "yes" if value else "no"


def serialised(deployment: Deployment) -> str:
    """Return ``deployment`` as XML."""
    parts = [
        element(
            "actors",
            *(
                element("actor", leaf("id", a.id), leaf("name", a.name), leaf("class", a.class_name))
                for a in deployment.actors
            ),
        ),
        element("servers", *(serialised_server(server) for server in deployment.servers)),
    ]
    parts += [
        element(
            "channel",
            between=" ".join(c.between),
            cipher=c.cipher,
            key_exchange=c.exchange,
            insecure=yes(c.insecure),
            capacity=c.capacity,
            message_size=c.message_size,
            node_size=c.node_size,
        )
        for c in deployment.channels
    ]
    parts += [element("pool", name=p.name, nodes=p.nodes, size=p.size, kind=p.kind) for p in deployment.pools]
    parts += [element("wait", worker=w.worker, policy=w.policy) for w in deployment.waits]
    parts += [element("param", escape(p.value), actor=p.actor, name=p.name) for p in deployment.params]
    parts += [
        element(
            "enclave-settings",
            enclave=e.enclave,
            name=e.name,
            signer=e.signer,
            owners=None if e.owners is None else " ".join(e.owners),
            debug=yes(e.debug),
            product_id=e.product_id,
            start=e.start,
            restart=e.restart,
            security_version=e.security_version,
            platform=e.platform,
        )
        for e in deployment.enclave_settings
    ]
    parts += [element("key", name=k.name, file=k.file) for k in deployment.keys]
    parts += [element("requires", enclave=r.enclave, module=r.module) for r in deployment.requirements]
    parts += [
        element("directory", name=d.name, path=d.path, access=d.access, actor=d.actor)
        for d in deployment.directories
    ]
    parts += [element("trust", root=t.root) for t in deployment.trusts]
    parts += [
        element("network", actor=n.actor, sockets=n.sockets, unread=n.unread) for n in deployment.networks
    ]
    parts += [
        element(
            "store",
            name=s.name,
            size=s.size,
            kind=s.kind,
            file=s.file,
            encryption=s.encryption,
            key=s.key,
            rollback=s.rollback,
        )
        for s in deployment.stores
    ]
    parts += [
        element(
            "actor-settings",
            actor=a.actor,
            start=a.start,
            instances=a.instances,
            restart=a.restart,
            restarts=a.restarts,
        )
        for a in deployment.actor_settings
    ]
    return element("data", *parts)


def serialised_server(server: Server) -> str:
    """Return ``server`` as XML."""
    return element(
        "server",
        leaf("ip", server.address),
        element(
            "workers",
            *(
                element(
                    "worker",
                    leaf("id", worker.id),
                    element("cpus", *(leaf("cpu", cpu) for cpu in worker.cpus)),
                    *(
                        element(
                            "enclave",
                            leaf("id", share.enclave),
                            element("actors", *(leaf("actor", actor) for actor in share.actors)),
                        )
                        for share in worker.shares
                    ),
                )
                for worker in server.workers
            ),
        ),
    )


def without_lines(value: object) -> object:
    """Return ``value`` as plain dicts and tuples, without its line numbers."""
    if dataclasses.is_dataclass(value):
        fields = (field.name for field in dataclasses.fields(value))
        return {
            name: without_lines(getattr(value, name))
            for name in fields
            if name not in {"line", "actor_lines"}
        }
    return tuple(without_lines(each) for each in value) if isinstance(value, tuple) else value


def complete(deployment: Deployment) -> bool:
    """Tell whether every worker drew an actor: there may have been too few."""
    return all(worker.shares for server in deployment.servers for worker in server.workers)


@steady
@given(deployments().filter(complete), st.sampled_from(["", " ", "\n", "\r\n\t", "<!-- <a> -->", "<?b c?>"]))
def test_round_trip(deployment: Deployment, between: str) -> None:
    """A deployment written as XML reads back as it was, passes the checks, and fits the schema."""
    text = serialised(deployment).replace("><", f">{between}<")
    read = xml.parse(text.encode(), FILE)
    assert without_lines(read) == without_lines(deployment)
    check(read)
    assert SCHEMA.validate(etree.fromstring(text.encode()))
