"""What a deployment file says, as plain values.

Nothing here reads a file or knows the actors' source: ``xml`` fills these values in,
``checks`` judges them alone, and ``plan`` joins them with the source.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

UNTRUSTED = 0
"""The id of the enclave that is none: the untrusted side."""

SYSTEM = -1
"""The launcher's id for the process of the system actors, which no deployment places."""

WaitPolicy = Literal["adaptive", "spin", "sleep"]
Kind = Literal["public", "private"]
Cipher = Literal["none", "aes-128-gcm", "aes-256-gcm", "chacha20-poly1305"]
KeyExchange = Literal["local-attestation", "remote-attestation", "sealing", "diffie-hellman"]
Platform = Literal["simulation"]
Access = Literal["read", "write"]
Start = Literal["at-once", "on-demand"]
Restart = Literal["never", "on-failure"]
StoreKind = Literal["private", "public", "persistent"]
StoreEncryption = Literal["none", "aes-gcm"]
StoreKey = Literal["measurement", "signer", "shared"]
Rollback = Literal["none", "detect"]


@dataclass(frozen=True, slots=True)
class DeployedActor:
    """One ``<actor>``: an instance of a class, by the name that the source or ``<class>`` gives."""

    id: int
    name: str
    line: int
    class_name: str | None = None
    of: str | None = None
    """The name in the file, where this is one of several instances (see `expansion`)."""
    index: int | None = None
    """Which of them."""


@dataclass(frozen=True, slots=True)
class EnclaveShare:
    """The actors that one worker executes in one enclave: an ``<enclave>`` below a ``<worker>``."""

    enclave: int
    actors: tuple[str, ...]
    line: int
    actor_lines: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Worker:
    """One ``<worker>``: a thread, the CPUs it may run on (none: all), and its shares of enclaves."""

    id: int
    cpus: tuple[int, ...]
    shares: tuple[EnclaveShare, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Server:
    """One ``<server>``: a machine and its workers."""

    address: str
    workers: tuple[Worker, ...]
    line: int


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """One ``<channel>``; sizes in bytes, capacity in messages per direction. None: the default."""

    between: tuple[str, str]
    line: int
    cipher: Cipher | None = None
    capacity: int | None = None
    message_size: int | None = None
    node_size: int | None = None
    exchange: KeyExchange | None = None
    insecure: bool | None = None


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """One ``<pool>``; size is the payload bytes of one node. None: the default."""

    name: str
    line: int
    nodes: int | None = None
    size: int | None = None
    kind: Kind | None = None


@dataclass(frozen=True, slots=True)
class WaitSettings:
    """One ``<wait>``: how a worker that has nothing to do waits."""

    worker: int
    policy: WaitPolicy
    line: int


@dataclass(frozen=True, slots=True)
class Param:
    """One ``<param>``: a parameter of an actor, as text."""

    actor: str
    name: str
    value: str
    line: int


@dataclass(frozen=True, slots=True)
class Key:
    """One ``<key>``: an owner's key, in a file whose path is relative to the deployment's."""

    name: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Rate:
    """So many times within so many seconds, and no more."""

    times: int
    seconds: int

    def __str__(self) -> str:
        """As it is written."""
        return f"{self.times} per {self.seconds}"


@dataclass(frozen=True, slots=True)
class EnclaveSettings:
    """One ``<enclave-settings>``; signer and owners are names of keys. None: the default."""

    enclave: int
    line: int
    name: str | None = None
    signer: str | None = None
    owners: tuple[str, ...] | None = None
    debug: bool | None = None
    product_id: int | None = None
    security_version: int | None = None
    platform: Platform | None = None
    start: Start | None = None
    instances: int | None = None
    restart: Restart | None = None
    restarts: Rate | None = None


@dataclass(frozen=True, slots=True)
class ActorSettings:
    """One ``<actor-settings>``. None: the default."""

    actor: str
    line: int
    start: Start | None = None
    instances: int | None = None
    restart: Restart | None = None
    restarts: Rate | None = None


@dataclass(frozen=True, slots=True)
class Requirement:
    """One ``<requires>``: ``package.module`` or ``module:NAME``, which no one sees an enclave reach."""

    enclave: int
    module: str
    line: int


@dataclass(frozen=True, slots=True)
class Trust:
    """One ``<trust>``: a root certificate, in a file whose path is relative to the deployment's."""

    root: str
    line: int


@dataclass(frozen=True, slots=True)
class Directory:
    """One ``<directory>``: where files, pipes and Unix sockets may be, for one actor (None: for all)."""

    name: str
    path: str
    line: int
    access: Access | None = None
    actor: str | None = None


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """One ``<network>``: what one actor (None: every one) may have open and unread. None: the default."""

    line: int
    actor: str | None = None
    sockets: int | None = None
    unread: int | None = None


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """One ``<store>``; size in bytes, the file's path relative to the deployment's. None: the default."""

    name: str
    line: int
    size: int | None = None
    kind: StoreKind | None = None
    file: str | None = None
    encryption: StoreEncryption | None = None
    key: StoreKey | None = None
    rollback: Rollback | None = None


@dataclass(frozen=True, slots=True)
class Deployment:
    """A whole deployment file."""

    file: str
    actors: tuple[DeployedActor, ...]
    servers: tuple[Server, ...]
    channels: tuple[ChannelSettings, ...] = ()
    pools: tuple[PoolSettings, ...] = ()
    waits: tuple[WaitSettings, ...] = ()
    params: tuple[Param, ...] = ()
    enclave_settings: tuple[EnclaveSettings, ...] = ()
    keys: tuple[Key, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    directories: tuple[Directory, ...] = ()
    trusts: tuple[Trust, ...] = ()
    networks: tuple[NetworkSettings, ...] = ()
    stores: tuple[StoreSettings, ...] = ()
    actor_settings: tuple[ActorSettings, ...] = ()

    def share_lines(self) -> dict[int, int]:
        """Return, for each enclave with actors, the line of the first ``<enclave>`` that it has."""
        lines: dict[int, int] = {}
        for server in self.servers:
            for worker in server.workers:
                for share in worker.shares:
                    lines.setdefault(share.enclave, share.line)
        return lines

    def settings_of(self, enclave: int) -> EnclaveSettings | None:
        """Return what is set of an enclave."""
        return next((each for each in self.enclave_settings if each.enclave == enclave), None)
