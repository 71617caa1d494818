"""The reader of deployment files, for any file: what it takes, it takes right, and nothing breaks it."""

from __future__ import annotations

import copy
import dataclasses
import sys
import unicodedata
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from lxml import etree

from eactors.deployment import xml
from eactors.deployment.checks import check
from eactors.deployment.model import (
    ChannelSettings,
    DeployedActor,
    Deployment,
    EnclaveName,
    EnclaveShare,
    Param,
    PoolSettings,
    Server,
    WaitPolicy,
    WaitSettings,
    Worker,
)
from eactors.deployment.values import ADDRESS, NAME
from eactors.errors import DeploymentError

FILE = "any.xml"
DIRECTIONS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
SCHEMA = etree.XMLSchema(etree.parse(xml.SCHEMA))

# How long an example takes is the machine's affair; the tests' own time limit finds a hang.
steady = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

LETTERS = "abcXYZ019_éЖ名𝒳"
names = st.builds(str.__add__, st.sampled_from(LETTERS), st.text(LETTERS + ".-", max_size=8))


def numbers(limits: range) -> st.SearchStrategy[int]:
    """Return any number within ``limits``."""
    return st.integers(limits.start, limits.stop - 1)


def perhaps(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return one of ``values``, or None."""
    return st.none() | values


ids = numbers(xml.IDS)
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
            cpus = draw(st.lists(numbers(xml.CPUS), max_size=3, unique=True))
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
            draw(perhaps(st.just("none"))),
            draw(perhaps(numbers(xml.CAPACITIES))),
            draw(perhaps(numbers(xml.MESSAGE_SIZES))),
            draw(perhaps(numbers(xml.NODE_SIZES))),
        )
        for pair in some_of(pairs)
    )
    pools = tuple(
        PoolSettings(
            name,
            0,
            draw(perhaps(numbers(xml.NODE_COUNTS))),
            draw(perhaps(numbers(xml.NODE_SIZES))),
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
    called = draw(st.lists(names, unique=True, min_size=3, max_size=3))
    enclave_names = tuple(
        EnclaveName(enclave, name, 0) for enclave, name in zip(some_of(enclaves), called, strict=False)
    )
    return channels, pools, waits, params, enclave_names


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
            capacity=c.capacity,
            message_size=c.message_size,
            node_size=c.node_size,
        )
        for c in deployment.channels
    ]
    parts += [element("pool", name=p.name, nodes=p.nodes, size=p.size, kind=p.kind) for p in deployment.pools]
    parts += [element("wait", worker=w.worker, policy=w.policy) for w in deployment.waits]
    parts += [element("param", escape(p.value), actor=p.actor, name=p.name) for p in deployment.params]
    parts += [element("enclave-settings", enclave=e.enclave, name=e.name) for e in deployment.enclave_names]
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


VALID = """\
<?xml version="1.0" encoding="UTF-8"?>
<!-- two actors, two enclaves -->
<data>
  <actors>
    <actor><id>0</id><name>Ping</name></actor>
    <actor><id>1</id><name>pong1</name><class>Pong</class></actor>
  </actors>
  <servers>
    <server>
      <ip>localhost</ip>
      <workers>
        <worker>
          <id>0</id>
          <cpus><cpu>0</cpu><cpu>1</cpu></cpus>
          <enclave><id>0</id><actors><actor>Ping</actor></actors></enclave>
          <enclave><id>1</id><actors><actor>pong1</actor></actors></enclave>
        </worker>
      </workers>
    </server>
  </servers>
  <channel between="Ping pong1" cipher="none" capacity="64" message-size="4096" node-size="512"/>
  <pool name="nodes" nodes="100" size="256" kind="private"/>
  <wait worker="0" policy="sleep"/>
  <param actor="Ping" name="rounds">10</param>
  <enclave-settings enclave="1" name="bank"/>
</data>
"""


def judged(data: bytes) -> Deployment | None:
    """Read and check ``data``; None if it is refused, as it should be: with file and a hint."""
    try:
        deployment = xml.parse(data, FILE)
        check(deployment)
    except DeploymentError as caught:
        error = caught
    else:
        return deployment
    assert error.file == FILE
    assert error.message
    assert error.hint
    assert error.line is None or error.line >= 1
    assert str(error).isprintable()
    assert error.hint.isprintable()
    return None


places = st.integers(0, len(VALID.encode()))
pieces = st.binary(max_size=4) | st.sampled_from(
    [
        b"<",
        b">",
        b"/",
        b"&",
        b'"',
        b"<!--",
        b"-->",
        b"]]>",
        b"<![CDATA[",
        b"<?",
        b"&#0;",
        b"&lt;",
        b"&x;",
        b"xmlns=",
        b"<!DOCTYPE data [",
        b"<!ENTITY x 'y'>",
        b"<id>",
        b"</id>",
        b"<actor/>",
        b"-1",
        b"9" * 5000,
        b"\xef\xbb\xbf",
    ]
)


@settings(steady, max_examples=300)
@given(st.lists(st.tuples(places, st.integers(0, 40), pieces), min_size=1, max_size=4))
@example([(0, len(VALID), b"")])
@example([(0, 0, b"\xff\xfe")])
def test_any_bytes_are_judged(mutations: list[tuple[int, int, bytes]]) -> None:
    """A file with any bytes changed, inserted or lost is a deployment or refused, nothing else."""
    data = VALID.encode()
    for place, length, piece in mutations:
        data = data[:place] + piece + data[place + length :]
    judged(data)


@steady
@given(st.binary(max_size=200))
def test_any_garbage_is_judged(data: bytes) -> None:
    """Bytes that are no deployment at all are refused."""
    assert judged(data) is None


TAGS = ["data", "actors", "actor", "id", "name", "class", "servers", "server", "ip", "workers", "worker"]
TAGS += [
    "cpus",
    "cpu",
    "enclave",
    "channel",
    "pool",
    "wait",
    "param",
    "enclave-settings",
    "actr",
    "{urn:x}id",
]
ATTRIBUTES = ["between", "cipher", "capacity", "message-size", "node-size", "name", "nodes", "size", "kind"]
ATTRIBUTES += ["worker", "policy", "actor", "enclave", "id", "{urn:x}name"]
VALUES = ["", " ", "0", " 1\n", "01", "-1", "+1", "1.0", "1e3", "65535", "65536", "268435457", "00000000001"]
VALUES += [
    "Ping",
    " Ping",
    "Ping pong1",
    "Ping\tpong1\n",
    "a b c",
    "a\xa0b",
    "a\u200bb",
    "a\x85b",
    "é",
    "a=b",
    ".a",
]
VALUES += [
    "a.b-c",
    "a^b",
    "a[b",
    "a\\b",
    "a`b",
    "a|b",
    "a/b",
    "x" * 255,
    "x" * 256,
    "none",
    " none ",
    "aes",
    "NONE",
]
VALUES += [
    "public",
    "private",
    "adaptive",
    "spin",
    "sleep",
    "::1",
    "10.0.0.1",
    "\u0663",
    "1_0",
    "\ufeffa",
    "\x7f",
]


def mutate(draw: st.DrawFn, root: etree._Element) -> None:
    """Change one thing in the tree below ``root``."""
    nodes = list(root.iter())
    node = draw(st.sampled_from(nodes))
    kind = draw(st.sampled_from(["text", "tail", "tag", "delete", "copy", "move", "attribute", "unset"]))
    if kind == "text":
        node.text = draw(st.sampled_from(VALUES))
    elif kind == "tail" and node is not root:
        node.tail = draw(st.sampled_from(VALUES))
    elif kind == "tag":
        node.tag = draw(st.sampled_from(TAGS))
    elif kind == "delete" and node is not root:
        parent = node.getparent()
        assert parent is not None
        parent.remove(node)
    elif kind in {"copy", "move"} and node is not root:
        below = set(node.iter())
        target = draw(st.sampled_from([each for each in nodes if each not in below]))
        target.insert(draw(st.integers(0, len(target))), copy.deepcopy(node) if kind == "copy" else node)
    elif kind == "attribute":
        name = draw(st.sampled_from(list(node.attrib) or ATTRIBUTES) | st.sampled_from(ATTRIBUTES))
        node.set(name, draw(st.sampled_from(VALUES)))
    elif kind == "unset" and node.attrib:
        del node.attrib[draw(st.sampled_from(list(node.attrib)))]


@st.composite
def trees(draw: st.DrawFn) -> bytes:
    """Draw a well-formed file that is a deployment but for a few changes."""
    root = etree.fromstring(VALID.encode())
    for _ in range(draw(st.integers(1, 3))):
        mutate(draw, root)
    return etree.tostring(root, encoding="utf-8")


def accepted(data: bytes) -> bool:
    """Tell whether the reader takes ``data``."""
    try:
        xml.parse(data, FILE)
    except DeploymentError:
        return False
    return True


@settings(steady, max_examples=1000)
@given(trees())
def test_reader_and_schema_agree(data: bytes) -> None:
    """The reader takes exactly what the schema describes."""
    assert accepted(data) == SCHEMA.validate(etree.fromstring(data))
    judged(data)


def test_reader_and_schema_agree_on_every_value() -> None:
    """Each odd value, put in each place for a value, is taken by both or by neither."""
    for place, node in enumerate(etree.fromstring(VALID.encode()).iter()):
        for name in [*node.attrib, None]:
            for value in VALUES:
                root = etree.fromstring(VALID.encode())
                target = list(root.iter())[place]
                if name is None:
                    target.text = value
                else:
                    target.set(name, value)
                data = etree.tostring(root, encoding="utf-8")
                assert accepted(data) == SCHEMA.validate(etree.fromstring(data)), data


@steady
@given(st.text(max_size=6) | st.text(st.characters(max_codepoint=0x2100), max_size=3))
def test_reader_and_schema_agree_on_every_name(name: str) -> None:
    """The two patterns of a name are the same, whatever Unicode brings."""
    root = etree.fromstring(VALID.encode())
    target = root.find("actors/actor/name")
    assert target is not None
    try:
        target.text = name
    except ValueError:  # no XML file can hold it
        return
    data = etree.tostring(root, encoding="utf-8")
    assert accepted(data) == SCHEMA.validate(etree.fromstring(data))


def test_no_name_hides_a_character() -> None:
    """No name has a control, a space, or what turns the direction of writing."""
    for codepoint in range(sys.maxunicode + 1):
        character = chr(codepoint)
        hidden = unicodedata.category(character) in {"Cc", "Zs", "Zl", "Zp"}
        if hidden or unicodedata.bidirectional(character) in DIRECTIONS:
            assert not NAME.fullmatch(f"a{character}b"), hex(codepoint)
            assert not ADDRESS.fullmatch(f"a{character}b"), hex(codepoint)
