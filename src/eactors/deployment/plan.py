"""The plan: a deployment joined with its source. What would run, before anything does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

# What msgspec reads back for a launcher has its types at run time.
from eactors.deployment.model import (
    UNTRUSTED,
    Access,
    Cipher,
    KeyExchange,
    Kind,
    Platform,
    Rate,
    StoreEncryption,
    StoreKey,
    StoreKind,
    WaitPolicy,
)

if TYPE_CHECKING:
    from pathlib import Path

    from eactors.actor import Actor
    from eactors.deployment.model import Deployment

DEFAULT_CAPACITY = 64
"""Messages that may wait in each direction of a channel."""
DEFAULT_MESSAGE_SIZE = 1 << 20
"""Bytes that one message may have."""
DEFAULT_NODE_SIZE = 4096
"""Payload bytes of one node of a channel; a longer message travels in several."""
DEFAULT_SOCKETS = 16384
"""That an actor may have open at once."""
DEFAULT_UNREAD = 1 << 26
"""Bytes that have come for an actor and that it has not taken."""
DEFAULT_POOL_NODES = 64
DEFAULT_POOL_SIZE = 4096
DEFAULT_STORE_SIZE = 1 << 24
DEFAULT_CIPHER: Cipher = "aes-128-gcm"
DEFAULT_EXCHANGE: KeyExchange = "local-attestation"
DEFAULT_RESTARTS = Rate(3, 60)
DEFAULT_EXCHANGE_BETWEEN_SERVERS: KeyExchange = "remote-attestation"

Home = tuple[int, int]
"""A process: the place of a server, and the id of an enclave on it."""

Carrier = Literal["private", "public", "network"]
Protection = Literal["private", "plain", "encrypted"]


@dataclass(frozen=True, slots=True)
class PlannedLife:
    """When an enclave, or an actor in an enclave that runs, is started.

    Attributes:
        family: What a Factory is asked for to start it; None: it is started with the application.
        restart: Whether it is started anew after it has failed.
        failures: How often it may fail before it is given up.
    """

    family: str | None = None
    restart: bool = False
    failures: Rate = DEFAULT_RESTARTS

    @property
    def may_begin_again(self) -> bool:
        """Whether it may be started more than once, so that its peers must open their channels anew."""
        return self.restart or self.family is not None


@dataclass(frozen=True, slots=True)
class PlannedActor:
    """One placed actor; ``server`` is an index, ``worker`` and ``enclave`` are ids."""

    name: str
    cls: type[Actor]
    index: int | None
    server: int
    worker: int
    enclave: int
    params: dict[str, Any]
    family: str | None = None
    """What the file calls it, where it is one of several instances."""
    life: PlannedLife = PlannedLife()
    """When it is started; as a rule, with its enclave."""

    @property
    def home(self) -> Home:
        """The process it lives in."""
        return self.server, self.enclave


@dataclass(frozen=True, slots=True)
class ChannelEnd:
    """One end of a channel: an actor, and the attribute of its connector."""

    actor: str
    attribute: str

    def __str__(self) -> str:
        return f"{self.actor}.{self.attribute}"


@dataclass(frozen=True, slots=True)
class PlannedChannel:
    """A channel between two actors. Sizes in bytes, capacity in messages per direction.

    Attributes:
        id: Its number in the plan.
        exchange: How its two ends agree on keys; None unless it has a cipher.
    """

    id: int
    ends: tuple[ChannelEnd, ChannelEnd]
    carrier: Carrier
    cipher: Cipher
    exchange: KeyExchange | None
    capacity: int
    message_size: int
    node_size: int

    def __str__(self) -> str:
        return " - ".join(map(str, self.ends))

    @property
    def protection(self) -> Protection:
        """Who can read it: nobody can come near it, anyone, or the holders of its keys."""
        if self.carrier == "private":
            return "private"
        return "plain" if self.cipher == "none" else "encrypted"


@dataclass(frozen=True, slots=True)
class PlannedService:
    """An actor's channel to a system actor of its server; sizes as of a channel, and always plain.

    Attributes:
        ends_when_asked: Whether the actor is told on it that the application is to end, and ends.
    """

    id: int
    actor: str
    attribute: str
    system: str
    server: int
    capacity: int
    message_size: int
    node_size: int
    ends_when_asked: bool = False

    def __str__(self) -> str:
        return f"{self.actor}.{self.attribute} - system {self.system}"


@dataclass(frozen=True, slots=True)
class PlannedDirectory:
    """A directory below which an actor (None: every one) may open things; its path is absolute."""

    name: str
    path: str
    access: Access
    actor: str | None


@dataclass(frozen=True, slots=True)
class PlannedNetwork:
    """How many sockets, and bytes that it has not taken, an actor (None: every other) may have."""

    actor: str | None
    sockets: int
    unread: int


@dataclass(frozen=True, slots=True)
class PlannedPool:
    """A named pool, the mboxes that carry its nodes, and the actors that use them."""

    name: str
    kind: Kind
    nodes: int
    size: int
    mboxes: tuple[str, ...]
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlannedKeyChannel:
    """How one enclave gives the key of a store to another: an encrypted channel that no actor has.

    Attributes:
        id: Its number; they share their numbers with channels.
        enclaves: Who gives the key, and who gets it.
    """

    id: int
    store: str
    server: int
    enclaves: tuple[int, int]
    cipher: Cipher = "aes-256-gcm"
    exchange: KeyExchange = DEFAULT_EXCHANGE
    capacity: int = 8
    message_size: int = 64
    node_size: int = 512


@dataclass(frozen=True, slots=True)
class PlannedStore:
    """A store, and the actors that use it.

    Attributes:
        server: The place of the server that they are all on.
        limit: Blocks that it may grow to.
        file: Its path, absolute; None unless it is persistent.
        key: Who can have its key; None unless it is encrypted.
        detects: Whether it notices that it was put back to an older state.
        watchers: Those of the users that are told of changes.
    """

    name: str
    server: int
    kind: StoreKind
    limit: int
    file: str | None
    encryption: StoreEncryption
    key: StoreKey | None
    detects: bool
    users: tuple[str, ...]
    watchers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlannedShare:
    """What a worker executes in one enclave."""

    enclave: int
    actors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlannedWorker:
    """A worker of one server."""

    id: int
    cpus: tuple[int, ...]
    policy: WaitPolicy
    shares: tuple[PlannedShare, ...]


@dataclass(frozen=True, slots=True)
class PlannedServer:
    """A machine and its workers."""

    address: str
    workers: tuple[PlannedWorker, ...]
    enclaves: dict[int, str]
    """Names of the enclaves by id, 0 included if it has actors."""


@dataclass(frozen=True, slots=True)
class PlannedEnclave:
    """What is set of one enclave. Servers that use the same id share its settings.

    Attributes:
        title: How people are told of it.
        signer: Name of the key that signs its image; None: the development key.
        owners: Names of the keys that must all have signed the manifest for it to start; none
            where no key is declared.
        requires: ``package.module`` and ``module:NAME`` that its image has in any case, as the
            deployment and the classes of its actors ask, in alphabetical order.
    """

    id: int
    name: str | None
    title: str
    signer: str | None
    owners: tuple[str, ...]
    debug: bool
    product_id: int
    security_version: int
    platform: Platform
    requires: tuple[str, ...]
    life: PlannedLife = PlannedLife()


@dataclass(frozen=True, slots=True)
class Plan:
    """All that will run. Channels and pools are in the order of their declaration.

    Attributes:
        enclaves: By id and in that order, without the untrusted side.
        untrusted_requires: What the code of the untrusted side has in any case.
        keys: The file of each declared key, by name.
    """

    source: Path
    deployment: Deployment
    actors: dict[str, PlannedActor]
    servers: tuple[PlannedServer, ...]
    channels: tuple[PlannedChannel, ...]
    services: tuple[PlannedService, ...]
    directories: tuple[PlannedDirectory, ...]
    networks: tuple[PlannedNetwork, ...]
    pools: tuple[PlannedPool, ...]
    stores: tuple[PlannedStore, ...]
    key_channels: tuple[PlannedKeyChannel, ...]
    enclaves: dict[int, PlannedEnclave]
    keys: dict[str, Path]
    untrusted_requires: tuple[str, ...] = ()
    unplaced: tuple[str, ...] = ()


def enclave_title(enclave: int, name: str | None = None) -> str:
    """How people are told of an enclave."""
    if enclave == UNTRUSTED:
        return "untrusted"
    return f"enclave {enclave}" if name is None else f"enclave {enclave} ({name})"
