"""The reader of deployment files: what it makes of good ones."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

import pytest
from tests.deployments import FILE, VALID, parse

from eactors.deployment import xml
from eactors.deployment.model import (
    ChannelSettings,
    DeployedActor,
    Deployment,
    Directory,
    EnclaveSettings,
    EnclaveShare,
    Key,
    NetworkSettings,
    Param,
    PoolSettings,
    Requirement,
    Server,
    StoreSettings,
    WaitSettings,
    Worker,
)

if TYPE_CHECKING:
    from pathlib import Path


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
        enclave_settings=(
            EnclaveSettings(
                *(1, 32, "bank", "alice", ("alice", "bob")),
                debug=False,
                product_id=7,
                security_version=2,
                platform="simulation",
            ),
        ),
        keys=(Key("alice", "keys/alice's key.pem", 33), Key("bob", "bob.pem", 34)),
        requirements=(Requirement(1, "codes:TABLE", 35),),
        directories=(Directory("data", "files/of ours", 36, "write", "Ping"),),
        networks=(NetworkSettings(37, "Ping", 1000, 2097152),),
        stores=(
            StoreSettings(
                *("accounts", 39, 1 << 26, "persistent", "accounts.store", "aes-gcm", "measurement", "detect")
            ),
        ),
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
        '<data><channel between="A B"/><pool name="p"/><enclave-settings enclave="1"/>'
        "<network/><store name='s'/><actors/><servers/></data>",
    )
    assert deployment.channels == (ChannelSettings(("A", "B"), 1),)
    assert deployment.pools == (PoolSettings("p", 1),)
    assert deployment.enclave_settings == (EnclaveSettings(1, 1),)
    assert deployment.networks == (NetworkSettings(1),)
    assert deployment.stores == (StoreSettings("s", 1),)


@pytest.mark.parametrize(
    ("written", "size"),
    [("65536", 65536), ("64 KiB", 65536), ("1MiB", 1 << 20), (" 3\t GiB ", 3 << 30)],
)
def test_sizes_of_stores(written: str, size: int) -> None:
    """Bytes, or a number with a unit, with any space between."""
    assert parse(VALID.replace("64  MiB", written)).stores[0].size == size


def test_how_a_channel_is_encrypted() -> None:
    """Cipher, exchange and consent arrive as they are written, whatever they come to together."""
    attributes = 'cipher="aes-256-gcm" key-exchange="diffie-hellman" insecure="yes"'
    (channel,) = parse(VALID.replace('cipher="none"', attributes)).channels
    assert (channel.cipher, channel.exchange, channel.insecure) == ("aes-256-gcm", "diffie-hellman", True)
    (channel,) = parse(VALID.replace('cipher="none"', 'insecure="no"')).channels
    assert (channel.cipher, channel.exchange, channel.insecure) == (None, None, False)


@pytest.mark.parametrize("module", ["json", "package.module", "codes:TABLE", "a.b:C", "_é.x1"])
def test_what_may_be_required(module: str) -> None:
    """A module, or one name of a module."""
    assert parse(VALID.replace("codes:TABLE", module)).requirements[0].module == module


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
