"""Service and Client: an actor's end of the channel to a system actor.

The rules that every client keeps:

- it numbers its requests itself, and an answer must name one that is open;
- it chooses all handles itself (timers, files, connections), so one that it never chose is
  recognised at once;
- lengths, types and handles are checked before anything is done with a message;
- after the first answer that no honest system actor gives, the client is broken for good:
  whatever is open fails with `SystemActorMisbehaved`, and so does all that is asked later.
"""

from __future__ import annotations

from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import msgspec

from eactors.answer import Answer
from eactors.connector import Connector
from eactors.services.errors import SystemActorError, SystemActorMisbehaved

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self, overload

    from eactors import _native
    from eactors.actor import Actor

Number = Annotated[int, msgspec.Meta(ge=1, le=(1 << 62))]
"""What a client calls a request, or a handle."""

MOST_WORDS = 4096
"""Characters."""

Words = Annotated[str, msgspec.Meta(max_length=MOST_WORDS)]


class Message(msgspec.Struct, array_like=True, gc=False, forbid_unknown_fields=True):
    """A message to or from a system actor; each kind has a tag of its own within its service."""


class Done(Message, tag=0):
    """A request was carried out."""

    id: Number


class Failed(Message, tag=1):
    """A request was not carried out."""

    id: Number
    errno: Annotated[int, msgspec.Meta(ge=0, le=4095)]
    operation: Words
    reason: Words


class Ending(Message, tag=2):
    """Somebody has asked the application to end, and soon it will be; of services that say so."""


class Client:
    """An actor's live end of a service. What is asked of it goes out at once, and never blocks.

    Args:
        connector: The channel to the system actor.
        system: The system actor's name.
        decoder: Reads what it says.

    Attributes:
        actor: Whose it is.
        broken: Why nothing is asked any more; None: nothing is wrong.
        on_ending: Called when the application is to end; a service may not say so.
    """

    actor: Actor

    def __init__(
        self, connector: _native.Connector, system: str, decoder: msgspec.msgpack.Decoder[Any]
    ) -> None:
        self.system = system
        self.broken: SystemActorMisbehaved | None = None
        self.on_ending: Callable[[], object] = lambda: None
        self._connector = connector
        self._decoder = decoder
        self._encode = msgspec.msgpack.Encoder().encode
        self._numbers = count(1)
        self._open: dict[int, tuple[Answer[Any], type, Callable[[Any], Any] | None]] = {}

    @property
    def peer(self) -> str:
        """Who is at the other end."""
        return self._connector.peer

    def poll(self, most: int = 64) -> int:
        """Take what has come; how many messages. For actors whose ``body()`` polls."""
        for taken in range(most):
            cargo = self._connector.receive()
            if cargo is None:
                return taken
            self.take(cargo.data)
        return most

    def take(self, data: bytes) -> None:
        """Take one message of the system actor."""
        if self.broken is not None:
            return
        try:
            message = self._decoder.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            self.misbehaved(f"sent what is no message of it: {error}")
            return
        try:
            # Not within the above: what it tells the actor of may raise the same errors.
            self._take(message)
        except _Nonsense as nonsense:
            self.misbehaved(str(nonsense))
        finally:
            self.rest()

    def misbehaved(self, what: str) -> None:
        """Believe nothing more, and fail whatever is open."""
        self.broken = SystemActorMisbehaved(
            f"the system actor {self.system!r} {what}",
            system=self.system,
            hint="the host is not to be trusted; this actor asks it nothing more",
        )
        waiting = [answer for answer, _, _ in self._open.values()]
        self._open.clear()
        raised: Exception | None = None
        # Everyone hears of it, though one raises it in the actor.
        listeners: list[Callable[[SystemActorMisbehaved], None]]
        listeners = [*(partial(answer.settle, None) for answer in waiting), self.abandon]
        for tell in listeners:
            try:
                tell(self.broken)
            except Exception as error:  # noqa: BLE001 - an actor's own
                raised = raised or error
        if raised is not None:
            raise raised

    def abandon(self, error: SystemActorMisbehaved) -> None:
        """Fail what is open besides requests; for clients that have handles."""

    def waits(self) -> bool:
        """Whether the system actor may have something to say though no request is open."""
        return True

    def rest(self) -> None:
        """Let the actor end if it is called for nothing else; see `Actor`."""
        self._connector.idle = self.broken is not None or not (self._open or self.waits())

    def event(self, message: Any) -> None:
        """Take a message that answers no request; for clients that await some."""
        raise nonsense(f"sent {type(message).__name__}, which nobody asked for")

    def next_number(self) -> int:
        """A number that no request and no handle of this client has had."""
        return next(self._numbers)

    def ask(
        self, request: Message, answered: type = Done, made: Callable[[Any], Any] | None = None
    ) -> Answer[Any]:
        """Send a request that has ``id``, and wait for the answer to it.

        Args:
            request: What to ask for.
            answered: The only kind of message that answers it, besides `Failed`.
            made: Makes the result from that message; it may refuse it by raising `nonsense()`.
                None: there is no result.
        """
        answer: Answer[Any] = Answer()
        refusal = self.broken or self.refusal(request)
        if refusal is not None:
            answer.settle(None, refusal)
            return answer
        self._open[request.id] = (answer, answered, made)  # type: ignore[attr-defined]
        self._connector.idle = False
        self.tell(request)
        return answer

    def refusal(self, request: Message) -> SystemActorError | None:
        """Why the system actor would take whoever sends this for no honest client, and answer no more."""
        try:
            msgspec.msgpack.decode(self._encode(request), type=type(request))
        except (msgspec.MsgspecError, OverflowError, TypeError, ValueError) as error:
            words = str(error)
            for place, field in enumerate(request.__struct_fields__, 1):
                words = words.replace(f" - at `$[{place}]`", f" as {field}")
            return SystemActorError(type(request).__name__.lower(), 22, words)  # EINVAL
        return None

    def tell(self, message: Message) -> None:
        """Send what needs no answer."""
        if self.broken is None:
            self._connector.send(self._encode(message))

    def _take(self, message: Any) -> None:
        number = getattr(message, "id", None)
        if number is None:
            self.on_ending() if type(message) is Ending else self.event(message)
            return
        entry = self._open.pop(number, None)
        if entry is None:
            raise nonsense(f"answered request {number}, which is not open")
        answer, answered, made = entry
        try:
            if type(message) is Failed:
                answer.settle(None, SystemActorError(message.operation, message.errno, message.reason))
            elif type(message) is not answered:
                raise nonsense(f"answered request {number} by {type(message).__name__}")
            else:
                answer.settle(None if made is None else made(message))
        except _Nonsense:
            self._open[number] = entry  # to fail with the rest
            raise


class _Nonsense(Exception):  # noqa: N818 - never leaves the client
    pass


def nonsense(what: str) -> Exception:
    """What a client raises to refuse a message, in words that follow the system actor's name."""
    return _Nonsense(what)


class Service(Connector):
    """What an actor class declares to use a system actor; a connector to it.

    Args:
        declassify: The reason why a secret actor may use it although the host reads all of it.
    """

    system: ClassVar[str]
    """The system actor's name."""

    says: ClassVar[Any]
    """The type of its messages."""

    tells_the_end: ClassVar[bool] = False
    """Whether the client is told when the application is to end."""

    capacity: ClassVar[int] = 64
    message_size: ClassVar[int] = 1 << 17
    node_size: ClassVar[int] = 4096

    powers: ClassVar[tuple[str, ...]] = ()
    """What of ``eactors.enclave`` its client uses; see `eactors.build.powers`."""

    def __init__(self, *, declassify: str | None = None) -> None:
        super().__init__(f"system {self.system}", declassify=declassify)

    def client(self, connector: _native.Connector, decoder: msgspec.msgpack.Decoder[Any]) -> Client:
        """The client that an actor finds in this attribute."""
        raise NotImplementedError

    def live(self, connector: _native.Connector, actor: Any) -> Any:
        """The client, where a plain connector would be itself."""
        client = self.client(connector, msgspec.msgpack.Decoder(self.says))
        client.actor = actor
        client.rest()
        return client

    def handlers(self, actor: type[Any], live: Any) -> tuple[Any, Any]:
        """Its messages go to the client, or wait for an actor that polls it."""
        if getattr(actor, "polls", False):
            return None, None
        return lambda _, cargo: live.take(cargo.data), None

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type) -> Self: ...
        @overload
        def __get__(self, instance: object, owner: type) -> Any: ...
        def __get__(self, instance: object | None, owner: type) -> Any: ...
