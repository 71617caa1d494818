"""Session: a system actor's dealings with one actor.

One for each channel, so that nobody waits because another does not read its answers. It is
stateless towards its client: what it keeps are the client's open handles, and with the client
they end.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from eactors.actor import Actor
from eactors.services.base import Done, Failed, Message

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from eactors import _native
    from eactors.system.launcher import Launcher
    from eactors.system.reactor import Reactor


class Session(Actor):
    """One client's part of a system actor.

    A subclass has a method for each kind of request, which `handlers` names. A request that
    cannot be carried out raises OSError, and is answered by `Failed`.

    Attributes:
        client: Name of the actor that it serves.
        reactor: What to wait with.
        settings: What the deployment says for this system actor.
    """

    takes: ClassVar[Any]
    """The type of all requests."""

    launcher: Launcher
    """Who starts processes."""

    def __init__(
        self,
        connector: _native.Connector,
        client: str,
        reactor: Reactor,
        settings: Mapping[str, Any],
    ) -> None:
        self.client = client
        self.reactor = reactor
        self.settings = settings
        self.connector = connector
        self._decode = msgspec.msgpack.Decoder(self.takes).decode
        self._encode = msgspec.msgpack.Encoder().encode
        self._handlers = self.handlers()

    def handlers(self) -> dict[type, Callable[[Any], object]]:
        """What is called with each kind of request."""
        raise NotImplementedError

    def ended(self) -> None:
        """The client has gone: close what it had open."""

    def take(self, cargo: _native.Cargo) -> None:
        """Carry out one request. What is none ends the session; its sender is no honest client."""
        try:
            request = self._decode(cargo.data)
        except msgspec.MsgspecError:
            self.stop()
            return
        try:
            self._handlers[type(request)](request)
        except OSError as error:
            self.fail(request, error)

    def reply(self, message: Message) -> None:
        """Send an answer, or an event."""
        if not self.stopped:
            self.connector.send(self._encode(message))

    def done(self, request: Any) -> None:
        """Say that a request was carried out."""
        self.reply(Done(request.id))

    def fail(self, request: Any, error: OSError) -> None:
        """Say why a request was not carried out; what has no id needs no answer."""
        if hasattr(request, "id"):
            self.reply(failure(request.id, _operation(request), error))

    def is_behind(self) -> bool:
        """Whether the client has not read what was sent to it."""
        return bool(self.connector.waiting)


def failure(number: int, operation: str, error: OSError) -> Failed:
    """The answer to a request that failed."""
    number_of_error = error.errno if error.errno is not None and 0 < error.errno < 4096 else 0  # noqa: PLR2004 - of Failed
    reason = error.strerror or str(error) or os.strerror(number_of_error)
    return Failed(number, number_of_error, operation, reason)


def _operation(request: Any) -> str:
    named = (getattr(request, name, "") for name in ("path", "host", "name"))
    subject = next(filter(None, named), "")
    if getattr(request, "port", 0):
        subject = f"{subject}:{request.port}"
    return f"{type(request).__name__.lower()} {subject}".strip()[:256]
