"""Factory: enclaves and actors that are started and ended while the application runs.

What may be started is in the deployment, and its image in the signed manifest: whole enclaves
(``<enclave-settings start="on-demand">``), and single actors in enclaves that run, or on the
untrusted side (``<actor-settings start="on-demand">``). They are asked for in the same way. The
host starts them or does not; whoever it starts has to prove to its creator, on each encrypted
channel between them, that it is the enclave of that channel, in a key exchange of its own. So the
most that a factory can do by lying is to refuse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from eactors.placement import family_index
from eactors.services.base import Client, Done, Failed, Message, Number, Service, Words, nonsense

if TYPE_CHECKING:
    from collections.abc import Callable

    import msgspec

    from eactors import _native
    from eactors.answer import Answer
    from eactors.services.errors import SystemActorMisbehaved

How = Literal["finished", "stopped", "failed", "killed"]


class Start(Message, tag=10):
    """Start an enclave or an actor of this name, and call it ``handle``."""

    id: Number
    handle: Number
    name: Words


class Stop(Message, tag=11):
    """Ask one to end."""

    id: Number
    handle: Number


class Started(Message, tag=20):
    """Its constructors have run; ``actor`` is its name, or the first of the enclave's actors."""

    id: Number
    actor: Words


class Ended(Message, tag=21):
    """One has ended."""

    handle: Number
    how: How
    why: Words


Requests = Start | Stop
Says = Done | Failed | Started | Ended


class Instance:
    """An enclave, or an actor, that was started.

    Attributes:
        name: What its actor is called; the key of its connector in `Connectors`.
        how: How it has ended: ``finished``, ``stopped`` (by whom started it), ``failed`` or
            ``killed``; None while it runs.
        why: What made it fail, in the host's words.
    """

    __slots__ = ("_client", "call", "handle", "how", "name", "why")

    def __init__(
        self, client: FactoryClient, handle: int, name: str, call: Callable[[Instance], object] | None
    ) -> None:
        self._client = client
        self.handle = handle
        self.name = name
        self.call = call
        self.how: How | None = None
        self.why = ""

    def stop(self) -> Answer[None]:
        """Ask it to end; it is told so between two turns.

        An enclave then ends at once, and is killed if it takes no notice. An actor sends what waits in
        its outbox, an `AsyncActor` is cancelled; after two seconds it is dropped all the same.
        """
        return self._client.stop(self)


class FactoryClient(Client):
    """Starts enclaves and actors that the deployment has for that, and hears of their end."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._instances: dict[int, Instance] = {}

    def start(self, name: str, ended: Callable[[Instance], object] | None = None) -> Answer[Instance]:
        """Start an enclave, or an actor in an enclave that runs.

        It fails with a `SystemActorError` whose errno is ``ENOENT`` if the deployment has nothing
        so called to start on demand, ``EBUSY`` if all its instances run, ``EDQUOT`` if it has
        failed too often lately, and ``ECHILD`` if it could not be constructed.

        Args:
            name: What the deployment calls its actor, without a number.
            ended: Called with the instance when it has ended. What it has sent before is
                handled in its own time, perhaps later.
        """
        handle = self.next_number()
        request = Start(self.next_number(), handle, name)
        return self.ask(request, Started, lambda started: self._started(handle, name, started.actor, ended))

    def stop(self, instance: Instance) -> Answer[None]:
        """See `Instance.stop`; nothing happens if it has ended."""
        return self.ask(Stop(self.next_number(), instance.handle))

    def waits(self) -> bool:
        """The end of an instance is to be told."""
        return bool(self._instances)

    def event(self, message: Any) -> None:
        """The end of an instance."""
        instance = self._instances.pop(message.handle, None)
        if instance is None:
            raise nonsense(f"says that instance {message.handle} has ended, which does not run")
        instance.how, instance.why = message.how, message.why
        if instance.call is not None:
            instance.call(instance)

    def abandon(self, error: SystemActorMisbehaved) -> None:
        """Nobody tells of the ends of instances any more."""
        waiting = any(instance.call is not None for instance in self._instances.values())
        self._instances.clear()
        if waiting:
            raise error

    def _started(
        self, handle: int, name: str, actor: str, ended: Callable[[Instance], object] | None
    ) -> Instance:
        if actor != name and family_index(actor, name) is None:
            raise nonsense(f"was asked for {name!r} and says that it started {actor[:80]!r}")
        if any(other.name == actor for other in self._instances.values()):
            raise nonsense(f"says that it started {actor!r}, which runs already")
        instance = self._instances[handle] = Instance(self, handle, actor, ended)
        return instance


class Factory(Service):
    """The factory, declared in an actor class: ``factory = Factory()``; at run time, a `FactoryClient`."""

    system: ClassVar[str] = "factory"
    says: ClassVar[Any] = Says
    message_size: ClassVar[int] = 1 << 14

    def client(self, connector: _native.Connector, decoder: msgspec.msgpack.Decoder[Any]) -> FactoryClient:
        """A client."""
        return FactoryClient(connector, self.system, decoder)
