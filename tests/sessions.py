"""Sessions of system actors without a client: what they are asked is made up, what they answer is kept."""

from __future__ import annotations

import gc
import select
import time
import types
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from eactors.system.reactor import Reactor

if TYPE_CHECKING:
    from collections.abc import Callable

    from eactors.system.session import Session


class FakeEnd:
    """Stands for the channel to a client.

    Attributes:
        inbox: What the client has sent.
        sent: What the session has sent, decoded as the client would.
        waiting: How many messages the client has not made room for.
        closed: Whether the client has gone.
    """

    def __init__(self, says: Any) -> None:
        self._decode = msgspec.msgpack.Decoder(says).decode
        self.inbox: deque[bytes] = deque()
        self.sent: list[Any] = []
        self.waiting = 0
        self.closed = False

    def receive(self) -> Any:
        """The next message."""
        return types.SimpleNamespace(data=self.inbox.popleft()) if self.inbox else None

    def send(self, data: bytes) -> None:
        """Keep it; it must be what the client understands, and fit into its channel."""
        assert len(data) <= 1 << 17
        self.sent.append(self._decode(data))


class Desk:
    """A session, and who asks it.

    Args:
        cls: The session's class.
        says: The type of its answers.
        settings: What the deployment says.
        client: Name of the actor.
        reactor: That of another desk, to share it.
    """

    def __init__(
        self,
        cls: type[Session],
        says: Any,
        settings: dict[str, Any] | None = None,
        client: str = "A",
        reactor: Reactor | None = None,
    ) -> None:
        self.end = FakeEnd(says)
        self.reactor = reactor or Reactor()
        self.session = cls.__new__(cls)
        self.session.__init__(self.end, client, self.reactor, settings or {})  # type: ignore[misc]

    def put(self, message: Any) -> None:
        """Ask something."""
        self.end.inbox.append(msgspec.msgpack.encode(message))

    def turn(self) -> None:
        """What a worker does in one turn, and then waits a moment for something to happen."""
        if self.reactor.body() is not True and self.session.body() is not True:
            select.select([self.reactor], [], [], 0.01)

    def until(self, found: Callable[[Any], bool], seconds: float = 10.0) -> Any:
        """The first answer for which ``found`` holds."""
        deadline = time.monotonic() + seconds
        while True:
            for message in self.end.sent:
                if found(message):
                    self.end.sent.remove(message)
                    return message
            assert time.monotonic() < deadline, f"no answer; there are {self.end.sent}"
            self.turn()

    def ask(self, message: Any) -> Any:
        """Ask something, and wait for the answer."""
        self.put(message)
        return self.until(lambda answer: getattr(answer, "id", None) == message.id)


def open_descriptors() -> int:
    """How many descriptors this process has open, but for those that nobody can reach any more."""
    gc.collect()
    return sum(1 for _ in Path("/proc/self/fd").iterdir())
