"""EActors: actors in mutually distrusting enclaves that talk through shared memory."""

from eactors._native import Cargo, Node
from eactors.actor import Actor
from eactors.connector import Connector
from eactors.connectors import Connectors
from eactors.errors import (
    ActorStopped,
    ChannelBroken,
    EActorsError,
    MessageInvalid,
    MessageTooLarge,
    ModuleNotInImage,
    NotInEnclave,
    OperationNotOffered,
    OutboxFull,
    RegionCorrupted,
    ReportInvalid,
    SandboxViolation,
    SealBroken,
)
from eactors.mbox import Mbox, Pool
from eactors.placement import Placement
from eactors.store.store import Store

__all__ = [
    "Actor",
    "ActorStopped",
    "Cargo",
    "ChannelBroken",
    "Connector",
    "Connectors",
    "EActorsError",
    "Mbox",
    "MessageInvalid",
    "MessageTooLarge",
    "ModuleNotInImage",
    "Node",
    "NotInEnclave",
    "OperationNotOffered",
    "OutboxFull",
    "Placement",
    "Pool",
    "RegionCorrupted",
    "ReportInvalid",
    "SandboxViolation",
    "SealBroken",
    "Store",
]
