"""Clients of system actors without a system actor: what they send is kept, what they get is made up."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from eactors.services.base import Service


class FakeConnector:
    """Stands for the channel to a system actor.

    Attributes:
        sent: What the client has sent, decoded as the system actor would.
    """

    peer = "system fake"
    idle = False

    def __init__(self, takes: Any) -> None:
        self._decode = msgspec.msgpack.Decoder(takes).decode
        self.sent: list[Any] = []

    def send(self, data: bytes) -> None:
        """Keep it; it must be what the system actor understands."""
        assert len(data) <= 1 << 17
        self.sent.append(self._decode(data))


class Fake:
    """A client and its channel.

    Args:
        service: What an actor would declare.
        takes: The type of all requests to it.
        trust: What the actor's enclave has; None: it is untrusted.
    """

    def __init__(self, service: Service, takes: Any, trust: Any = None) -> None:
        self.connector = FakeConnector(takes)
        actor = types.SimpleNamespace(name="asker", _trust=trust)
        self.client: Any = service.live(self.connector, actor)  # type: ignore[arg-type]

    def say(self, message: Any) -> None:
        """Let the system actor say something."""
        self.client.take(msgspec.msgpack.encode(message))

    def asked(self) -> Any:
        """What was sent last."""
        return self.connector.sent[-1]


class Outcome:
    """What has become of an answer."""

    def __init__(self, answer: Any) -> None:
        self.results: list[Any] = []
        self.errors: list[Exception] = []
        answer.then(self.results.append, self.errors.append)
