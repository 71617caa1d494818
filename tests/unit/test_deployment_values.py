"""Texts and attributes of deployment files: which values there are, and how others are refused."""

from __future__ import annotations

import pytest
from tests.deployments import VALID, Bad, parse, refused
from tests.schema import describes

from eactors.deployment import limits

ID = "write a number from 0 to 65535"
NAME = "a name is 1 to 255 letters, digits, '_', '.' or '-', and begins with neither '.' nor '-'"
PAIR = 'write both names with a space between, such as between="Ping Pong"'
CIPHERS = "write 'none' or 'aes-128-gcm' or 'aes-256-gcm' or 'chacha20-poly1305'"
PATH = "write a path, relative to the deployment file"
MODULE = "write package.module, or module:NAME"

SIZE = "write a number of bytes, or of KiB, MiB or GiB, such as '64 MiB'"
BAD = {
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
        'enclave="1"', 'enclave="x"', 32, "enclave of <enclave-settings> is not a number: 'x'", ID
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
    "cipher that there is not": Bad(
        'cipher="none"',
        'cipher="aes-gcm"',
        27,
        "cipher of <channel> cannot be 'aes-gcm'",
        f"did you mean 'aes-256-gcm'? {CIPHERS}",
    ),
    "key exchange that there is not": Bad(
        'cipher="none"',
        'key-exchange="remote"',
        27,
        "key-exchange of <channel> cannot be 'remote'",
        "write 'local-attestation' or 'remote-attestation' or 'sealing' or 'diffie-hellman'",
    ),
    "insecure in other words": Bad(
        'cipher="none"',
        'insecure="true"',
        27,
        "insecure of <channel> cannot be 'true'",
        "write 'yes' or 'no'",
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
        32,
        "name of <enclave-settings> is not a legal name: 'the bank'",
        NAME,
    ),
    "signer that is no name": Bad(
        'signer="alice"',
        'signer="alice bob"',
        32,
        "signer of <enclave-settings> is not a legal name: 'alice bob'",
        NAME,
    ),
    "owners that are no one": Bad(
        'owners="alice  bob"',
        'owners=" "',
        32,
        "owners of <enclave-settings> is empty",
        "write one name or several, with spaces between",
    ),
    "owners with a comma": Bad(
        'owners="alice  bob"',
        'owners="alice, bob"',
        32,
        "owners of <enclave-settings> is not a legal name: 'alice,'",
        NAME,
    ),
    "debug in other words": Bad(
        'debug="no"',
        'debug="off"',
        32,
        "debug of <enclave-settings> cannot be 'off'",
        "write 'yes' or 'no'",
    ),
    "product id that is too large": Bad(
        'product-id="7"',
        'product-id="65536"',
        32,
        "product-id of <enclave-settings> is out of range: '65536'",
        ID,
    ),
    "security version that is no number": Bad(
        'security-version="2"',
        'security-version="2.1"',
        32,
        "security-version of <enclave-settings> is not a number: '2.1'",
        ID,
    ),
    "platform of a later version": Bad(
        'platform="simulation"',
        'platform="gramine"',
        32,
        "platform of <enclave-settings> cannot be 'gramine': it is not in this version",
        'write platform="simulation", or delete the attribute',
    ),
    "platform that is misspelt": Bad(
        'platform="simulation"',
        'platform="simulatoin"',
        32,
        "platform of <enclave-settings> cannot be 'simulatoin'",
        "did you mean 'simulation'? write 'simulation'",
    ),
    "key without a name": Bad('name="bob"', 'name=""', 34, "name of <key> is empty", NAME),
    "key without a file": Bad('"bob.pem"', '" "', 34, "file of <key> is empty", PATH),
    "key file of invisible characters": Bad(
        '"bob.pem"', '"b\u200bb.pem"', 34, r"file of <key> is not a legal path: 'b\u200bb.pem'", PATH
    ),
    "key file with a line feed": Bad(
        '"bob.pem"', '"b&#10;b.pem"', 34, r"file of <key> is not a legal path: 'b\nb.pem'", PATH
    ),
    "nothing required": Bad('"codes:TABLE"', '""', 35, "module of <requires> is empty", MODULE),
    "requires a file": Bad(
        '"codes:TABLE"',
        '"lib/codes.py"',
        35,
        "module of <requires> is not a legal module: 'lib/codes.py'",
        MODULE,
    ),
    "requires a relative module": Bad(
        '"codes:TABLE"', '".codes"', 35, "module of <requires> is not a legal module: '.codes'", MODULE
    ),
    "requires a name of a name": Bad(
        '"codes:TABLE"',
        '"codes:TABLE.x"',
        35,
        "module of <requires> is not a legal module: 'codes:TABLE.x'",
        MODULE,
    ),
    "requires what begins with a digit": Bad(
        '"codes:TABLE"', '"2to3"', 35, "module of <requires> is not a legal module: '2to3'", MODULE
    ),
    "requires a module of too long a name": Bad(
        '"codes:TABLE"',
        f'"{"m" * 256}"',
        35,
        f"module of <requires> is not a legal module: '{'m' * 60}...'",
        MODULE,
    ),
    "directory without a path": Bad(
        'path=" files/of ours "', 'path=""', 36, "path of <directory> is empty", PATH
    ),
    "directory of a path": Bad(
        'name="data"', 'name="data/x"', 36, "name of <directory> is not a legal name: 'data/x'", NAME
    ),
    "directory that is executed": Bad(
        'access="write"',
        'access="reed"',
        36,
        "access of <directory> cannot be 'reed'",
        "did you mean 'read'? write 'read' or 'write'",
    ),
    "network of nobody": Bad(
        'actor="Ping" sockets', 'actor="" sockets', 37, "actor of <network> is empty", NAME
    ),
    "store of a size in other units": Bad(
        "64  MiB", "64 MB", 39, "size of <store> is not a size: '64 MB'", SIZE
    ),
    "store of no size": Bad("64  MiB", "0", 39, "size of <store> is not a size: '0'", SIZE),
    "store of a size without a number": Bad(
        "64  MiB", "MiB", 39, "size of <store> is not a size: 'MiB'", SIZE
    ),
    "store of another kind": Bad(
        "persistent",
        "persistant",
        39,
        "kind of <store> cannot be 'persistant'",
        "did you mean 'persistent'? write 'private' or 'public' or 'persistent'",
    ),
    "store with a key of nobody": Bad(
        'key="measurement"',
        'key="ours"',
        39,
        "key of <store> cannot be 'ours'",
        "write 'measurement' or 'signer' or 'shared'",
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


@pytest.mark.parametrize(
    ("old", "new", "numbers"),
    [
        ("<id>1</id>", "<id>{}</id>", limits.IDS),
        ("<cpu>7</cpu>", "<cpu>{}</cpu>", limits.CPUS),
        ('capacity="64"', 'capacity="{}"', limits.CAPACITIES),
        ('message-size="4096"', 'message-size="{}"', limits.MESSAGE_SIZES),
        ('node-size="512"', 'node-size="{}"', limits.NODE_SIZES),
        ('nodes="100"', 'nodes="{}"', limits.NODE_COUNTS),
        (' size="256"', ' size="{}"', limits.NODE_SIZES),
        ('product-id="7"', 'product-id="{}"', limits.PRODUCT_IDS),
        ('security-version="2"', 'security-version="{}"', limits.SECURITY_VERSIONS),
        ('sockets="1000"', 'sockets="{}"', limits.SOCKETS),
        ('unread="2097152"', 'unread="{}"', limits.UNREAD_SIZES),
    ],
)
def test_limits_are_those_of_the_schema(old: str, new: str, numbers: range) -> None:
    """The reader and the schema draw every limit at the same number."""
    assert VALID.count(old) == 1
    for number in (numbers.start - 1, numbers.start, numbers.stop - 1, numbers.stop):
        text = VALID.replace(old, new.format(number))
        assert describes(text) == (number in numbers)
        if number in numbers:
            parse(text)
        else:
            assert "is out of range" in refused(text).message
