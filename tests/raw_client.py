"""A client of the network system actor that says what it likes, over a session in this process."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
from tests.local_loop import LocalNetwork

from eactors.services import network
from eactors.services.network import Says

if TYPE_CHECKING:
    from collections.abc import Callable

    from eactors.system.reactor import Reactor


def descriptors() -> int:
    """How many descriptors this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


class Raw:
    """A client that sends what it likes.

    Args:
        reactor: What its session waits with.
        limits: What the deployment lets it have.

    Attributes:
        made: Those of the running test.
        said: What the session has answered.
    """

    made: ClassVar[list[Raw]] = []

    def __init__(self, reactor: Reactor, **limits: int) -> None:
        settings = {"limits": [{"actor": "actor", **limits}, {"actor": None, "sockets": 1, "unread": 1}]}
        self.local = LocalNetwork(settings if limits else None, reactor=reactor)
        self.said: list[Any] = []
        self.made.append(self)

    def send(self, *messages: Any) -> None:
        """Send, and let the session have it."""
        for message in messages:
            data = message if isinstance(message, bytes) else msgspec.msgpack.encode(message)
            self.local.ends[0].send(data)
        self.turn()

    def turn(self) -> None:
        """One turn of the session."""
        self.local.serve()
        self.local.reactor.body()
        while (letter := self.local.ends[0].receive()) is not None:
            self.said.append(msgspec.msgpack.decode(letter.data, type=Says))

    def until(self, holds: Callable[[], object]) -> None:
        """Take turns until something holds."""
        while not holds():
            self.turn()

    def listening(self, number: int = 2) -> tuple[str, int]:
        """Listen as this number; the address."""
        self.send(network.Listen(1, number, "127.0.0.1", 0, None, 64, reuse_port=False))
        address: tuple[str, int] = self.heard(network.Bound)[-1].address
        return address

    def heard(self, kind: type) -> list[Any]:
        """What it was told of one kind."""
        return [message for message in self.said if isinstance(message, kind)]

    def connected(self) -> socket.socket:
        """Connect as number 2; the peer's end."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.send(network.Connect(1, 2, "127.0.0.1", server.getsockname()[1], None, "", 0))
            self.until(lambda: self.said)
            return server.accept()[0]
