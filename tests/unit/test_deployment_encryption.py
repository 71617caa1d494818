"""Which channels are encrypted, and how: every default, and every setting that is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.conftest import deployment_of
from tests.plans import PAIR

from eactors.deployment.encryption import attested
from eactors.deployment.errors import DeploymentError

if TYPE_CHECKING:
    from tests.plans import Planner

    from eactors.deployment.plan import Plan

APART = "Ping:1 | Pong:2"
KEYS = '<key name="alice" file="a.pem"/><key name="bob" file="b.pem"/>'


def channel(attributes: str) -> str:
    """Write the settings of the channel, in a line of their own."""
    return f'\n<channel between="Pong Ping" {attributes}/>\n'


def settings(enclave: int, attributes: str) -> str:
    """Write the settings of an enclave."""
    return f'<enclave-settings enclave="{enclave}" {attributes}/>'


def encryption(plan: Plan) -> tuple[str, str, str | None]:
    """Return how the only channel is protected."""
    (only,) = plan.channels
    return only.protection, only.cipher, only.exchange


def test_between_enclaves_by_default(plan: Planner) -> None:
    """Whoever says nothing is encrypted, with or without other settings."""
    default = ("encrypted", "aes-128-gcm", "local-attestation")
    assert encryption(plan(PAIR, APART)) == default
    assert encryption(plan(PAIR, APART, channel('capacity="8" insecure="no"'))) == default


@pytest.mark.parametrize("places", ["Ping:1 Pong:1", "Ping:1 | Pong:1", "Ping:0 | Pong:0"])
@pytest.mark.parametrize("extra", ["", channel('cipher="none"'), channel('capacity="8"')])
def test_at_home(plan: Planner, places: str, extra: str) -> None:
    """What stays inside is private, and a cipher that is none changes nothing."""
    assert encryption(plan(PAIR, places, extra)) == ("private", "none", None)


@pytest.mark.parametrize("places", ["Ping:0 | Pong:1", "Ping:1 | Pong:0"])
@pytest.mark.parametrize("extra", ["", channel('cipher="none"'), channel('insecure="no"')])
def test_with_an_untrusted_end(plan: Planner, places: str, extra: str) -> None:
    """There is no one to keep a secret with."""
    assert encryption(plan(PAIR, places, extra)) == ("plain", "none", None)


@pytest.mark.parametrize(
    ("attributes", "comes_to"),
    [
        ('cipher="none"', ("plain", "none", None)),
        ('cipher="aes-128-gcm"', ("encrypted", "aes-128-gcm", "local-attestation")),
        ('cipher="aes-256-gcm"', ("encrypted", "aes-256-gcm", "local-attestation")),
        ('key-exchange="local-attestation"', ("encrypted", "aes-128-gcm", "local-attestation")),
        (
            'cipher="chacha20-poly1305" key-exchange="sealing"',
            ("encrypted", "chacha20-poly1305", "sealing"),
        ),
        (
            'key-exchange="diffie-hellman" insecure="yes"',
            ("encrypted", "aes-128-gcm", "diffie-hellman"),
        ),
    ],
)
def test_between_enclaves_as_set(
    plan: Planner, attributes: str, comes_to: tuple[str, str, str | None]
) -> None:
    """What is set is used, and the rest has its default."""
    assert encryption(plan(PAIR, APART, channel(attributes))) == comes_to


REFUSED = {
    "cipher at home": (
        "Ping:1 Pong:1",
        'cipher="aes-256-gcm"',
        "cannot have cipher 'aes-256-gcm': both are in enclave 1, and what they say never leaves it",
        "delete cipher from this <channel>, or place the two in different enclaves",
    ),
    "exchange at home": (
        "Ping:1 Pong:1",
        'cipher="none" key-exchange="sealing"',
        "cannot have key-exchange 'sealing': both are in enclave 1, and what they say never leaves it",
        "delete key-exchange from this <channel>, or place the two in different enclaves",
    ),
    "insecure at home": (
        "Ping:1 Pong:1",
        'insecure="yes"',
        "cannot have insecure 'yes': both are in enclave 1, and what they say never leaves it",
        "delete insecure from this <channel>, or place the two in different enclaves",
    ),
    "cipher with an untrusted end": (
        "Ping:1 | Pong:0",
        'cipher="aes-128-gcm"',
        "cannot have cipher 'aes-128-gcm': 'Pong' is untrusted, so there is no one to keep a secret with",
        "delete cipher from this <channel>, or place 'Pong' in an enclave",
    ),
    "exchange with an untrusted end": (
        "Ping:0 | Pong:1",
        'key-exchange="local-attestation"',
        (
            "cannot have key-exchange 'local-attestation': 'Ping' is untrusted, so there is no one to keep a"
            " secret with"
        ),
        "delete key-exchange from this <channel>, or place 'Ping' in an enclave",
    ),
    "cipher on the untrusted side": (
        "Ping:0 | Pong:0",
        'cipher="aes-128-gcm"',
        "cannot have cipher 'aes-128-gcm': 'Ping' is untrusted, so there is no one to keep a secret with",
        "delete cipher from this <channel>, or place 'Ping' in an enclave",
    ),
    "exchange without a cipher": (
        APART,
        'cipher="none" key-exchange="local-attestation"',
        "has key-exchange 'local-attestation' and cipher 'none': it needs no keys",
        "delete key-exchange from this <channel>, or choose a cipher",
    ),
    "insecure without a cipher": (
        APART,
        'cipher="none" insecure="yes"',
        "has insecure 'yes' and cipher 'none': insecure is about a key exchange",
        "delete insecure from this <channel>",
    ),
    "diffie-hellman without consent": (
        APART,
        'key-exchange="diffie-hellman"',
        (
            "has key-exchange 'diffie-hellman' without insecure=\"yes\": it attests no one, so neither end"
            " knows whom it talks to, and a hostile host can sit in the middle and read everything"
        ),
        'use local-attestation, or accept that with insecure="yes"',
    ),
    "diffie-hellman with a no": (
        APART,
        'key-exchange="diffie-hellman" insecure="no"',
        (
            "has key-exchange 'diffie-hellman' without insecure=\"yes\": it attests no one, so neither end"
            " knows whom it talks to, and a hostile host can sit in the middle and read everything"
        ),
        'use local-attestation, or accept that with insecure="yes"',
    ),
    "insecure by default": (
        APART,
        'insecure="yes"',
        "has insecure 'yes' and key-exchange 'local-attestation', which is secure",
        "delete insecure from this <channel>",
    ),
    "insecure sealing": (
        APART,
        'key-exchange="sealing" insecure="yes"',
        "has insecure 'yes' and key-exchange 'sealing', which is secure",
        "delete insecure from this <channel>",
    ),
}


@pytest.mark.parametrize(("places", "attributes", "what", "hint"), REFUSED.values(), ids=REFUSED)
def test_refuses(plan: Planner, places: str, attributes: str, what: str, hint: str) -> None:
    """The <channel> is named with its line, why it cannot be, and what would be right."""
    error = plan.refused(PAIR, places, channel(attributes))
    assert (error.line, error.hint) == (plan.line_of("<channel"), hint)
    assert error.message == f"the channel between 'Pong' and 'Ping' {what}"


SEALED = channel('key-exchange="sealing"')
SEALING_RULE = "keys travel under a sealing key that only enclaves of one signer and one product id have"


def test_sealing_between_two_signers(plan: Planner) -> None:
    """Both enclaves are named, with who signs them."""
    signers = KEYS + settings(1, 'signer="alice" name="bank"') + settings(2, 'signer="bob"')
    error = plan.refused(PAIR, APART, signers + SEALED)
    assert error.message == (
        "the channel between 'Pong' and 'Ping' has key-exchange 'sealing', but enclave 1 (bank) is signed by"
        " alice and enclave 2 by bob"
    )
    assert error.hint == f"{SEALING_RULE}: give both the same signer, or use local-attestation"
    assert error.line == plan.line_of("<channel")


def test_sealing_between_two_products(plan: Planner) -> None:
    """Both enclaves are named, with their product ids."""
    error = plan.refused(PAIR, APART, settings(2, 'product-id="7" name="vault"') + SEALED)
    assert error.message == (
        "the channel between 'Pong' and 'Ping' has key-exchange 'sealing', but enclave 1 has product id 0 and"
        " enclave 2 (vault) has 7"
    )
    assert error.hint == f"{SEALING_RULE}: give both the same product-id, or use local-attestation"
    assert error.line == plan.line_of("<channel")


def test_sealing_with_one_signer(plan: Planner) -> None:
    """Whatever the other settings are."""
    same = settings(1, 'signer="bob" product-id="7"') + settings(2, 'signer="bob" product-id="7" debug="yes"')
    assert encryption(plan(PAIR, APART, KEYS + same + SEALED)) == ("encrypted", "aes-128-gcm", "sealing")


def test_who_attests_whom(plan: Planner) -> None:
    """In words, for people."""
    bank = settings(1, 'name="bank"')
    alice = '<key name="alice" file="a.pem"/>'
    insecure = channel('key-exchange="diffie-hellman" insecure="yes"')
    for places, extra, words in (
        (APART, bank, "enclave 1 (bank) and enclave 2 attest each other"),
        (APART, alice + SEALED, "both sealed by alice"),
        (APART, SEALED, "both sealed by the development key"),
        (APART, insecure, "nobody: insecure"),
        (APART, channel('cipher="none"'), None),
        ("Ping:1 Pong:1", "", None),
        ("Ping:1 Pong:0", "", None),
    ):
        planned = plan(PAIR, places, extra)
        assert attested(planned, planned.channels[0]) == words


def between_servers(extra: str = "") -> str:
    """Write a deployment of Ping in an enclave of one server and Pong in one of another."""
    split = "</workers></server>\n<server><ip>other</ip><workers>"
    return deployment_of(APART, extra).replace("<worker><id>1</id>", f"{split}<worker><id>1</id>")


def test_between_servers(plan: Planner) -> None:
    """Encrypted as everywhere, but attested by quotes: a report means nothing on another machine."""
    planned = plan.plan(PAIR, between_servers())
    assert planned.channels[0].carrier == "network"
    assert encryption(planned) == ("encrypted", "aes-128-gcm", "remote-attestation")
    assert attested(planned, planned.channels[0]) == "enclave 1 and enclave 2 attest each other by quote"
    plain = plan.plan(PAIR, between_servers(channel('cipher="none"')))
    assert encryption(plain) == ("plain", "none", None)


@pytest.mark.parametrize("exchange", ["local-attestation", "sealing"])
def test_what_one_machine_only_knows_is_refused_between_servers(plan: Planner, exchange: str) -> None:
    """It could never come to keys."""
    with pytest.raises(DeploymentError) as caught:
        plan.plan(PAIR, between_servers(channel(f'key-exchange="{exchange}"')))
    assert caught.value.message == (
        f"the channel between 'Pong' and 'Ping' has key-exchange '{exchange}', but they are on two servers:"
        " reports and sealing keys mean something on one machine only"
    )
    assert caught.value.hint == (
        "delete key-exchange from this <channel>: between servers it is remote-attestation"
    )


def test_an_untrusted_end_on_another_server_is_plain(plan: Planner) -> None:
    """There is no one to keep a secret with."""
    planned = plan.plan(PAIR, between_servers().replace("<id>2</id>", "<id>0</id>"))
    assert planned.channels[0].carrier == "network"
    assert encryption(planned) == ("plain", "none", None)


def test_an_enclave_that_may_begin_again_has_no_channel_to_another_server(plan: Planner) -> None:
    """The other server could not open its end anew."""
    with pytest.raises(DeploymentError) as caught:
        plan.plan(PAIR, between_servers('<enclave-settings enclave="1" restart="on-failure"/>'))
    assert caught.value.message == (
        "the channel between 'Ping' and 'Pong' goes to another server, but enclave 1 is started on"
        " demand or anew"
    )
    assert caught.value.hint == (
        "let it live as long as the application, or talk through an actor of its own server"
    )


def test_one_enclave_id_on_two_servers(plan: Planner) -> None:
    """The manifest and the channels know an enclave by its id."""
    with pytest.raises(DeploymentError) as caught:
        plan.plan(PAIR, between_servers().replace("<id>2</id>", "<id>1</id>"))
    assert caught.value.message == "enclave 1 is on servers 'localhost' and 'other'"
    assert caught.value.hint == "an enclave is on one server, and all are in one manifest: 2 is a free id"


def test_channels_are_numbered(plan: Planner) -> None:
    """An id is the place in the plan, and all channels of two actors have their settings."""
    source = """
    class Ping(Actor):
        one, two = Connector("Pong"), Connector("Pong")

    class Pong(Actor):
        one, two, echo = Connector("Ping"), Connector("Ping"), Connector("Echo")

    class Echo(Actor):
        pong = Connector("Pong")
    """
    planned = plan(source, "Ping:1 | Pong:2 Echo:2", channel('cipher="aes-256-gcm"'))
    assert [(each.id, str(each), each.cipher) for each in planned.channels] == [
        (0, "Ping.one - Pong.one", "aes-256-gcm"),
        (1, "Ping.two - Pong.two", "aes-256-gcm"),
        (2, "Pong.echo - Echo.pong", "none"),
    ]
