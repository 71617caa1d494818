"""Labels: which deployments of secret actors are refused, with what words, and which ways out work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from eactors.deployment.labels import declassified

if TYPE_CHECKING:
    from tests.plans import Planner

SECRET = """
class Bank(Actor, name="bank"):
    secret = True
    log = Connector("Log")

class Log(Actor):
    bank = Connector("bank")
"""
DECLASSIFIED = SECRET.replace('Connector("Log")', 'Connector("Log", declassify="only totals")')
BOTH_SECRET = SECRET.replace("class Log(Actor):\n", "class Log(Actor):\n    secret = True\n")
APART = "bank:1 | Log:2"
PLAIN = '\n<channel between="bank Log" cipher="none"/>\n'
INSECURE = '\n<channel between="bank Log" key-exchange="diffie-hellman" insecure="yes"/>\n'
OR_DECLASSIFY = ', or declare Bank.log with declassify="reason"'


@pytest.mark.parametrize(
    ("places", "extra"),
    [
        (APART, ""),
        ("bank:1 Log:1", ""),
        ("bank:1 | Log:1", ""),
        (APART, PLAIN.replace('cipher="none"', 'key-exchange="sealing"')),
    ],
)
def test_private_and_encrypted_channels_are_safe(plan: Planner, places: str, extra: str) -> None:
    """No one else can listen there."""
    assert plan(SECRET, places, extra).actors["bank"].cls.secret
    assert plan(BOTH_SECRET, places, extra)


REFUSED = {
    "plain": (
        APART,
        PLAIN,
        "which is plain: its cipher is 'none'",
        "give its <channel> a cipher",
        "<channel",
    ),
    "insecure": (
        APART,
        INSECURE,
        "which is encrypted for whoever answers: its key exchange is an insecure diffie-hellman",
        "give its <channel> another key-exchange",
        "<channel",
    ),
    "untrusted peer": (
        "bank:1 | Log:0",
        "",
        "which is plain: 'Log' is untrusted",
        "place 'Log' in an enclave",
        "<name>bank<",
    ),
    "untrusted itself": (
        "bank:0 | Log:1",
        "",
        "which is plain: 'bank' is untrusted",
        "place 'bank' in an enclave",
        "<name>bank<",
    ),
    "untrusted both": (
        "bank:0 | Log:0",
        "",
        "which the host can read: 'bank' and 'Log' are untrusted",
        "place 'bank' and 'Log' in enclaves",
        "<name>bank<",
    ),
}


@pytest.mark.parametrize(("places", "extra", "why", "way_out", "blamed"), REFUSED.values(), ids=REFUSED)
def test_refuses(plan: Planner, places: str, extra: str, why: str, way_out: str, blamed: str) -> None:
    """The error names the actor, its connector, the channel, why, and two ways out."""
    error = plan.refused(SECRET, places, extra)
    assert error.message == (
        f"actor 'bank' is secret, but Bank.log is an end of the channel bank.log - Log.bank, {why}"
    )
    assert error.hint == way_out + OR_DECLASSIFY
    assert error.line == plan.line_of(blamed)


@pytest.mark.parametrize(
    ("places", "extra"), [(places, extra) for places, extra, *_ in REFUSED.values()], ids=REFUSED
)
def test_a_reason_lets_it_pass(plan: Planner, places: str, extra: str) -> None:
    """What the source says may be known, may; the reason is kept for whoever checks."""
    planned = plan(DECLASSIFIED, places, extra)
    (channel,) = planned.channels
    assert {str(end): reason for end, reason in declassified(planned, channel).items()} == {
        "bank.log": "only totals"
    }


def test_no_reason_is_needed_where_no_one_listens(plan: Planner) -> None:
    """A reason that is not in force is not shown."""
    planned = plan(DECLASSIFIED, APART)
    assert declassified(planned, planned.channels[0]) == {}


def test_the_word_of_an_open_actor_counts_for_nothing(plan: Planner) -> None:
    """The secret actor's own end is what counts."""
    source = SECRET.replace('Connector("bank")', 'Connector("bank", declassify="why not")')
    assert plan.refused(source, APART, PLAIN).message.startswith("actor 'bank' is secret")
    source = DECLASSIFIED.replace("secret = True", "secret = False")
    planned = plan(source, APART, PLAIN)
    assert declassified(planned, planned.channels[0]) == {}


def test_two_secret_ends_need_two_reasons(plan: Planner) -> None:
    """Each speaks for itself."""
    one = BOTH_SECRET.replace('Connector("Log")', 'Connector("Log", declassify="totals")')
    error = plan.refused(one, APART, PLAIN)
    assert error.message == (
        "actor 'Log' is secret, but Log.bank is an end of the channel bank.log - Log.bank, which is plain:"
        " its cipher is 'none'"
    )
    assert error.hint == 'give its <channel> a cipher, or declare Log.bank with declassify="reason"'
    both = one.replace('Connector("bank")', 'Connector("bank", declassify="names")')
    planned = plan(both, APART, PLAIN)
    reasons = declassified(planned, planned.channels[0])
    assert {str(end): reason for end, reason in reasons.items()} == {
        "bank.log": "totals",
        "Log.bank": "names",
    }


def test_a_label_is_inherited(plan: Planner) -> None:
    """What derives from a secret class is secret, unless it says otherwise."""
    source = SECRET.replace("Bank(Actor", "Base(Actor").replace('name="bank"', 'name="base"')
    derived = source + '\nclass Bank(Base, name="bank"):\n    pass\n'
    assert plan.refused(derived, APART, PLAIN).message.startswith("actor 'bank' is secret")
    plan(derived.replace("    pass", "    secret = False"), APART, PLAIN)


POOLS = """
class Bank(Actor, name="bank"):
    secret = True
    inbox = Mbox("inbox", Pool("nodes"))

class Clerk(Actor):
    nodes = Pool("nodes")
"""


def test_a_private_pool_is_safe(plan: Planner) -> None:
    """Inside one enclave."""
    assert plan(POOLS, "bank:1 | Clerk:1").pools[0].kind == "private"


def test_a_public_pool_is_refused(plan: Planner) -> None:
    """Everybody who has the region reads its nodes."""
    error = plan.refused(POOLS, "bank:1 | Clerk:2")
    assert error.message == ("actor 'bank' is secret, but Bank.inbox is of the pool 'nodes', which is public")
    assert error.hint == (
        "place all who use 'nodes' in one enclave ('bank', 'Clerk'), or let it use a pool of its own"
    )
    assert error.line == plan.line_of("<name>bank<")


def test_a_pool_that_was_asked_to_be_public_is_refused(plan: Planner) -> None:
    """The <pool> is to blame."""
    error = plan.refused(POOLS, "bank:1 | Clerk:1", '\n<pool name="nodes" kind="public"/>')
    assert error.line == plan.line_of("<pool")
    assert error.hint == (
        "place all who use 'nodes' in one enclave ('bank', 'Clerk') and delete kind=\"public\","
        " or let it use a pool of its own"
    )


def test_a_pool_on_the_untrusted_side_is_refused(plan: Planner) -> None:
    """It is private, but not from the host."""
    error = plan.refused(POOLS, "bank:0 | Clerk:0")
    assert error.message == (
        "actor 'bank' is secret, but Bank.inbox is of the pool 'nodes', and 'bank' is untrusted"
    )
    assert error.hint == (
        "place 'bank' in an enclave, and with it all who use 'nodes', or let it use a pool of its own"
    )


def test_an_open_actor_may_use_a_public_pool(plan: Planner) -> None:
    """Labels bind only who has one."""
    assert plan(POOLS.replace("True", "False"), "bank:1 | Clerk:2").pools[0].kind == "public"


@pytest.mark.parametrize("written", ["1", "'yes'", "None"])
def test_a_label_that_is_no_bool(plan: Planner, written: str) -> None:
    """A label is on or off."""
    error = plan.source_refused(SECRET.replace("True", written), APART)
    assert error.message == f"Bank.secret is {written}, which is no bool"
    assert error.hint == "write secret = True, or delete it"


@pytest.mark.parametrize("written", ["''", "'  '", "True", "b'totals'"])
def test_a_reason_that_is_none(plan: Planner, written: str) -> None:
    """A reason is read by people."""
    error = plan.source_refused(DECLASSIFIED.replace('"only totals"', written), APART)
    assert error.message == f"Bank.log: declassify is {written}, which is no reason"
    assert error.hint == "say in words why what it sends may be known, or delete declassify"
