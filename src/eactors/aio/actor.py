"""AsyncActor: an actor that is written with async and await."""

from __future__ import annotations

from asyncio import CancelledError, all_tasks, current_task, gather
from functools import wraps
from typing import TYPE_CHECKING, Any, ClassVar

from eactors.actor import Actor
from eactors.aio.loop import Loop
from eactors.services.base import Client
from eactors.services.sockets import NetworkClient

if TYPE_CHECKING:
    from asyncio import Future, Task
    from collections.abc import Iterator

    from eactors import _native


class AsyncActor(Actor):
    """An actor with ``async def main(self)``, in which asyncio works as its programmers know it.

    When main() returns, all other tasks are cancelled and the actor stops; what it raises, the
    actor fails with. When somebody asks the application to end (Ctrl-C), main() is cancelled, as
    `asyncio.run` does it, and has some seconds to clean up. Declare ``network = Network()`` to
    have connections, servers and streams. Handlers of connectors may be coroutine functions;
    ``await self.receive(self.peer)`` is the next message of a connector without a handler.

    Attributes:
        loop: The event loop, which the actor's worker runs.
    """

    ends_when_asked: ClassVar[bool] = True
    """It ends by itself when it is told that the application is to end; for the launcher."""

    polls: ClassVar[bool] = True
    """The loop takes the messages of services; no handler does."""

    def __init_subclass__(cls, *, name: str | None = None, family: str | None = None) -> None:
        """Let the handlers of connectors and stores run on the loop, and be coroutine functions."""
        super().__init_subclass__(name=name, family=family)
        declared = cls.__eactors__
        ends = [
            name
            for each in declared.connectors.values()
            for name in (each.handler, each.broken_handler, each.reopened_handler)
        ]
        watches = [name for store in declared.stores.values() for _, name in store.watches]
        for handler in filter(None, dict.fromkeys((*ends, *watches))):
            if handler in vars(cls):
                setattr(cls, handler, _on_loop(vars(cls)[handler]))

    def __init__(self) -> None:
        super().__init__()
        self._clients = [live for live in self._lives() if isinstance(live, Client)]
        network = next((client for client in self._clients if isinstance(client, NetworkClient)), None)
        self.loop = Loop(self._poll, network)
        self._receivers: list[tuple[_native.Connector, Future[Any]]] = []
        self._main: Task[None] | None = None
        self._ending = False
        if network is not None:
            network.on_ending = self._end

    async def main(self) -> None:
        """What the actor does."""
        raise NotImplementedError(f"{type(self).__name__} has no main()")

    async def receive(self, connector: _native.Connector) -> _native.Cargo:
        """The next message of a connector.

        Raises:
            ChannelBroken: The channel is.
            EOFError: Its peer has finished.
        """
        waiter: Future[_native.Cargo] = self.loop.create_future()
        self._receivers.append((connector, waiter))
        return await waiter

    def body(self) -> object:
        """One turn of the loop."""
        if self._main is None:
            self._main = self.loop.create_task(self._whole())
        patience = self.loop.turn()
        if not self._main.done():
            return patience
        self.loop.close()
        self.stop()
        if not (self._ending and self._main.cancelled()):
            self._main.result()
        return None

    def _end(self) -> None:
        if self._main is None:
            self.stop()
        elif not self._ending:
            self._ending = True
            self._main.cancel()

    def _drop(self) -> None:
        """It has failed, or did not end as it was asked: nobody is told of what it has not finished."""
        if hasattr(self, "loop"):
            self.loop.set_exception_handler(lambda *_: None)

    async def _whole(self) -> None:
        try:
            await self.main()
        finally:
            if not self.stopped:  # else there is no turn in which anything could end
                await self._end_others()

    async def _end_others(self) -> None:
        others = all_tasks() - {current_task()}
        for task in others:
            task.cancel()
        for outcome in await gather(*others, return_exceptions=True):
            if isinstance(outcome, BaseException) and not isinstance(outcome, CancelledError):
                self.loop.call_exception_handler(
                    {"message": "a task failed while it was cancelled", "exception": outcome}
                )
        await self.loop.shutdown_asyncgens()

    def _lives(self) -> Iterator[Any]:
        return (getattr(self, attribute) for attribute in type(self).__eactors__.connectors)

    def _poll(self, _: float | None) -> None:
        for client in self._clients:
            client.poll()
        if self._receivers:
            self._receivers = [pair for pair in self._receivers if not _has_come(*pair)]


def _has_come(connector: _native.Connector, waiter: Future[Any]) -> bool:
    if waiter.done():
        return True
    try:
        cargo = connector.receive()
    except Exception as error:  # noqa: BLE001 - it belongs to whoever waits
        waiter.set_exception(error)
        return True
    if cargo is not None:
        waiter.set_result(cargo)
    elif connector.closed:
        waiter.set_exception(EOFError(f"{connector.peer} has finished"))
    return waiter.done()


def _on_loop(handler: Any) -> Any:
    @wraps(handler)
    def on_loop(self: AsyncActor, *arguments: Any) -> None:
        self.loop.within(handler, self, *arguments)

    return on_loop
