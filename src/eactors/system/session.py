"""Session: a system actor's dealings with one actor.

One for each channel, so that nobody waits because another does not read its answers. It is
stateless towards its client: what it keeps are the client's open handles, and with the client
they end.
"""

from __future__ import annotations

import errno
import os
import socket
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from eactors.actor import Actor
from eactors.services.base import MOST_WORDS, Done, Failed, Message

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from eactors import _native
    from eactors.system.launcher import Launcher
    from eactors.system.reactor import Reactor

_BATCH = 16
"""Requests of one client in one turn."""
_FOREVER = 1.0


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

    post: ClassVar[_native.Post]
    """The host's mbox; of all sessions."""
    room: ClassVar[int]
    """The most bytes that one frame to it may have."""
    comes_again: bool = False
    """Whether the client may be started anew, and then finds a session without a past."""

    life: int = 0
    """Which of the client's lives it is."""

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

    def body(self) -> object:
        """Take what has come, but nothing while the client does not read its answers, or it is busy.

        What the client asks for meanwhile waits in the channel, and then with the client.
        """
        for _ in range(_BATCH):
            if self.stopped or self.is_busy() or self.is_behind():
                return _FOREVER
            cargo = self.connector.receive()
            if cargo is None:
                if self.connector.closed and not self.comes_again:
                    self.stop()
                return _FOREVER
            self.take(cargo)
        return True

    def is_busy(self) -> bool:
        """Whether no request is to be taken now."""
        return False

    def over(self) -> None:
        """The client has gone; if it comes again, nothing of what it asked for is answered."""
        self.life += 1
        self.ended()

    def ending(self) -> None:
        """The application is to end; for system actors whose clients are told."""

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
        except (ValueError, TypeError) as error:
            # What no system call takes, such as a name with a zero in it, Python refuses by itself.
            self.fail(request, OSError(errno.EINVAL, str(error)))

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

    def when_heard(self, call: Callable[[], object]) -> None:
        """Call ``call()`` when the client is no longer behind, or has gone."""
        self.reactor.when(lambda: self.stopped or not self.is_behind(), call)


def failure(number: int, operation: str, error: OSError) -> Failed:
    """The answer to a request that failed."""
    number_of_error = error.errno if error.errno is not None and 0 < error.errno < 4096 else 0  # noqa: PLR2004 - of Failed
    reason = error.strerror or str(error) or os.strerror(number_of_error)
    if isinstance(error, socket.gaierror):
        reason += "; is the name right?"
    # A name in it may be as long as a path.
    return Failed(number, number_of_error, operation, reason[:MOST_WORDS])


def _operation(request: Any) -> str:
    named = (getattr(request, name, "") for name in ("path", "host", "name"))
    subject = next(filter(None, named), "")
    if isinstance(subject, bytes):
        subject = subject.decode("utf-8", "backslashreplace")
    if getattr(request, "port", 0):
        subject = f"{subject}:{request.port}"
    return f"{type(request).__name__.lower()} {subject}".strip()[:256]
