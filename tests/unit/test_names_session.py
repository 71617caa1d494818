"""Names: the client that believes only reports, and the system actor that brings the two together."""

from __future__ import annotations

import errno
import types
from typing import Any

import pytest
from tests.clients import Fake, Outcome
from tests.sessions import Desk

from eactors import ReportInvalid, _native
from eactors.errors import ManifestRejected
from eactors.services import Names, SystemActorMisbehaved, names
from eactors.services.base import Done
from eactors.system.names import MOST_LOOKUPS, NamesSession

ENCLAVES = {"P": 1, "A": 2, "B": 0}


class Machine:
    """Stands for the trust of one enclave: reports that name their maker and target."""

    def __init__(self, own: int) -> None:
        self.own = own
        self.manifest = self

    def power(self, name: str) -> Machine:
        """It has all."""
        assert name == "reports"
        return self

    def report(self, enclave: int, data: bytes) -> bytes:
        """Make one."""
        if enclave not in (1, 2):
            raise ManifestRejected("no such enclave")
        return bytes((self.own, enclave)) + data

    def check_report(self, enclave: int, report: bytes) -> bytes:
        """See who made it for whom."""
        if report[:2] != bytes((enclave, self.own)):
            raise ReportInvalid("not made by it, or not for this one")
        return report[2:]

    def enclave(self, enclave: int) -> Any:
        """What the manifest says of one."""
        measurement = bytes((enclave,)) * 32
        return types.SimpleNamespace(identity=types.SimpleNamespace(measurement=measurement))


def publisher(enclave: int = 1) -> Fake:
    """Return a client in an enclave that has published a name."""
    fake = Fake(Names(), names.Requests, Machine(enclave) if enclave else None)
    fake.client.actor.name = "P"
    fake.client.publish("bank", b"here").then(lambda _: None)
    fake.say(Done(fake.asked().id))
    return fake


def proof_for(fake: Fake, asked: names.Lookup) -> bytes:
    """What the publisher answers to a lookup."""
    fake.say(names.Prove(asked.name, asked.nonce, asked.enclave))
    answer: names.Proof = fake.asked()
    assert (answer.name, answer.nonce, answer.enclave) == (asked.name, asked.nonce, asked.enclave)
    return answer.report


def look_up(**demands: Any) -> tuple[Fake, names.Lookup, Outcome]:
    """A client in enclave 2 that looks the name up."""
    fake = Fake(Names(), names.Requests, Machine(2))
    outcome = Outcome(fake.client.lookup("bank", **demands))
    return fake, fake.asked(), outcome


def test_a_proved_publisher() -> None:
    """The asker learns who it is, with the measurement that the manifest has of it."""
    fake, asked, outcome = look_up(enclave=1, measurement=bytes((1,)) * 32)
    fake.say(names.Found(asked.id, "P", 1, b"here", proof_for(publisher(), asked)))
    found = outcome.results[0]
    assert (found.name, found.actor, found.enclave, found.about) == ("bank", "P", 1, b"here")
    assert found.measurement == bytes((1,)) * 32


LIES: dict[str, Any] = {
    "another actor": lambda found: setattr(found, "actor", "Q"),
    "another enclave": lambda found: setattr(found, "enclave", 2),
    "not in the manifest": lambda found: setattr(found, "enclave", 9),
    "says something else": lambda found: setattr(found, "about", b"there"),
    "no report": lambda found: setattr(found, "report", b""),
    "a changed report": lambda found: setattr(found, "report", found.report[:-1] + b"\1"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_host_that_lies_about_the_publisher(lie: str) -> None:
    """Each part of the answer is covered by the report."""
    fake, asked, outcome = look_up()
    found = names.Found(asked.id, "P", 1, b"here", proof_for(publisher(), asked))
    LIES[lie](found)
    fake.say(found)
    assert [type(error) for error in outcome.errors] == [SystemActorMisbehaved]


def test_an_old_proof_and_one_for_others() -> None:
    """A proof is for one nonce and one enclave."""
    fake, asked, outcome = look_up()
    _, other, _ = look_up()
    fake.say(names.Found(asked.id, "P", 1, b"here", proof_for(publisher(), other)))
    assert "what its publisher did not say" in str(outcome.errors[0])
    fake, asked, outcome = look_up()
    for_another = names.Lookup(asked.id, asked.name, asked.nonce, 1)
    fake.say(names.Found(asked.id, "P", 1, b"here", proof_for(publisher(), for_another)))
    assert "not for this one" in str(outcome.errors[0])


@pytest.mark.parametrize("demand", [{"enclave": 3}, {"measurement": bytes(32)}])
def test_a_demand_that_is_not_met(demand: dict[str, Any]) -> None:
    """Somebody else had the name first: no lie of the host, and no answer for the asker."""
    fake, asked, outcome = look_up(**demand)
    fake.say(names.Found(asked.id, "P", 1, b"here", proof_for(publisher(), asked)))
    assert "published by 'P' in enclave 1, which is not the one demanded" in str(outcome.errors[0])
    assert fake.client.broken is None


def test_the_untrusted_side_is_known_by_the_hosts_word() -> None:
    """Which is enough where nothing is demanded, and nowhere else."""
    fake, asked, outcome = look_up()
    fake.say(names.Found(asked.id, "P", 0, b"here", proof_for(publisher(0), asked)))
    assert outcome.results[0].measurement is None
    fake, asked, outcome = look_up(measurement=bytes(32))
    fake.say(names.Found(asked.id, "P", 0, b"", b""))
    assert "in enclave 0, which is not proved" in str(outcome.errors[0])


def test_a_publisher_proves_only_what_it_published() -> None:
    """Whatever else it is asked for is nonsense, and its reports say that they are about names."""
    fake, nonce = publisher(), bytes(32)
    assert proof_for(fake, names.Lookup(9, "bank", nonce, 2))[2:34] != _native.sha256(nonce)
    with pytest.raises(SystemActorMisbehaved, match="enclave 7, which is not in the manifest"):
        fake.say(names.Prove("bank", nonce, 7))
    fake = publisher()
    with pytest.raises(SystemActorMisbehaved, match="'vault', which was not published"):
        fake.say(names.Prove("vault", nonce, 2))


def test_news_come_in_turns() -> None:
    """A name does not appear twice in a row."""
    fake = Fake(Names(), names.Requests)
    told: list[str] = []
    watched = Outcome(fake.client.watch("bank", told.append))
    number = fake.asked().watch
    fake.say(Done(fake.asked().id))
    for what in ("appeared", "gone", "appeared"):
        fake.say(names.Seen(number, what))
    with pytest.raises(SystemActorMisbehaved, match="twice in a row that a name has appeared"):
        fake.say(names.Seen(number, "appeared"))
    assert told == ["appeared", "gone", "appeared"]
    assert watched.results[0].number == number


def desks() -> tuple[Desk, Desk]:
    """Return the sessions of P and of A."""
    one = Desk(NamesSession, names.Says, {"enclaves": ENCLAVES}, "P")
    return one, Desk(NamesSession, names.Says, {"enclaves": ENCLAVES}, "A", one.reactor)


def test_the_question_goes_to_the_publisher_and_the_proof_back() -> None:
    """With the actor and the enclave that the host knows it by."""
    one, other = desks()
    nonce = b"n" * 32
    assert one.ask(names.Publish(1, "bank", b"here")) == Done(1)
    assert other.ask(names.Publish(1, "bank", b"")).reason == "the name 'bank' is published by 'P'"
    other.put(names.Lookup(2, "bank", nonce, 2))
    other.turn()
    assert one.until(lambda message: isinstance(message, names.Prove)) == names.Prove("bank", nonce, 2)
    assert other.ask(names.Lookup(3, "bank", nonce, 2)).errno == errno.EBUSY
    other.put(names.Proof("bank", nonce, 2, b"forged"))
    one.put(names.Proof("bank", nonce, 2, b"proof"))
    other.turn()
    one.turn()
    assert other.end.sent == [names.Found(2, "P", 1, b"here", b"proof")]
    assert other.ask(names.Lookup(4, "vault", nonce, 2)).errno == errno.ENOENT


def test_names_end_with_their_publisher() -> None:
    """Who looks them up or watches them hears of it; then others may have them."""
    one, other = desks()
    assert other.ask(names.Watch(1, 7, "bank")) == Done(1)
    one.ask(names.Publish(1, "bank", b""))
    assert other.end.sent == [names.Seen(7, "appeared")]
    other.put(names.Lookup(2, "bank", bytes(32), 2))
    other.turn()
    one.session.ended()
    assert other.until(lambda answer: getattr(answer, "id", 0) == 2).errno == errno.ENOENT
    assert other.end.sent[-1] == names.Seen(7, "gone")
    assert other.ask(names.Unwatch(3, 7)) == Done(3)
    assert other.ask(names.Publish(4, "bank", b"")) == Done(4)
    assert other.ask(names.Withdraw(5, "bank")) == Done(5)
    assert other.ask(names.Withdraw(6, "bank")).errno == errno.ENOENT


def test_lookups_under_way_are_bounded() -> None:
    """A client cannot bury a publisher, nor keep the system actor's memory."""
    one, other = desks()
    one.ask(names.Publish(1, "bank", b""))
    for number in range(MOST_LOOKUPS):
        other.put(names.Lookup(number + 1, "bank", number.to_bytes(32, "big"), 2))
    assert other.ask(names.Lookup(99, "bank", b"x" * 32, 2)).errno == errno.EAGAIN


def test_who_is_behind_hears_what_is_new_when_it_has_caught_up() -> None:
    """Somebody who publishes and withdraws without end does not fill the memory with news for others."""
    one, other = desks()
    assert other.ask(names.Watch(1, 7, "bank")) == Done(1)
    other.end.waiting = 1
    for number in range(1, 40, 2):
        assert one.ask(names.Publish(number, "bank", b"")) == Done(number)
        assert one.ask(names.Withdraw(number + 1, "bank")) == Done(number + 1)
    assert one.ask(names.Publish(999, "bank", b"")) == Done(999)
    assert other.end.sent == []
    other.end.waiting = 0
    other.turn()
    assert other.end.sent == [names.Seen(7, "appeared")]
