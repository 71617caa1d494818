"""Names: who has published which name in this run.

What it keeps is told to anybody. That it is true the publisher proves to the asker; here the
two are only brought together.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from eactors.services import names
from eactors.system.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from eactors.system.reactor import Later, Reactor

MOST = 256
"""Names that one actor may have published, and names that it may watch."""

MOST_LOOKUPS = 16
"""That one actor may have under way."""

_PATIENCE = 5.0
"""Seconds that a publisher has to answer."""

_Question = tuple[str, bytes, int]
"""Name, nonce and the asker's enclave; the same in the question and in the proof."""


@dataclass
class _Asked:
    """A lookup that awaits its proof."""

    asker: NamesSession
    request: names.Lookup
    about: bytes
    later: Later


@dataclass
class _Published:
    """A name and its publisher, which may be asking others at the same time."""

    publisher: NamesSession
    about: bytes
    asked: dict[_Question, _Asked] = field(default_factory=dict)


@dataclass
class _Watch:
    """A name that a client watches, and what it was told of it last."""

    name: str
    there: bool = False


class Book:
    """All names of this process's run.

    Args:
        reactor: What to wait with.
    """

    def __init__(self, reactor: Reactor) -> None:
        self._reactor = reactor
        self._names: dict[str, _Published] = {}
        self._watching: dict[str, dict[tuple[NamesSession, int], None]] = {}

    def publish(self, publisher: NamesSession, name: str, about: bytes) -> None:
        """Enter a name."""
        if name in self._names:
            who = self._names[name].publisher.client
            raise OSError(errno.EEXIST, f"the name {name!r} is published by {who!r}")
        self._names[name] = _Published(publisher, about)

    def withdraw(self, publisher: NamesSession, name: str) -> None:
        """Strike a name."""
        published = self._names.get(name)
        if published is None or published.publisher is not publisher:
            raise OSError(errno.ENOENT, f"the name {name!r} is not published by {publisher.client!r}")
        del self._names[name]
        for asked in published.asked.values():
            asked.later.cancel()
            asked.asker.answered(asked.request, OSError(errno.ENOENT, f"the name {name!r} was withdrawn"))
        self.tell(name)

    def ask(self, asker: NamesSession, request: names.Lookup) -> None:
        """Have the publisher of a name prove who it is."""
        published = self._names.get(request.name)
        if published is None:
            raise OSError(errno.ENOENT, f"nobody has published the name {request.name!r}")
        question = (request.name, request.nonce, request.enclave)
        if question in published.asked:
            raise OSError(errno.EBUSY, "a nonce is for one lookup")
        later = self._reactor.later(_PATIENCE, lambda: self._too_late(published, question))
        published.asked[question] = _Asked(asker, request, published.about, later)
        published.publisher.reply(names.Prove(*question))

    def forget(self, asker: NamesSession) -> None:
        """Whoever asked has gone, and wants no answers any more."""
        for published in self._names.values():
            for question in [each for each, asked in published.asked.items() if asked.asker is asker]:
                published.asked.pop(question).later.cancel()

    def proved(self, publisher: NamesSession, proof: names.Proof) -> None:
        """Tell the asker; what nobody asked, or no longer awaits, is nothing."""
        published = self._names.get(proof.name)
        if published is None or published.publisher is not publisher:
            return
        asked = published.asked.pop((proof.name, proof.nonce, proof.enclave), None)
        if asked is not None:
            asked.later.cancel()
            number, enclave = asked.request.id, publisher.settings["enclaves"][publisher.client]
            found = names.Found(number, publisher.client, enclave, asked.about, proof.report)
            asked.asker.answered(asked.request, found)

    def has(self, name: str) -> bool:
        """Whether a name is published."""
        return name in self._names

    def watch(self, session: NamesSession, number: int, name: str) -> None:
        """Tell from now on."""
        self._watching.setdefault(name, {})[session, number] = None

    def unwatch(self, session: NamesSession, number: int, name: str) -> None:
        """Tell no more."""
        watching = self._watching.get(name, {})
        watching.pop((session, number), None)
        if not watching:
            self._watching.pop(name, None)

    def tell(self, name: str) -> None:
        """Tell all who watch a name that it was published, or withdrawn."""
        for session, number in list(self._watching.get(name, ())):
            session.tell(number)

    def _too_late(self, published: _Published, question: _Question) -> None:
        asked = published.asked.pop(question)
        words = f"{published.publisher.client!r} does not answer for the name {asked.request.name!r}"
        asked.asker.answered(asked.request, OSError(errno.ETIMEDOUT, words))


class NamesSession(Session):
    """One actor's names, lookups and watches."""

    takes: ClassVar[Any] = names.Requests

    def handlers(self) -> dict[type, Callable[[Any], object]]:
        """By kind of request."""
        self._book = self.reactor.one(Book)
        self._names: set[str] = set()
        self._watches: dict[int, _Watch] = {}
        self._untold = False
        self._lookups = 0
        return {
            names.Publish: self._publish,
            names.Withdraw: self._withdraw,
            names.Lookup: self._lookup,
            names.Watch: self._watch,
            names.Unwatch: self._unwatch,
            names.Proof: lambda proof: self._book.proved(self, proof),
        }

    def ended(self) -> None:
        """Withdraw what it has published."""
        for number, watch in self._watches.items():
            self._book.unwatch(self, number, watch.name)
        self._watches.clear()
        self._book.forget(self)
        self._lookups = 0
        for name in self._names:
            self._book.withdraw(self, name)
        self._names.clear()

    def answered(self, request: names.Lookup, answer: names.Found | OSError) -> None:
        """A lookup has come to its end."""
        self._lookups -= 1
        if isinstance(answer, OSError):
            self.fail(request, answer)
        else:
            self.reply(answer)

    def tell(self, number: int) -> None:
        """Tell what has become of a watched name; a client that is behind, when it has caught up.

        Then it hears what is new by then, and not of all that was in between.
        """
        watch = self._watches.get(number)
        if watch is None or watch.there == self._book.has(watch.name):
            return
        if not self.is_behind():
            watch.there = not watch.there
            self.reply(names.Seen(number, "appeared" if watch.there else "gone"))
        elif not self._untold:
            self._untold = True
            self.when_heard(self._catch_up)

    def _catch_up(self) -> None:
        self._untold = False
        for number in list(self._watches):
            self.tell(number)

    def _publish(self, request: names.Publish) -> None:
        if len(self._names) >= MOST:
            raise OSError(errno.EMFILE, f"{MOST} names are the most that one actor may publish")
        self._book.publish(self, request.name, request.about)
        self._names.add(request.name)
        self.done(request)
        self._book.tell(request.name)

    def _withdraw(self, request: names.Withdraw) -> None:
        self._book.withdraw(self, request.name)
        self._names.discard(request.name)
        self.done(request)

    def _lookup(self, request: names.Lookup) -> None:
        if self._lookups >= MOST_LOOKUPS:
            raise OSError(
                errno.EAGAIN, f"{MOST_LOOKUPS} lookups are the most that one actor may have under way"
            )
        self._book.ask(self, request)
        self._lookups += 1

    def _watch(self, request: names.Watch) -> None:
        if len(self._watches) >= MOST or request.watch in self._watches:
            raise OSError(errno.EMFILE, f"{MOST} names are the most that one actor may watch")
        self._watches[request.watch] = _Watch(request.name)
        self.done(request)
        self._book.watch(self, request.watch, request.name)
        self.tell(request.watch)

    def _unwatch(self, request: names.Unwatch) -> None:
        watch = self._watches.pop(request.watch, None)
        if watch is not None:
            self._book.unwatch(self, request.watch, watch.name)
        self.done(request)
