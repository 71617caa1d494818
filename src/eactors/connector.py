"""Connector: what an actor class declares for each of its channels."""

from __future__ import annotations

from eactors.errors import SourceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Self, TypeVar, overload

    from eactors import _native
    from eactors.placement import Placement

    Handler = TypeVar("Handler", bound=Callable[..., None])


class Connector:
    """An actor's end of a one-to-one channel to another actor.

    Declared in the class; in an instance, ``self.<attribute>`` is the live end, with
    ``send``, ``try_send``, ``receive``, ``create`` and ``closed``.

    Args:
        peer: Name of the actor at the other end, or a function that computes it from the
            :class:`~eactors.placement.Placement` of this actor. The peer must declare a
            connector back. Where two actors share several channels, their connectors
            pair up in the order of declaration.
        message: A ``msgspec.Struct`` (or any type that msgspec knows): ``send`` then takes
            instances of it and ``cargo.message`` gives them; without, messages are bytes.
        copy: Whether a received message is copied into private memory first. With False a
            cargo shows the message in shared memory, where the peer and the host can still
            change it; for large messages between actors that check what they read. Has no
            effect on an encrypted channel: there messages are decrypted into private memory.
        declassify: The reason why a secret actor may send over this connector although its
            channel is neither private nor encrypted. Without one such a deployment is refused.
    """

    declared_in = "connectors"

    def __init__(
        self,
        peer: str | Callable[[Placement], str],
        *,
        message: Any = None,
        copy: bool = True,
        declassify: str | None = None,
    ) -> None:
        self.peer = peer
        self.message = message
        self.copy = copy
        self.declassify = declassify
        self.handler: str | None = None
        self.broken_handler: str | None = None
        self.reopened_handler: str | None = None

    def on_message(self, handler: Handler) -> Handler:
        """Let the decorated method handle each message, as ``handler(self, cargo)``."""
        return self._declare(
            "handler", handler, "declare one connector per handler, or tell the messages apart"
        )

    def on_broken(self, handler: Handler) -> Handler:
        """Let the decorated method know, as ``handler(self, error)``, when the channel has broken.

        Only an encrypted channel breaks; the error is a :class:`~eactors.errors.ChannelBroken`.
        Without such a method the actor fails, or, where its ``body()`` polls, the next
        ``receive`` or ``send`` raises the error.
        """
        return self._declare("broken_handler", handler, "declare one handler of its break")

    def on_reopened(self, handler: Handler) -> Handler:
        """Let the decorated method know, as ``handler(self)``, when the peer has been started anew.

        Only a peer that is restarted, or started on demand, comes again, alone or with its enclave. What
        the last one sent has been handled before; what was sent to it and not taken is lost with it. The
        new one knows nothing of either, and on an encrypted channel has keys of its own.
        """
        return self._declare("reopened_handler", handler, "declare one handler of its reopening")

    def _declare(self, attribute: str, handler: Handler, hint: str) -> Handler:
        first = getattr(self, attribute)
        if first is not None:
            what = f"a connector to {self.peer!r} has two handlers, {first!r} and {handler.__name__!r}"
            raise SourceError(what, hint=hint)
        setattr(self, attribute, handler.__name__)
        return handler

    def live(self, connector: _native.Connector, actor: Any) -> Any:  # noqa: ARG002 - what a Service needs
        """What an instance finds in the attribute, for the end that it was given."""
        return connector

    def handlers(self, actor: type[Any], live: Any) -> tuple[Any, Any]:  # noqa: ARG002 - what a Service needs
        """What is called as ``(actor, cargo)`` for each message, and ``(actor, error)`` at the break."""
        return getattr(actor, self.handler or "", None), getattr(actor, self.broken_handler or "", None)

    def codec(self) -> tuple[Callable[[Any], bytes] | None, Callable[[bytes], Any] | None]:
        """How messages become bytes and back; (None, None) if they are bytes.

        The decoder raises MessageInvalid for bytes that are no such message.
        """
        if self.message is None:
            return None, None
        from eactors.codec import codec_of  # noqa: PLC0415 - an enclave without typed messages does without it

        return codec_of(self.message)

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type) -> Self: ...
        @overload
        def __get__(self, instance: object, owner: type) -> _native.Connector: ...
        def __get__(self, instance: object | None, owner: type) -> Self | _native.Connector | Any: ...
