"""Connectors: what an actor class declares for its channels to all actors of a family."""

from __future__ import annotations

from eactors.connector import Connector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self, overload

    from eactors import _native


class Connectors(Connector):
    """An actor's ends of the channels to all actors of a family, such as the instances of one.

    Declared in the class; in an instance, ``self.<attribute>`` is a dictionary of the live ends
    by the peers' names, and the handlers get the peer's name before what they get elsewhere:
    ``handler(self, name, cargo)``.

    Args:
        peer: The family: the peers are called so, with a number behind it.
    """

    peer: str

    def handlers(self, actor: type[Any], live: Any) -> tuple[Any, Any]:
        """They want to know which peer it is."""
        one, other = super().handlers(actor, live)
        return one and self.bound(one, live.peer), other and self.bound(other, live.peer)

    def bound(self, handler: Any, peer: str) -> Any:
        """The handler of the channel to one peer."""
        return lambda actor, *what: handler(actor, peer, *what)

    if TYPE_CHECKING:

        @overload  # type: ignore[override]
        def __get__(self, instance: None, owner: type) -> Self: ...
        @overload
        def __get__(self, instance: object, owner: type) -> dict[str, _native.Connector]: ...
        def __get__(self, instance: object | None, owner: type) -> Self | dict[str, _native.Connector]: ...
