"""EActors: actors in mutually distrusting enclaves that talk through shared memory."""

from eactors._native import Cargo, Node
from eactors.actor import Actor
from eactors.connector import Connector
from eactors.errors import (
    ActorStopped,
    EActorsError,
    MessageInvalid,
    MessageTooLarge,
    OperationNotOffered,
    OutboxFull,
    RegionCorrupted,
    SandboxViolation,
)
from eactors.mbox import Mbox, Pool
from eactors.placement import Placement

__all__ = [
    "Actor",
    "ActorStopped",
    "Cargo",
    "Connector",
    "EActorsError",
    "Mbox",
    "MessageInvalid",
    "MessageTooLarge",
    "Node",
    "OperationNotOffered",
    "OutboxFull",
    "Placement",
    "Pool",
    "RegionCorrupted",
    "SandboxViolation",
]
