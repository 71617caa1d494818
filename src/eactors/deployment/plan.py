"""The plan: a deployment joined with its source. What would run, before anything does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from eactors.deployment.model import UNTRUSTED

if TYPE_CHECKING:
    from pathlib import Path

    from eactors.actor import Actor
    from eactors.deployment.model import Deployment, Kind, WaitPolicy

DEFAULT_CAPACITY = 64
"""Messages that may wait in each direction of a channel."""
DEFAULT_MESSAGE_SIZE = 1 << 20
"""Bytes that one message may have."""
DEFAULT_NODE_SIZE = 4096
"""Payload bytes of one node of a channel; a longer message travels in several."""
DEFAULT_POOL_NODES = 64
DEFAULT_POOL_SIZE = 4096

Carrier = Literal["private", "public", "network"]


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

    @property
    def home(self) -> tuple[int, int]:
        """The process it lives in."""
        return self.server, self.enclave


@dataclass(frozen=True, slots=True)
class ChannelEnd:
    """One end of a channel: an actor, and the attribute of its connector."""

    actor: str
    attribute: str


@dataclass(frozen=True, slots=True)
class PlannedChannel:
    """A channel between two actors. Sizes in bytes, capacity in messages per direction."""

    ends: tuple[ChannelEnd, ChannelEnd]
    carrier: Carrier
    capacity: int
    message_size: int
    node_size: int


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
class Plan:
    """All that will run. Channels and pools are in the order of their declaration."""

    source: Path
    deployment: Deployment
    actors: dict[str, PlannedActor]
    servers: tuple[PlannedServer, ...]
    channels: tuple[PlannedChannel, ...]
    pools: tuple[PlannedPool, ...]
    unplaced: tuple[str, ...] = field(default=())


def enclave_title(enclave: int, name: str | None = None) -> str:
    """How people are told of an enclave."""
    if enclave == UNTRUSTED:
        return "untrusted"
    return f"enclave {enclave}" if name is None else f"enclave {enclave} ({name})"
