"""The reader of deployment files: what it makes of good ones, and how it refuses bad ones."""

from __future__ import annotations

import codecs
import os
import re
from typing import TYPE_CHECKING, NamedTuple

import pytest
from lxml import etree

from eactors.deployment import xml
from eactors.deployment.model import (
    ChannelSettings,
    DeployedActor,
    Deployment,
    EnclaveName,
    EnclaveShare,
    Param,
    PoolSettings,
    Server,
    WaitSettings,
    Worker,
)
from eactors.errors import DeploymentError

if TYPE_CHECKING:
    from pathlib import Path

FILE = "demo.xml"

# The line numbers in the tests below count from the "<data>" of this text.
VALID = """\
<data>
  <actors>
    <actor><id>7</id><name>Ping</name></actor>
    <actor>
      <id>3</id><name> keeper1 </name>
      <class>Keeper</class>
    </actor>
  </actors>
  <servers>
    <server>
      <ip>localhost</ip>
      <workers>
        <worker>
          <id>0</id>
          <cpus><cpu>0</cpu><cpu>7</cpu></cpus>
          <enclave><id>0</id><actors><actor>Ping</actor></actors></enclave>
          <enclave>
            <id>1</id>
            <actors>
              <actor>keeper1</actor>
            </actors>
          </enclave>
        </worker>
      </workers>
    </server>
  </servers>
  <channel between="Ping keeper1" cipher="none" capacity="64" message-size="4096" node-size="512"/>
  <pool name="nodes" nodes="100" size="256" kind="private"/>
  <wait worker="0" policy="sleep"/>
  <param actor="Ping" name="rounds"> 10 </param>
  <enclave-settings enclave="1" name="bank"/>
</data>
"""


def parse(text: str) -> Deployment:
    """Read ``text`` as if it were a file."""
    return xml.parse(text.encode(), FILE)


def refused(text: str | bytes) -> DeploymentError:
    """Return the error that ``text`` is refused with."""
    with pytest.raises(DeploymentError) as caught:
        xml.parse(text if isinstance(text, bytes) else text.encode(), FILE)
    assert caught.value.file == FILE
    return caught.value


def test_whole_deployment() -> None:
    """Every element and attribute of the language arrives in the model, with its line."""
    assert parse(VALID) == Deployment(
        file=FILE,
        actors=(DeployedActor(7, "Ping", 3), DeployedActor(3, "keeper1", 4, "Keeper")),
        servers=(
            Server(
                "localhost",
                (
                    Worker(
                        0,
                        (0, 7),
                        (EnclaveShare(0, ("Ping",), 16, (16,)), EnclaveShare(1, ("keeper1",), 17, (20,))),
                        13,
                    ),
                ),
                10,
            ),
        ),
        channels=(ChannelSettings(("Ping", "keeper1"), 27, "none", 64, 4096, 512),),
        pools=(PoolSettings("nodes", 28, 100, 256, "private"),),
        waits=(WaitSettings(0, "sleep", 29),),
        params=(Param("Ping", "rounds", "10", 30),),
        enclave_names=(EnclaveName(1, "bank", 31),),
    )


def test_read_names_the_file(tmp_path: Path) -> None:
    """``read`` takes a path or its text, and the deployment knows what it was read from."""
    path = tmp_path / FILE
    path.write_text(VALID)
    assert xml.read(path) == xml.read(str(path))
    assert xml.read(path).file == str(path)


def test_settings_default_to_none() -> None:
    """A setting that is not given is None, so that whoever uses it has the default."""
    deployment = parse(
        '<data><channel between="A B"/><pool name="p"/><actors/><servers/></data>',
    )
    assert deployment.channels == (ChannelSettings(("A", "B"), 1),)
    assert deployment.pools == (PoolSettings("p", 1),)


@pytest.mark.parametrize("cpus", ["", "<cpus/>", "<cpus>\n </cpus>"])
def test_no_cpus_is_any_cpu(cpus: str) -> None:
    """Without CPUs a worker may run on all of them."""
    text = VALID.replace("<cpus><cpu>0</cpu><cpu>7</cpu></cpus>", cpus)
    assert parse(text).servers[0].workers[0].cpus == ()


def test_comments_and_instructions_anywhere() -> None:
    """Comments and processing instructions do not count, not even within a text."""
    text = VALID.replace(">", "><!-- <!DOCTYPE no> --><?editor x?>").replace("Ping</", "Pi<!-- - -->ng</")
    text = '<?xml version="1.0" encoding="UTF-8"?><!-- first -->' + text
    assert parse(text) == parse(VALID)


def test_order_of_children_does_not_matter() -> None:
    """Settings may come first, and the children of an element in any order."""
    text = VALID.replace("<id>7</id><name>Ping</name>", "<name>Ping</name><id>7</id>")
    setting = '<wait worker="0" policy="sleep"/>'
    text = text.replace(setting, "").replace("<data>", f"<data>{setting}")
    text = text.replace("          <id>0</id>\n", "\n").replace("        </worker>", "<id>0</id></worker>")
    got, expected = parse(text), parse(VALID)
    assert (got.actors, got.servers) == (expected.actors, expected.servers)
    assert got.waits == (WaitSettings(0, "sleep", 1),)


def test_byte_order_mark() -> None:
    """A file from an editor that writes a byte order mark is read like any other."""
    assert xml.parse(codecs.BOM_UTF8 + VALID.encode(), FILE) == parse(VALID)


def test_schema_location_is_for_editors() -> None:
    """The root element may say where its schema is; no one looks there."""
    location = (
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="/dev/zero"'
    )
    assert parse(VALID.replace("<data>", f"<data {location}>")) == parse(VALID)


def test_names_beyond_ascii() -> None:
    """A class may have a name in any script that Python takes."""
    assert parse(VALID.replace("Ping", "Écho")).actors[0].name == "Écho"


def test_param_may_be_empty_and_keeps_inner_space() -> None:
    """A parameter is any text; only the whitespace around it goes."""
    assert parse(VALID.replace("> 10 <", "><")).params[0].value == ""
    assert parse(VALID.replace("> 10 <", ">\n a &lt;  <![CDATA[<b>]]>\n<")).params[0].value == "a <  <b>"


class Bad(NamedTuple):
    """A bad input: ``old`` of the valid file replaced by ``new``, and what is said of it."""

    old: str
    new: str
    line: int
    message: str
    hint: str


ID = "write a number from 0 to 65535"
NAME = "a name is 1 to 255 letters, digits, '_', '.' or '-', and begins with neither '.' nor '-'"
CHANNEL = "between, cipher, capacity, message-size, node-size"
MALFORMED = (
    "every element must be closed, in the reverse order of opening;"
    " '<' and '&' are written '&lt;' and '&amp;'"
)
PAIR = 'write both names with a space between, such as between="Ping Pong"'

BAD = {
    "unknown root": Bad(
        VALID,
        VALID.replace("data>", "date>"),
        1,
        "unknown element <date> in a deployment file",
        "did you mean <data>? allowed in a deployment file: <data>",
    ),
    "misspelt start tag": Bad(
        "<servers>\n    <server>",
        "<servers>\n    <sever>",
        25,
        "malformed XML: Opening and ending tag mismatch: sever line 10 and server",
        MALFORMED,
    ),
    "unknown element with a near name": Bad(
        "<class>Keeper</class>",
        "<clas>Keeper</clas>",
        6,
        "unknown element <clas> in <actor>",
        "did you mean <class>? allowed in <actor>: <id>, <name>, <class>",
    ),
    "unknown element with no near name": Bad(
        "<ip>", "<gpu/><ip>", 11, "unknown element <gpu> in <server>", "allowed in <server>: <ip>, <workers>"
    ),
    "element in the wrong place": Bad(
        "<servers>",
        '<servers><pool name="p"/>',
        9,
        "unknown element <pool> in <servers>",
        "allowed in <servers>: <server>",
    ),
    "element in a setting": Bad(
        ' policy="sleep"/>',
        ' policy="sleep"><id>0</id></wait>',
        29,
        "unknown element <id> in <wait>",
        "allowed in <wait>: no elements",
    ),
    "element in a text": Bad(
        "<actor>keeper1</actor>",
        "<actor><id>3</id></actor>",
        20,
        "unknown element <id> in <actor>",
        "this <actor> holds a text and no elements",
    ),
    "namespace": Bad(
        "<data>",
        '<data xmlns="urn:x">',
        1,
        "<data> is in the namespace 'urn:x'",
        "a deployment has no namespace: delete the xmlns attribute or the prefix",
    ),
    "undeclared prefix": Bad(
        "<ip>localhost</ip>",
        "<x:ip/>",
        11,
        "malformed XML: Namespace prefix x on ip is not defined",
        MALFORMED,
    ),
    "undeclared entity": Bad(
        "localhost",
        "&host;",
        11,
        "malformed XML: Entity 'host' not defined",
        MALFORMED,
    ),
    "unknown attribute with a near name": Bad(
        "message-size",
        "mesage-size",
        27,
        "unknown attribute 'mesage-size' of <channel>",
        f"did you mean message-size? allowed in <channel>: {CHANNEL}",
    ),
    "unknown attribute with no near name": Bad(
        'capacity="64"',
        'x="64"',
        27,
        "unknown attribute 'x' of <channel>",
        f"allowed in <channel>: {CHANNEL}",
    ),
    "attribute where there are none": Bad(
        "<worker>", '<worker id="0">', 13, "unknown attribute 'id' of <worker>", "<worker> has no attributes"
    ),
    "attribute of a leaf": Bad(
        "<ip>", '<ip kind="v4">', 11, "unknown attribute 'kind' of <ip>", "<ip> has no attributes"
    ),
    "attribute of the root": Bad(
        "<data>", '<data version="1">', 1, "unknown attribute 'version' of <data>", "<data> has no attributes"
    ),
    "text among elements": Bad(
        "<workers>", "<workers>two", 12, "stray text in <workers>: 'two'", "<workers> holds only <worker>"
    ),
    "text after an element": Bad(
        "</class>",
        "</class>;",
        6,
        "stray text in <actor>: ';'",
        "<actor> holds only <id> and <name> and <class>",
    ),
    "text in a setting": Bad(
        'policy="sleep"/>',
        'policy="sleep">x</wait>',
        29,
        "stray text in <wait>: 'x'",
        "<wait> holds nothing: end it with />",
    ),
    "missing actors": Bad(
        VALID[VALID.index("<actors>") : VALID.index("  <servers>")],
        "",
        1,
        "<data> has no <actors>",
        "add <actors>...</actors> to this <data>",
    ),
    "missing servers": Bad(
        VALID[VALID.index("<servers>") : VALID.index("  <channel")],
        "",
        1,
        "<data> has no <servers>",
        "add <servers>...</servers> to this <data>",
    ),
    "missing actor id": Bad("<id>3</id>", "", 4, "<actor> has no <id>", "add <id>0</id> to this <actor>"),
    "missing actor name": Bad(
        "<name> keeper1 </name>", "", 4, "<actor> has no <name>", "add <name>Ping</name> to this <actor>"
    ),
    "missing ip": Bad(
        "<ip>localhost</ip>", "", 10, "<server> has no <ip>", "add <ip>localhost</ip> to this <server>"
    ),
    "missing workers": Bad(
        VALID[VALID.index("<workers>") : VALID.index("    </server>")],
        "",
        10,
        "<server> has no <workers>",
        "add <workers>...</workers> to this <server>",
    ),
    "missing worker id": Bad(
        "          <id>0</id>\n", "\n", 13, "<worker> has no <id>", "add <id>0</id> to this <worker>"
    ),
    "missing enclave id": Bad(
        "<id>1</id>", "", 17, "<enclave> has no <id>", "add <id>0</id> to this <enclave>"
    ),
    "missing actors of an enclave": Bad(
        "<actors><actor>Ping</actor></actors>",
        "",
        16,
        "<enclave> has no <actors>",
        "add <actors><actor>Ping</actor></actors> to this <enclave>",
    ),
    "missing between": Bad(
        'between="Ping keeper1"',
        "",
        27,
        "<channel> has no attribute between",
        'add between="..." to this <channel>',
    ),
    "missing policy": Bad(
        'policy="sleep"', "", 29, "<wait> has no attribute policy", 'add policy="..." to this <wait>'
    ),
    "missing param actor": Bad(
        'actor="Ping" ', "", 30, "<param> has no attribute actor", 'add actor="..." to this <param>'
    ),
    "two actors lists": Bad(
        "</data>",
        "<actors/></data>",
        32,
        "<actors> stands twice in <data>: here and in line 2",
        "delete one of the two",
    ),
    "two names of an actor": Bad(
        "<class>",
        "<name>Pong</name><class>",
        6,
        "<name> stands twice in <actor>: here and in line 5",
        "delete one of the two",
    ),
    "two cpus lists": Bad(
        "<cpus>",
        "<cpus/><cpus>",
        15,
        "<cpus> stands twice in <worker>: here and in line 15",
        "delete one of the two",
    ),
    "attribute given twice": Bad(
        'kind="private"',
        'kind="private" kind="public"',
        28,
        "malformed XML: Attribute kind redefined",
        MALFORMED,
    ),
    "enclave id that is not a number": Bad(
        "<id>1</id>", "<id>one</id>", 18, "<id> is not a number: 'one'", ID
    ),
    "empty id": Bad("<id>1</id>", "<id/>", 18, "<id> is empty", ID),
    "negative id": Bad("<id>1</id>", "<id>-1</id>", 18, "<id> is out of range: '-1'", ID),
    "signed id": Bad("<id>1</id>", "<id>+1</id>", 18, "<id> is not a number: '+1'", ID),
    "id with a point": Bad("<id>1</id>", "<id>1.0</id>", 18, "<id> is not a number: '1.0'", ID),
    "id with underscores, which Python takes": Bad(
        "<id>1</id>", "<id>1_0</id>", 18, "<id> is not a number: '1_0'", ID
    ),
    "id in other digits, which Python takes": Bad(
        "<id>1</id>", "<id>\u0663</id>", 18, "<id> is not a number: '\u0663'", ID
    ),
    "id that is too large": Bad("<id>1</id>", "<id>65536</id>", 18, "<id> is out of range: '65536'", ID),
    "id that is absurdly large": Bad(
        "<id>1</id>", f"<id>{'9' * 10_000}</id>", 18, f"<id> is out of range: '{'9' * 60}...'", ID
    ),
    "cpu that is not a number": Bad("<cpu>7</cpu>", "<cpu>all</cpu>", 15, "<cpu> is not a number: 'all'", ID),
    "negative cpu": Bad("<cpu>7</cpu>", "<cpu>-7</cpu>", 15, "<cpu> is out of range: '-7'", ID),
    "worker of wait that is not a number": Bad(
        'worker="0"', 'worker="*"', 29, "worker of <wait> is not a number: '*'", ID
    ),
    "enclave of settings that is not a number": Bad(
        'enclave="1"', 'enclave="x"', 31, "enclave of <enclave-settings> is not a number: 'x'", ID
    ),
    "empty actor name": Bad("<name> keeper1 </name>", "<name> </name>", 5, "<name> is empty", NAME),
    "actor name with a space": Bad(
        "<name> keeper1 </name>", "<name>keeper 1</name>", 5, "<name> is not a legal name: 'keeper 1'", NAME
    ),
    "actor name with punctuation": Bad(
        "<name> keeper1 </name>", "<name>a=b</name>", 5, "<name> is not a legal name: 'a=b'", NAME
    ),
    "actor name that climbs": Bad(
        "<name> keeper1 </name>", "<name>../x</name>", 5, "<name> is not a legal name: '../x'", NAME
    ),
    "actor name that is invisible in part": Bad(
        "<name> keeper1 </name>", "<name>a\u200bb</name>", 5, r"<name> is not a legal name: 'a\u200bb'", NAME
    ),
    "actor name that is too long": Bad(
        "<name> keeper1 </name>",
        f"<name>{'k' * 256}</name>",
        5,
        f"<name> is not a legal name: '{'k' * 60}...'",
        NAME,
    ),
    "empty class": Bad("<class>Keeper</class>", "<class/>", 6, "<class> is empty", NAME),
    "empty placed actor": Bad("<actor>keeper1</actor>", "<actor/>", 20, "<actor> is empty", NAME),
    "empty ip": Bad(
        "<ip>localhost</ip>",
        "<ip></ip>",
        11,
        "<ip> is empty",
        "write an IP address or a host name, such as localhost",
    ),
    "ip with a space": Bad(
        "<ip>localhost</ip>",
        "<ip>my host</ip>",
        11,
        "<ip> is not a legal address: 'my host'",
        "write an IP address or a host name, such as localhost",
    ),
    "channel of one actor": Bad(
        "Ping keeper1", "Ping", 27, "between of <channel> does not name two actors: 'Ping'", PAIR
    ),
    "channel of three actors": Bad(
        "Ping keeper1", "A B C", 27, "between of <channel> does not name two actors: 'A B C'", PAIR
    ),
    "channel with a comma": Bad(
        "Ping keeper1", "Ping, Pong", 27, "between of <channel> is not a legal name: 'Ping,'", NAME
    ),
    "cipher of a later version": Bad(
        'cipher="none"',
        'cipher="aes-gcm"',
        27,
        "cipher of <channel> cannot be 'aes-gcm'",
        'encrypted channels are not in this version: write cipher="none", or delete the attribute',
    ),
    "capacity of nothing": Bad(
        'capacity="64"',
        'capacity="0"',
        27,
        "capacity of <channel> is out of range: '0'",
        "write a number from 1 to 65536",
    ),
    "capacity that is too large": Bad(
        'capacity="64"',
        'capacity="65537"',
        27,
        "capacity of <channel> is out of range: '65537'",
        "write a number from 1 to 65536",
    ),
    "message size with a unit": Bad(
        'message-size="4096"',
        'message-size="4k"',
        27,
        "message-size of <channel> is not a number: '4k'",
        "write a number from 1 to 1073741824",
    ),
    "node size that is too large": Bad(
        'node-size="512"',
        'node-size="268435457"',
        27,
        "node-size of <channel> is out of range: '268435457'",
        "write a number from 1 to 268435456",
    ),
    "pool without a name": Bad('"nodes"', '""', 28, "name of <pool> is empty", NAME),
    "pool of no nodes": Bad(
        'nodes="100"',
        'nodes="0"',
        28,
        "nodes of <pool> is out of range: '0'",
        "write a number from 1 to 16777216",
    ),
    "pool of empty nodes": Bad(
        'size="256"',
        'size="0"',
        28,
        "size of <pool> is out of range: '0'",
        "write a number from 1 to 268435456",
    ),
    "kind of pool that is misspelt": Bad(
        'kind="private"',
        'kind="privat"',
        28,
        "kind of <pool> cannot be 'privat'",
        "did you mean 'private'? write 'public' or 'private'",
    ),
    "policy that there is not": Bad(
        'policy="sleep"',
        'policy="never"',
        29,
        "policy of <wait> cannot be 'never'",
        "write 'adaptive' or 'spin' or 'sleep'",
    ),
    "param without a name": Bad('name="rounds"', 'name=""', 30, "name of <param> is empty", NAME),
    "enclave name that is not one": Bad(
        'name="bank"',
        'name="the bank"',
        31,
        "name of <enclave-settings> is not a legal name: 'the bank'",
        NAME,
    ),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_refuses(bad: Bad) -> None:
    """A bad input is refused with its line, what is wrong, and what would be right."""
    assert VALID.count(bad.old) >= 1
    error = refused(VALID.replace(bad.old, bad.new, 1))
    assert (error.line, error.message, error.hint) == (bad.line, bad.message, bad.hint)
    assert str(error) == f"{FILE}:{bad.line}: {bad.message}"


@pytest.mark.parametrize(
    "data", [b"", b"  \n", b"actors: []\n", b"<data>", b"\x00", VALID.encode("utf-16-le")]
)
def test_refuses_what_is_not_xml(data: bytes) -> None:
    """A file that is empty, cut short, or no XML at all is malformed."""
    assert refused(data).message.startswith("malformed XML: ")


def test_refuses_other_encodings() -> None:
    """Only UTF-8 is read, and the first byte that is not is found."""
    error = refused(VALID.replace("Ping", "Écho").encode("latin-1"))
    assert (error.line, error.message) == (3, "the file is not UTF-8 text")
    assert error.hint == "save it in the encoding UTF-8"
    assert refused(VALID.encode("utf-16")).message == "the file is not UTF-8 text"


def test_refuses_a_huge_file() -> None:
    """A file that cannot be a deployment is not even parsed."""
    error = refused(b" " * (4 * 2**20 + 1))
    assert (error.line, error.message) == (None, "the file is larger than 4194304 bytes")
    assert error.hint == "is it a deployment file?"


def test_read_stops_at_the_largest_file() -> None:
    """A device that never ends is refused like a huge file."""
    with pytest.raises(DeploymentError, match="the file is larger than 4194304 bytes"):
        xml.read("/dev/zero")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("there-is-no-such.xml", "No such file or directory"),
        ("/", "Is a directory"),
        ("a\0b", "embedded null byte"),
    ],
)
def test_refuses_an_unreadable_file(path: str, reason: str) -> None:
    """A path that cannot be read is an error of the user's, with the system's reason."""
    with pytest.raises(DeploymentError) as caught:
        xml.read(path)
    assert caught.value.file == path
    assert caught.value.message == f"cannot read the deployment: {reason}"
    assert caught.value.hint == "give the path of a deployment XML file"


def test_refuses_deep_nesting() -> None:
    """Elements nested without end are refused and exhaust no stack."""
    assert refused("<data>" * 300_000).message.startswith("malformed XML: Excessive depth")


BILLION_LAUGHS = (
    '<!DOCTYPE data [<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 30))
    + "]>"
)
DOCUMENT_TYPES = {
    "plain": "<!DOCTYPE data>",
    "other file": '<!DOCTYPE data SYSTEM "/etc/hostname">',
    "other machine": '<!DOCTYPE data PUBLIC "x" "http://localhost:9/x.dtd">',
    "billion laughs": BILLION_LAUGHS,
    "external entity": '<!DOCTYPE data [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
    "parameter entity": '<!DOCTYPE data [<!ENTITY % x SYSTEM "file:///etc/hostname"> %x;]>',
}


@pytest.mark.parametrize("document_type", DOCUMENT_TYPES.values(), ids=DOCUMENT_TYPES)
def test_refuses_a_document_type(document_type: str) -> None:
    """Entities, and with them all that they can do, begin with a document type."""
    error = refused(f'<?xml version="1.0"?>\n<!-- a --><?b c?>\n{document_type}\n{VALID}')
    assert (error.line, error.message) == (3, "a document type (<!DOCTYPE>) is not allowed")
    assert error.hint == (
        "delete it and write out what its entities stand for: a deployment refers to no other file"
    )


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """A pipe that no one writes to: whoever opens it for reading hangs, and the test with it."""
    path = tmp_path / "canary"
    os.mkfifo(path)
    return path


def entity_file(canary: Path, use: str) -> str:
    """Return a deployment that needs the canary to be read."""
    return (
        f'<!DOCTYPE data [<!ENTITY name SYSTEM "{canary.as_uri()}"><!ENTITY laugh "{"ha" * 100}">]>\n'
        + VALID.replace("localhost", use)
    )


def test_external_entity_is_not_read(canary: Path) -> None:
    """An external entity is refused and its file is never opened."""
    assert refused(entity_file(canary, "&name;")).message.startswith("a document type")


@pytest.mark.parametrize("use", ["&name;", "&laugh;", "localhost"])
def test_external_entity_is_not_read_by_the_parser(
    canary: Path, use: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Should the search for a document type ever miss one, the parser refuses it all the same."""
    monkeypatch.setattr(xml, "_DOCUMENT_TYPE", re.compile(r"(?!)"))
    error = refused(entity_file(canary, use))
    assert error.message == "a document type (<!DOCTYPE>) is not allowed"


@pytest.mark.parametrize(
    "text",
    [
        "<!---->" * 500_000,
        "<!-- " * 500_000,
        "<?a?>" * 500_000,
        "<?a " * 500_000,
        " <!---->" * 400_000 + "<",
        " " * 4_000_000,
    ],
    ids=["comments", "open comments", "instructions", "open instructions", "mixed", "spaces"],
)
def test_long_prologs_take_no_time(text: str) -> None:
    """The search for a document type is linear: the time limit of the tests would find it out."""
    assert refused(text).message.startswith("malformed XML: ")


def test_long_names_take_no_time() -> None:
    """Looking for what was meant is no way to keep the reader busy."""
    error = refused(f"<data><{'actors' * 8_000}/></data>")
    assert error.message == f"unknown element <{('actors' * 11)[:60]}...> in <data>"
    assert error.hint is not None
    assert error.hint.startswith("allowed in <data>: <actors>, <servers>, <channel>")


def test_messages_are_safe_to_print() -> None:
    """What a terminal would obey is shown escaped."""
    assert refused(VALID.replace("Ping", "\x9b2J")).message == r"<name> is not a legal name: '\x9b2J'"


def test_schema_is_shipped_and_well_formed() -> None:
    """The schema lies in the package and describes a valid file."""
    schema = etree.XMLSchema(etree.parse(xml.SCHEMA))
    assert schema.validate(etree.fromstring(VALID))


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_schema_refuses_too(bad: Bad) -> None:
    """Whatever the reader refuses, the schema refuses."""
    schema = etree.XMLSchema(etree.parse(xml.SCHEMA))
    text = VALID.replace(bad.old, bad.new, 1)
    try:
        tree = etree.fromstring(text)
    except etree.XMLSyntaxError:
        return
    assert not schema.validate(tree)


@pytest.mark.parametrize(
    ("old", "new", "limits"),
    [
        ("<id>1</id>", "<id>{}</id>", xml.IDS),
        ("<cpu>7</cpu>", "<cpu>{}</cpu>", xml.CPUS),
        ('capacity="64"', 'capacity="{}"', xml.CAPACITIES),
        ('message-size="4096"', 'message-size="{}"', xml.MESSAGE_SIZES),
        ('node-size="512"', 'node-size="{}"', xml.NODE_SIZES),
        ('nodes="100"', 'nodes="{}"', xml.NODE_COUNTS),
        (' size="256"', ' size="{}"', xml.NODE_SIZES),
    ],
)
def test_limits_are_those_of_the_schema(old: str, new: str, limits: range) -> None:
    """The reader and the schema draw every limit at the same number."""
    schema = etree.XMLSchema(etree.parse(xml.SCHEMA))
    assert VALID.count(old) == 1
    for number in (limits.start - 1, limits.start, limits.stop - 1, limits.stop):
        text = VALID.replace(old, new.format(number))
        assert schema.validate(etree.fromstring(text)) == (number in limits)
        if number in limits:
            parse(text)
        else:
            assert "is out of range" in refused(text).message
