"""Factory: passes an actor's requests for enclaves on to the launcher, and its answers back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from eactors.services import factory
from eactors.services.base import Failed
from eactors.system.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

_WORDS = 4096


class FactorySession(Session):
    """One actor's instances."""

    takes: ClassVar[Any] = factory.Requests

    def handlers(self) -> dict[type, Callable[[Any], object]]:
        """By kind of request."""
        self._number = self.launcher.join(self._told)
        return {factory.Start: self._start, factory.Stop: self._stop}

    def ended(self) -> None:
        """What it has started belongs to nobody now, and ends by itself."""
        self.launcher.ask(self._number, "forget")

    def _start(self, request: factory.Start) -> None:
        self.launcher.ask(self._number, "start", id=request.id, handle=request.handle, name=request.name)

    def _stop(self, request: factory.Stop) -> None:
        self.launcher.ask(self._number, "stop", handle=request.handle)
        self.done(request)

    def _told(self, order: dict[str, Any]) -> None:
        match order["what"]:
            case "started":
                self.reply(factory.Started(order["id"], order["actor"]))
            case "refused":
                words = order["reason"][:_WORDS]
                self.reply(Failed(order["id"], order["errno"], f"start {order['name']}"[:_WORDS], words))
            case "ended":
                self.reply(factory.Ended(order["handle"], order["how"], order["why"][:_WORDS]))
