"""Reads the settings of a deployment file: all children of its root but actors and servers."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from eactors.deployment import limits
from eactors.deployment.model import (
    Access,
    ActorSettings,
    ChannelSettings,
    Cipher,
    Directory,
    EnclaveSettings,
    Key,
    KeyExchange,
    Kind,
    NetworkSettings,
    Param,
    Platform,
    PoolSettings,
    Requirement,
    Restart,
    Rollback,
    Start,
    StoreEncryption,
    StoreKey,
    StoreKind,
    StoreSettings,
    Trust,
    WaitPolicy,
    WaitSettings,
)

if TYPE_CHECKING:
    from typing import TypedDict

    from eactors.deployment.elements import Element
    from eactors.deployment.model import Rate
    from eactors.deployment.values import Value

SETTINGS = (
    *("channel", "pool", "wait", "param", "enclave-settings", "actor-settings", "key", "requires", "trust"),
    *("directory", "network", "store"),
)

_ACCESSES: dict[str, Access] = {access: access for access in get_args(Access)}
_CIPHERS: dict[str, Cipher] = {cipher: cipher for cipher in get_args(Cipher)}
_EXCHANGES: dict[str, KeyExchange] = {exchange: exchange for exchange in get_args(KeyExchange)}
_KINDS: dict[str, Kind] = {kind: kind for kind in get_args(Kind)}
_PLATFORMS: dict[str, Platform] = {platform: platform for platform in get_args(Platform)}
_LATER_PLATFORMS = ("gramine",)
_POLICIES: dict[str, WaitPolicy] = {policy: policy for policy in get_args(WaitPolicy)}
_STARTS: dict[str, Start] = {start: start for start in get_args(Start)}
_STORE_KINDS: dict[str, StoreKind] = {kind: kind for kind in get_args(StoreKind)}
_STORE_ENCRYPTIONS: dict[str, StoreEncryption] = {each: each for each in get_args(StoreEncryption)}
_STORE_KEYS: dict[str, StoreKey] = {key: key for key in get_args(StoreKey)}
_ROLLBACKS: dict[str, Rollback] = {each: each for each in get_args(Rollback)}
_RESTARTS: dict[str, Restart] = {restart: restart for restart in get_args(Restart)}
_YES_OR_NO = {"yes": True, "no": False}
_LIFE = ("start", "instances", "restart", "restarts")


def read_channel(element: Element) -> ChannelSettings:
    """Read a ``<channel>``."""
    optional = ("cipher", "key-exchange", "insecure", "capacity", "message-size", "node-size")
    given = element.settings("between", optional=optional)
    return ChannelSettings(
        between=given["between"].pair(),
        line=element.line,
        cipher=given["cipher"].choice(_CIPHERS) if "cipher" in given else None,
        capacity=_number(given, "capacity", limits.CAPACITIES),
        message_size=_number(given, "message-size", limits.MESSAGE_SIZES),
        node_size=_number(given, "node-size", limits.NODE_SIZES),
        exchange=given["key-exchange"].choice(_EXCHANGES) if "key-exchange" in given else None,
        insecure=_yes(given, "insecure"),
    )


def read_pool(element: Element) -> PoolSettings:
    """Read a ``<pool>``."""
    given = element.settings("name", optional=("nodes", "size", "kind"))
    return PoolSettings(
        name=given["name"].name(),
        line=element.line,
        nodes=_number(given, "nodes", limits.NODE_COUNTS),
        size=_number(given, "size", limits.NODE_SIZES),
        kind=given["kind"].choice(_KINDS) if "kind" in given else None,
    )


def read_wait(element: Element) -> WaitSettings:
    """Read a ``<wait>``."""
    given = element.settings("worker", "policy")
    return WaitSettings(given["worker"].number(limits.IDS), given["policy"].choice(_POLICIES), element.line)


def read_param(element: Element) -> Param:
    """Read a ``<param>``."""
    given = element.attributes("actor", "name")
    return Param(given["actor"].name(), given["name"].name(), element.text().text, element.line)


def read_key(element: Element) -> Key:
    """Read a ``<key>``."""
    given = element.settings("name", "file")
    return Key(given["name"].name(), given["file"].path(), element.line)


def read_requirement(element: Element) -> Requirement:
    """Read a ``<requires>``."""
    given = element.settings("enclave", "module")
    return Requirement(given["enclave"].number(limits.IDS), given["module"].module(), element.line)


def read_trust(element: Element) -> Trust:
    """Read a ``<trust>``."""
    given = element.settings("root", optional=("platform",))
    if "platform" in given:
        _platform(given["platform"])
    return Trust(given["root"].path(), element.line)


def read_directory(element: Element) -> Directory:
    """Read a ``<directory>``."""
    given = element.settings("name", "path", optional=("access", "actor"))
    return Directory(
        name=given["name"].name(),
        path=given["path"].path(),
        line=element.line,
        access=given["access"].choice(_ACCESSES) if "access" in given else None,
        actor=given["actor"].name() if "actor" in given else None,
    )


def read_network(element: Element) -> NetworkSettings:
    """Read a ``<network>``."""
    given = element.settings(optional=("actor", "sockets", "unread"))
    return NetworkSettings(
        line=element.line,
        actor=given["actor"].name() if "actor" in given else None,
        sockets=_number(given, "sockets", limits.SOCKETS),
        unread=_number(given, "unread", limits.UNREAD_SIZES),
    )


def read_store(element: Element) -> StoreSettings:
    """Read a ``<store>``."""
    given = element.settings("name", optional=("size", "kind", "file", "encryption", "key", "rollback"))
    return StoreSettings(
        name=given["name"].name(),
        line=element.line,
        size=given["size"].size() if "size" in given else None,
        kind=given["kind"].choice(_STORE_KINDS) if "kind" in given else None,
        file=given["file"].path() if "file" in given else None,
        encryption=given["encryption"].choice(_STORE_ENCRYPTIONS) if "encryption" in given else None,
        key=given["key"].choice(_STORE_KEYS) if "key" in given else None,
        rollback=given["rollback"].choice(_ROLLBACKS) if "rollback" in given else None,
    )


def read_enclave_settings(element: Element) -> EnclaveSettings:
    """Read an ``<enclave-settings>``."""
    optional = (
        *("name", "signer", "owners", "debug", "product-id", "security-version", "platform"),
        *_LIFE,
    )
    given = element.settings("enclave", optional=optional)
    return EnclaveSettings(
        enclave=given["enclave"].number(limits.IDS),
        line=element.line,
        name=given["name"].name() if "name" in given else None,
        signer=given["signer"].name() if "signer" in given else None,
        owners=given["owners"].names() if "owners" in given else None,
        debug=_yes(given, "debug"),
        product_id=_number(given, "product-id", limits.PRODUCT_IDS),
        security_version=_number(given, "security-version", limits.SECURITY_VERSIONS),
        platform=_platform(given["platform"]) if "platform" in given else None,
        **_life(given),
    )


def read_actor_settings(element: Element) -> ActorSettings:
    """Read an ``<actor-settings>``."""
    given = element.settings("actor", optional=_LIFE)
    return ActorSettings(actor=given["actor"].name(), line=element.line, **_life(given))


if TYPE_CHECKING:

    class _Life(TypedDict):
        start: Start | None
        instances: int | None
        restart: Restart | None
        restarts: Rate | None


def _life(given: dict[str, Value]) -> _Life:
    return {
        "start": given["start"].choice(_STARTS) if "start" in given else None,
        "instances": _number(given, "instances", limits.INSTANCES),
        "restart": given["restart"].choice(_RESTARTS) if "restart" in given else None,
        "restarts": given["restarts"].rate() if "restarts" in given else None,
    }


def _platform(value: Value) -> Platform:
    if value.text in _LATER_PLATFORMS:
        raise value.fail(
            f"cannot be {value.text!r}: it is not in this version",
            'write platform="simulation", or delete the attribute',
        )
    return value.choice(_PLATFORMS)


def _number(given: dict[str, Value], name: str, numbers: range) -> int | None:
    return given[name].number(numbers) if name in given else None


def _yes(given: dict[str, Value], name: str) -> bool | None:
    return given[name].choice(_YES_OR_NO) if name in given else None
