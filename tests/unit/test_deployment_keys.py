"""The checks of keys, of who is named as signer and owner, and of what is required."""

from __future__ import annotations

import pytest
from tests.conftest import deployment_of

from eactors.deployment import xml
from eactors.deployment.checks import check
from eactors.deployment.errors import DeploymentError

FILE = "demo.xml"
ALICE = '<key name="alice" file="alice.pem"/>'
BOB = '<key name="bob" file="bob.pem"/>'


def checked(places: str, *settings: str) -> None:
    """Check a deployment with settings, one to a line."""
    check(xml.parse(deployment_of(places, "\n".join(settings)).encode(), FILE))


def refused(places: str, *settings: str) -> tuple[int, str, str | None]:
    """Return how it is refused; the number of the setting to blame instead of its line, from 0."""
    with pytest.raises(DeploymentError) as caught:
        checked(places, *settings)
    lines = deployment_of(places, "\n".join(settings)).splitlines()
    assert caught.value.line is not None
    blamed = lines[caught.value.line - 1].removesuffix("</data>")
    return settings.index(blamed), caught.value.message, caught.value.hint


def test_key_declared_twice() -> None:
    """A name stands for one key."""
    number, message, hint = refused("A:1", ALICE, '<key name="alice" file="other.pem"/>')
    assert (number, message) == (1, "key 'alice' is declared twice: here and in line 10")
    assert hint == "give one of the two another name"


@pytest.mark.parametrize("attribute", ["signer", "owners"])
def test_unknown_key(attribute: str) -> None:
    """Whoever is named is declared; a misspelt name is guessed."""
    setting = f'<enclave-settings enclave="1" {attribute}="alcie"/>'
    message = f"{attribute} of enclave 1 names the unknown key 'alcie'"
    declare = 'declare it: <key name="..." file="..."/>'
    assert refused("A:1", ALICE, setting) == (1, message, f"did you mean 'alice'? {declare}")
    assert refused("A:1", setting) == (0, message, declare)


def test_owner_named_twice() -> None:
    """One owner has one signature."""
    number, message, hint = refused("A:1", ALICE, '<enclave-settings enclave="1" owners="alice alice"/>')
    assert (number, message) == (1, "owners of enclave 1 names 'alice' 2 times")
    assert hint == "list each owner once"


def test_several_keys_and_no_signer() -> None:
    """Nothing is guessed, and the development key does not step in."""
    nameless = '<enclave-settings enclave="2" name="bank"/>'
    signed = '<enclave-settings enclave="1" signer="bob"/>'
    number, message, hint = refused("A:1 B:2", ALICE, BOB, signed, nameless)
    assert (number, message) == (3, "enclave 2 has no signer, and there are several keys: 'alice', 'bob'")
    assert hint == 'say which of them signs it: <enclave-settings enclave="2" signer="..."/>'


def test_several_keys_and_no_settings() -> None:
    """The enclave's own line is named."""
    with pytest.raises(DeploymentError, match="enclave 1 has no signer") as caught:
        checked("B:0 A:1", ALICE, BOB)
    assert (
        caught.value.line
        == deployment_of("B:0 A:1")
        .splitlines()
        .index("<enclave><id>1</id><actors><actor>A</actor></actors></enclave>")
        + 1
    )


def test_who_needs_no_signer() -> None:
    """One key signs all; the untrusted side is never signed; a named signer is enough."""
    checked("A:1 B:2", ALICE)
    checked("A:0", ALICE, BOB)
    checked("A:0 B:1", ALICE, BOB, '<enclave-settings enclave="1" signer="bob" owners="alice"/>')


def test_enclaves_without_a_name_are_no_twins() -> None:
    """Only names can be equal."""
    checked("A:1 B:2", '<enclave-settings enclave="1"/>', '<enclave-settings enclave="2"/>')


def test_requires_of_an_unknown_enclave() -> None:
    """The untrusted side may require, too, where it has actors."""
    setting = '<requires enclave="0" module="json"/>'
    checked("A:1 B:0", setting)
    assert refused("A:1 B:2", setting) == (
        0,
        "<requires> names the unknown enclave 0",
        "the enclaves are 1, 2",
    )


def test_required_twice() -> None:
    """By one enclave; two may require the same."""
    one, two = ('<requires enclave="1" module="json"/>', '<requires enclave="2" module="json"/>')
    checked("A:1 B:2", one, two)
    number, message, hint = refused("A:1 B:2", one, two, '<requires enclave="1"  module="json"/>')
    assert (number, hint) == (2, "delete one of the two")
    assert message.startswith("'json' is required twice in enclave 1: here and in line ")


def test_directories() -> None:
    """One name for all, or one for each actor; not both, and not for actors that do not run."""
    ours, mine = '<directory name="d" path="x"/>', '<directory name="d" path="y" actor="A"/>'
    theirs = '<directory name="d" path="y" actor="B"/>'
    checked("A:1 B:2", mine, theirs)
    number, message, hint = refused("A:1 B:2", ours, '<directory path="y" name="d"/>')
    assert (number, hint) == (1, "give one of the two another name, or to another actor")
    assert message.startswith("directory 'd' is given twice: here and in line ")
    number, message, hint = refused("A:1 B:2", mine, ours)
    assert (number, hint) == (0, "give one of the two another name")
    assert message.startswith("directory 'd' of 'A' has the name of one for all actors, in line ")
    number, message, _ = refused("A:1 B:2", '<directory name="d" path="y" actor="C"/>')
    assert (number, message) == (0, "<directory> names the unknown actor 'C'")


def test_networks() -> None:
    """One for all, and one for each actor; not two, and not for actors that do not run."""
    everyone, mine = '<network sockets="9"/>', '<network actor="A" unread="1048576"/>'
    checked("A:1 B:2", everyone, mine, '<network actor="B"/>')
    number, message, hint = refused("A:1 B:2", everyone, mine, "<network/>")
    assert (number, hint) == (2, "delete one of the two, or write actor= to set one actor's")
    assert message.startswith("<network> of all actors is set twice: here and in line ")
    _, message, _ = refused("A:1 B:2", everyone, mine, mine)
    assert message.startswith("<network> of 'A' is set twice: ")
    assert refused("A:1 B:2", '<network actor="C"/>')[:2] == (0, "<network> names the unknown actor 'C'")


def test_messages_are_safe_to_print() -> None:
    """A name that no terminal can show is escaped."""
    odd = "a\ue000"
    for settings in (
        (f'<enclave-settings enclave="1" signer="{odd}"/>',),
        (f'<key name="{odd}" file="a.pem"/>', BOB, '<enclave-settings enclave="1"/>'),
    ):
        _, message, hint = refused("A:1", *settings)
        assert message.isprintable()
        assert hint is not None
        assert hint.isprintable()
