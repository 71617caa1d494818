"""Names: an actor publishes a name, others look it up and are sure who has it.

The system actor only tells who to ask. Whoever looks a name up in an enclave sends a fresh
nonce along, and the publisher answers with a report for the asker's enclave over the name, what
it says about it, its own name and the nonce. So a host can hide a name, but not give it to an
enclave that did not publish it; only actors of the untrusted side are known by its word.

A name is information. It opens no channel: those are in the deployment, and measured.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import msgspec

from eactors import _native
from eactors.answer import Answer
from eactors.errors import ManifestRejected, ReportInvalid
from eactors.services.base import Client, Done, Failed, Message, Number, Service, nonsense
from eactors.services.errors import SystemActorError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self, overload

    from eactors.enclave.trust import Trust
    from eactors.services.errors import SystemActorMisbehaved

NONCE = 32
LONGEST_ABOUT = 1024

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
About = Annotated[bytes, msgspec.Meta(max_length=LONGEST_ABOUT)]
Nonce = Annotated[bytes, msgspec.Meta(min_length=NONCE, max_length=NONCE)]
Report = Annotated[bytes, msgspec.Meta(max_length=1024)]
Enclave = Annotated[int, msgspec.Meta(ge=0, le=65535)]


class Publish(Message, tag=10):
    """Publish a name."""

    id: Number
    name: Name
    about: About


class Withdraw(Message, tag=11):
    """Publish it no more."""

    id: Number
    name: Name


class Lookup(Message, tag=12):
    """Ask who has published a name; ``enclave``: the asker's own. Answer: `Found`."""

    id: Number
    name: Name
    nonce: Nonce
    enclave: Enclave


class Watch(Message, tag=13):
    """Tell when a name is published, at once if it is, and when it is withdrawn."""

    id: Number
    watch: Number
    name: Name


class Unwatch(Message, tag=14):
    """Tell of it no more."""

    id: Number
    watch: Number


class Proof(Message, tag=15):
    """What a publisher says when it is asked; nothing, if it is on the untrusted side."""

    name: Name
    nonce: Nonce
    enclave: Enclave
    report: Report


class Found(Message, tag=20):
    """Who has published a name, and its proof."""

    id: Number
    actor: Name
    enclave: Enclave
    about: About
    report: Report


class Prove(Message, tag=21):
    """Somebody in ``enclave`` looks up a name of yours."""

    name: Name
    nonce: Nonce
    enclave: Enclave


class Seen(Message, tag=22):
    """A name that is watched was published, or withdrawn."""

    watch: Number
    what: Literal["appeared", "gone"]


Requests = Publish | Withdraw | Lookup | Watch | Unwatch | Proof
Says = Done | Failed | Found | Prove | Seen


class Publisher:
    """Who has published a name.

    Attributes:
        name: The name.
        about: What it says about it.
        actor: Name of the actor.
        enclave: Id of its enclave; 0: the untrusted side.
        measurement: Of its enclave, proved by a report; None if there was none to prove: one of the two is
            untrusted, and all of this is the host's word.
    """

    __slots__ = ("about", "actor", "enclave", "measurement", "name")

    def __init__(self, name: str, found: Found, measurement: bytes | None) -> None:
        self.name = name
        self.about = found.about
        self.actor = found.actor
        self.enclave = found.enclave
        self.measurement = measurement

    def __repr__(self) -> str:
        return f"Publisher({self.name!r}, actor={self.actor!r}, enclave={self.enclave})"


class NameWatch:
    """A name that is being watched."""

    def __init__(self, client: NamesClient, number: int, call: Callable[[str], object]) -> None:
        self._client = client
        self.number = number
        self.call = call
        self.there = False

    def cancel(self) -> None:
        """Be told no more."""
        self._client.unwatch(self)


class NamesClient(Client):
    """Publishes names, and finds who has."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._published: dict[str, bytes] = {}
        self._watches: dict[int, NameWatch | None] = {}

    def publish(self, name: str, about: bytes = b"") -> Answer[None]:
        """Publish a name for this actor, until it withdraws it or ends.

        Args:
            name: 1 to 255 characters. One that somebody has is refused.
            about: At most 1024 bytes that whoever looks it up gets with it.
        """
        if name in self._published or not 0 < len(name) <= 255 or len(about) > LONGEST_ABOUT:  # noqa: PLR2004 - of Name
            raise ValueError(f"{name!r} is published already, or too long, or says too much")
        self._published[name] = bytes(about)  # from now on: a question may overtake the answer
        answer: Answer[None] = Answer()

        def failed(error: Exception) -> None:
            self._published.pop(name, None)
            answer.settle(None, error)

        self.ask(Publish(self.next_number(), name, about)).then(answer.settle, failed)
        return answer

    def withdraw(self, name: str) -> Answer[None]:
        """Publish a name no more."""
        request = Withdraw(self.next_number(), name)
        # Somebody may be asking meanwhile; the name is ours until the system actor has heard.
        return self.ask(request, Done, lambda _: self._published.pop(name, None) and None)

    def lookup(
        self, name: str, *, enclave: int | None = None, measurement: bytes | None = None
    ) -> Answer[Publisher]:
        """Find who has published a name.

        Between enclaves the publisher has always proved which enclave it is in.

        Args:
            name: The name.
            enclave: Demand that it is in this enclave of the deployment.
            measurement: Demand that its enclave has this measurement.
        """
        nonce = os.urandom(NONCE)
        answer: Answer[Publisher] = Answer()

        def found(publisher: Publisher) -> None:
            wrong = (enclave is not None and publisher.enclave != enclave) or (
                measurement is not None and publisher.measurement != measurement
            )
            unproved = publisher.measurement is None and (enclave or measurement is not None)
            who = f"it is published by {publisher.actor!r} in enclave {publisher.enclave}"
            how = ", which is not proved" if unproved else ", which is not the one demanded"
            refused = SystemActorError(f"lookup {name}", 13, who + how)  # EACCES
            answer.settle(publisher, refused if wrong or unproved else None)

        trust = self._trust
        request = Lookup(self.next_number(), name, nonce, 0 if trust is None else trust.own)
        self.ask(request, Found, lambda message: self._checked(name, nonce, message)).then(
            found, lambda error: answer.settle(None, error)
        )
        return answer

    def watch(self, name: str, call: Callable[[str], object]) -> Answer[NameWatch]:
        """Be told when a name appears, at once if it is there, and when it is gone.

        That is the host's word: whoever must be sure looks the name up.

        Args:
            name: The name.
            call: Called with ``"appeared"`` or ``"gone"``.
        """
        watch = NameWatch(self, self.next_number(), call)
        self._watches[watch.number] = watch
        answer: Answer[NameWatch] = Answer()

        def failed(error: Exception) -> None:
            self._watches.pop(watch.number, None)
            answer.settle(None, error)

        request = Watch(self.next_number(), watch.number, name)
        self.ask(request).then(lambda _: answer.settle(watch), failed)
        return answer

    def unwatch(self, watch: NameWatch) -> None:
        """See `NameWatch.cancel`."""
        if self._watches.get(watch.number) is not watch:
            return
        self._watches[watch.number] = None
        request = Unwatch(self.next_number(), watch.number)
        self.ask(request).then(lambda _: self._watches.pop(watch.number, None), lambda _: None)

    def waits(self) -> bool:
        """A name is published, so that somebody may ask for it, or watched."""
        return bool(self._published or self._watches)

    def event(self, message: Any) -> None:
        """A question about a name of ours, or news of a name."""
        if type(message) is Prove:
            self._prove(message)
            return
        if message.watch not in self._watches:
            raise nonsense(f"tells of a name for {message.watch}, which watches none")
        watch = self._watches[message.watch]
        if watch is None:
            return
        if watch.there is (message.what == "appeared"):
            raise nonsense(f"says twice in a row that a name has {message.what}")
        watch.there = not watch.there
        watch.call(message.what)

    def abandon(self, error: SystemActorMisbehaved) -> None:
        """Nobody asks and nothing is told any more, and actors that only wait for it must hear of it."""
        waiting = any(self._watches.values()) or bool(self._published)
        self._watches.clear()
        self._published.clear()
        if waiting:
            raise error

    @property
    def _trust(self) -> Trust | None:
        return self.actor._trust  # noqa: SLF001 - how it is done is nothing for actors

    def _prove(self, message: Prove) -> None:
        if message.name not in self._published:
            raise nonsense(f"asks about the name {message.name!r}, which was not published")
        report = b""
        if self._trust is not None and message.enclave != 0:
            said = _said(message.name, self._published[message.name], self.actor.name, message.nonce)
            try:
                report = self._trust.power("reports").report(message.enclave, said)
            except ManifestRejected:
                raise nonsense(f"asks for enclave {message.enclave}, which is not in the manifest") from None
        self.tell(Proof(message.name, message.nonce, message.enclave, report))

    def _checked(self, name: str, nonce: bytes, found: Found) -> Publisher:
        trust = self._trust
        if trust is None or found.enclave == 0:
            return Publisher(name, found, None)
        try:
            said = trust.power("reports").check_report(found.enclave, found.report)
            measurement = trust.manifest.enclave(found.enclave).identity.measurement
        except (ReportInvalid, ManifestRejected) as error:
            raise nonsense(f"says that {name!r} is published in enclave {found.enclave}: {error}") from None
        if said != _said(name, found.about, found.actor, nonce):
            raise nonsense(f"says of the name {name!r} what its publisher did not say")
        return Publisher(name, found, measurement)


def _said(name: str, about: bytes, actor: str, nonce: bytes) -> bytes:
    """What a report about a name covers; the digest of each part, so that none runs into the next."""
    parts = (_native.sha256(part) for part in (name.encode(), about, actor.encode(), nonce))
    return _native.sha256(b"eactors names 1", *parts) + bytes(32)


class Names(Service):
    """Names, declared in an actor class: ``names = Names()``; at run time, a `NamesClient`."""

    system: ClassVar[str] = "names"
    says: ClassVar[Any] = Says
    capacity: ClassVar[int] = 32
    powers: ClassVar[tuple[str, ...]] = ("reports",)

    def client(self, connector: _native.Connector, decoder: msgspec.msgpack.Decoder[Any]) -> NamesClient:
        """A client."""
        return NamesClient(connector, self.system, decoder)

    if TYPE_CHECKING:

        @overload  # type: ignore[override]  # a client stands for its connector
        def __get__(self, instance: None, owner: type) -> Self: ...
        @overload
        def __get__(self, instance: object, owner: type) -> NamesClient: ...
        def __get__(self, instance: object | None, owner: type) -> Any: ...
