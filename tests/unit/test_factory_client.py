"""What a Factory answers is hostile input: the client takes what it asked for, and nothing else."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from eactors.services import factory
from eactors.services.base import Done, Failed, Message
from eactors.services.errors import SystemActorError, SystemActorMisbehaved
from eactors.services.factory import Ended, FactoryClient, Instance, Start, Started, Stop

ENCODE = msgspec.msgpack.Encoder().encode


class Line:
    """A connector that keeps what is sent."""

    peer = "system factory"

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self._decode = msgspec.msgpack.Decoder(factory.Requests).decode

    def send(self, data: bytes) -> None:
        """Keep a request."""
        self.sent.append(self._decode(data))


class World:
    """A client, and a host that answers what it likes."""

    def __init__(self) -> None:
        self.line = Line()
        decoder = msgspec.msgpack.Decoder(factory.Says)
        self.client = FactoryClient(self.line, "factory", decoder)
        self.gone: list[tuple[str, str | None, str]] = []

    def start(self, name: str = "guest") -> Any:
        """Ask for an enclave."""
        return self.client.start(name, lambda guest: self.gone.append((guest.name, guest.how, guest.why)))

    def say(self, message: Message) -> None:
        """Have the factory say something."""
        self.client.take(ENCODE(message))

    def started(self, actor: str = "guest3") -> Instance:
        """Ask for an enclave and get one."""
        answer = self.start()
        self.say(Started(self.line.sent[-1].id, actor))
        instance: Instance = answer.result()
        return instance


@pytest.fixture
def world() -> World:
    """A fresh client."""
    return World()


def test_an_honest_factory(world: World) -> None:
    """Asked, started, stopped, ended."""
    instance = world.started()
    assert world.line.sent == [Start(2, 1, "guest")]
    assert (instance.name, instance.how) == ("guest3", None)
    stopped = instance.stop()
    assert world.line.sent[1:] == [Stop(3, 1)]
    world.say(Done(3))
    assert stopped.result() is None
    world.say(Ended(1, "stopped", ""))
    assert world.gone == [("guest3", "stopped", "")]
    assert world.started().name == "guest3"


def test_a_refusal_is_typed(world: World) -> None:
    """It has a number, what was asked for, and why not."""
    answer = world.start()
    world.say(Failed(2, 2, "start guest", "the deployment has no such enclave"))
    with pytest.raises(SystemActorError, match="start guest: the deployment has no such enclave") as caught:
        answer.result()
    assert caught.value.errno == 2


@pytest.mark.parametrize(
    ("actor", "words"),
    [
        ("Keeper", "was asked for 'guest' and says that it started 'Keeper'"),
        ("guest3x", "was asked for 'guest'"),
        ("guest", None),
        ("guest1", None),
    ],
)
def test_it_starts_what_was_asked_for(world: World, actor: str, words: str | None) -> None:
    """Whoever is named as started must be an instance of what was asked for."""
    answer = world.start()
    world.say(Started(2, actor))
    if words is None:
        assert answer.result().name == actor
    else:
        with pytest.raises(SystemActorMisbehaved, match=words):
            answer.result()


@pytest.mark.parametrize(
    "nonsense",
    [
        Started(2, "guest3"),  # answered already
        Started(9, "guest3"),  # never asked
        Ended(7, "killed", ""),  # never started
        Done(2),
        Ended(2, "killed", ""),  # the number of a request is no handle
    ],
)
def test_nonsense_ends_all_trust(world: World, nonsense: Message) -> None:
    """After the first answer that no honest factory gives nothing is asked of it, or believed."""
    world.started()
    with pytest.raises(SystemActorMisbehaved, match="the system actor 'factory'"):
        world.say(nonsense)  # raised in the actor, which waits for the end of its instance
    assert world.client.broken is not None
    with pytest.raises(SystemActorMisbehaved):
        world.start().result()
    assert len(world.line.sent) == 1


def test_one_that_runs_is_not_started_again(world: World) -> None:
    """Two instances of one name would share a channel."""
    world.started()
    answer = world.start()
    with pytest.raises(SystemActorMisbehaved, match="'guest3', which runs already"):
        world.say(Started(world.line.sent[-1].id, "guest3"))
    with pytest.raises(SystemActorMisbehaved):
        answer.result()


def test_an_end_comes_once(world: World) -> None:
    """The second is about nobody."""
    world.started()
    world.say(Ended(1, "finished", ""))
    world.say(Ended(1, "finished", ""))
    assert world.client.broken is not None
    assert len(world.gone) == 1
