"""Elements and attributes that do not belong where they stand, are missing, or stand twice."""

from __future__ import annotations

import pytest
from tests.deployments import VALID, Bad
from tests.schema import describes

CHANNEL = "between, cipher, key-exchange, insecure, capacity, message-size, node-size"
MALFORMED = (
    "every element must be closed, in the reverse order of opening;"
    " '<' and '&' are written '&lt;' and '&amp;'"
)

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
    "missing key file": Bad(
        ' file="bob.pem"', "", 34, "<key> has no attribute file", 'add file="..." to this <key>'
    ),
    "missing required module": Bad(
        ' module="codes:TABLE"',
        "",
        35,
        "<requires> has no attribute module",
        'add module="..." to this <requires>',
    ),
    "enclave of settings missing": Bad(
        ' enclave="1" name',
        " name",
        32,
        "<enclave-settings> has no attribute enclave",
        'add enclave="..." to this <enclave-settings>',
    ),
    "two actors lists": Bad(
        "</data>",
        "<actors/></data>",
        40,
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
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_refuses(bad: Bad) -> None:
    """A bad input is refused with its line, what is wrong, and what would be right."""
    bad.check()


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_schema_refuses_too(bad: Bad) -> None:
    """Whatever the reader refuses, the schema refuses."""
    assert not describes(bad.text())
