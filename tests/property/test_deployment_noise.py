"""Deployments that are anything: random bytes and trees, refused or read, never a crash."""

from __future__ import annotations

import copy
import sys
import unicodedata
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from lxml import etree

from eactors.deployment import xml
from eactors.deployment.checks import check
from eactors.deployment.errors import DeploymentError
from eactors.deployment.values import ADDRESS, NAME

if TYPE_CHECKING:
    from eactors.deployment.model import (
        Deployment,
    )

FILE = "any.xml"


DIRECTIONS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


SCHEMA = etree.XMLSchema(etree.parse(xml.SCHEMA))


# How long an example takes is the machine's affair; the tests' own time limit finds a hang.
steady = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


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
  <channel between="Ping pong1" cipher="none" key-exchange="sealing" insecure="no" capacity="64"
    message-size="4096" node-size="512"/>
  <pool name="nodes" nodes="100" size="256" kind="private"/>
  <wait worker="0" policy="sleep"/>
  <param actor="Ping" name="rounds">10</param>
  <enclave-settings enclave="1" name="bank" signer="alice" owners="bob alice" debug="no" product-id="7"
    security-version="2" platform="simulation"/>
  <key name="alice" file="keys/alice.pem"/>
  <key name="bob" file="bob's key.pem"/>
  <requires enclave="1" module="codes:TABLE"/>
  <directory name="data" path="files" access="write" actor="Ping"/>
  <network actor="Ping" sockets="1000" unread="2097152"/>
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


ATTRIBUTES = [
    *("between", "cipher", "key-exchange", "insecure", "capacity", "message-size", "node-size", "name"),
    *("nodes", "size", "kind", "signer", "owners", "debug", "platform", "file", "enclave", "module"),
    *("actor", "sockets", "unread"),
]


VALUES = [
    *("", " ", "0", " 1\n", "01", "-1", "+1", "1.0", "1e3", "65535", "65536", "268435457", "00000000001"),
    *(
        "yes",
        "no ",
        "none",
        "aes-128-gcm",
        "sealing",
        "simulation",
        "alice\tbob",
        "a  b",
        "a\nb",
        "a.b",
        "a:b",
    ),
    *("a.b:c", "a:b:c", "a:b.c", ".a", "a.", "a..b", "a-b", "1a", "é.名", "a\u2003b", "/a b/c", "m" * 256),
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


PATTERNS = (
    ("actors/actor/name", None),
    ("key", "file"),
    ("requires", "module"),
    ("directory", "name"),
    ("directory", "path"),
    ("network", "actor"),
)


@steady
@given(
    st.text(max_size=6)
    | st.text(st.characters(max_codepoint=0x2100), max_size=3)
    | st.text("a1.:- ", max_size=6)
)
def test_reader_and_schema_agree_on_every_name(name: str) -> None:
    """The two patterns of a name are the same, whatever Unicode brings; so are those of paths and modules."""
    for place, attribute in PATTERNS:
        root = etree.fromstring(VALID.encode())
        target = root.find(place)
        assert target is not None
        try:
            if attribute is None:
                target.text = name
            else:
                target.set(attribute, name)
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
