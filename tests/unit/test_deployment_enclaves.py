"""What the plan says of each enclave: settings with their defaults, and what its image requires."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.plans import PAIR

from eactors.deployment.plan import PlannedChannel, PlannedEnclave, PlannedPool, PlannedServer

if TYPE_CHECKING:
    from tests.plans import Planner

ALICE = '<key name="alice" file="keys/alice.pem"/>'
BOB = '<key name="bob" file="/owners/bob.pem"/>'


def test_defaults_without_keys(plan: Planner) -> None:
    """The development key signs, and what it signs may be debugged."""
    planned = plan(PAIR, "Ping:3 | Pong:0")
    assert planned.enclaves == {
        3: PlannedEnclave(
            id=3,
            name=None,
            title="enclave 3",
            signer=None,
            owners=(),
            debug=True,
            product_id=0,
            security_version=0,
            platform="simulation",
            requires=(),
        )
    }
    assert (planned.keys, planned.untrusted_requires) == ({}, ())


def test_everything_set(plan: Planner) -> None:
    """What is set comes through."""
    settings = (
        '<enclave-settings enclave="1" name="bank" signer="bob" owners="bob" debug="yes" product-id="7"'
        ' security-version="2" platform="simulation"/><enclave-settings enclave="2" signer="alice"/>'
    )
    planned = plan(PAIR, "Ping:1 | Pong:2", ALICE + BOB + settings)
    assert planned.enclaves[1] == PlannedEnclave(
        id=1,
        name="bank",
        title="enclave 1 (bank)",
        signer="bob",
        owners=("bob",),
        debug=True,
        product_id=7,
        security_version=2,
        platform="simulation",
        requires=(),
    )
    assert planned.enclaves[2].signer == "alice"


def test_one_key_signs_and_owns_all(plan: Planner) -> None:
    """With an owner's key, nothing may be debugged unless it says so."""
    planned = plan(PAIR, "Ping:1 | Pong:2", ALICE + '<enclave-settings enclave="2" debug="yes"/>')
    facts = [(each.signer, each.owners, each.debug) for each in planned.enclaves.values()]
    assert facts == [("alice", ("alice",), False), ("alice", ("alice",), True)]


def test_all_owners_by_default(plan: Planner) -> None:
    """Whoever is declared has to sign the manifest, in the order of the file."""
    signers = "".join(f'<enclave-settings enclave="{n}" signer="bob"/>' for n in (1, 2))
    planned = plan(PAIR, "Ping:1 | Pong:2", BOB + ALICE + signers)
    assert [each.owners for each in planned.enclaves.values()] == [("bob", "alice")] * 2


def test_the_development_key_without_debug(plan: Planner) -> None:
    """A no is a no."""
    settings = '<enclave-settings enclave="1" debug="no"/>'
    assert plan(PAIR, "Ping:1 | Pong:1", settings).enclaves[1].debug is False


def test_keys_lie_beside_the_deployment(plan: Planner) -> None:
    """A path is relative to the deployment file, or absolute; no file is opened."""
    keys = plan(PAIR, "Ping:0 | Pong:0", ALICE + BOB, file="some/where/demo.xml").keys
    assert keys == {"alice": Path("some/where/keys/alice.pem"), "bob": Path("/owners/bob.pem")}


REQUIRING = """
class Base(Actor):
    requires = ("zlib", "json")

class One(Base):
    pass

class Two(Actor):
    requires = ("codes:TABLE",)

class Three(Actor):
    pass
"""


def test_what_an_image_requires(plan: Planner) -> None:
    """What the deployment and the enclave's classes ask, each once and in alphabetical order."""
    extra = (
        '<requires enclave="1" module="json"/><requires enclave="1" module="a.b"/>'
        '<requires enclave="0" module="uuid"/>'
    )
    planned = plan(REQUIRING, "One:1 | Two:2 Three:0", extra)
    assert planned.enclaves[1].requires == ("a.b", "json", "zlib")
    assert planned.enclaves[2].requires == ("codes:TABLE",)
    assert planned.untrusted_requires == ("uuid",)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ('"json"', "A.requires is 'json', which is no tuple"),
        ('["json"]', "A.requires is ['json'], which is no tuple"),
        ('("json", 1)', "A.requires has 1, which names no module"),
        ('("lib/json.py",)', "A.requires has 'lib/json.py', which names no module"),
    ],
)
def test_requirements_that_are_none(plan: Planner, written: str, message: str) -> None:
    """A text in place of a tuple would be read letter by letter."""
    error = plan.source_refused(f"class A(Actor):\n    requires = {written}\n", "A:1")
    assert error.message == message
    assert error.hint == 'write a tuple, such as requires = ("package.module", "module:NAME")'


def test_what_a_launcher_reads_back(plan: Planner) -> None:
    """Planned values survive being written down: their types are there at run time."""
    planned = plan(PAIR, "Ping:1 | Pong:2")
    for value, kind in (
        (planned.channels, tuple[PlannedChannel, ...]),
        (planned.servers, tuple[PlannedServer, ...]),
        (planned.pools, tuple[PlannedPool, ...]),
        (planned.enclaves, dict[int, PlannedEnclave]),
    ):
        assert msgspec.json.decode(msgspec.json.encode(value), type=kind) == value
