"""Key exchanges with the wrong one at the other end: impostors, forged proofs, other manifests."""

from __future__ import annotations

from typing import Any

import pytest
from tests.attested import EXCHANGES, Deployed, agreed, begun, measurement_of, over, refused, talk
from tests.fake_platform import FakeCpu, NoPlatform

from eactors.attestation.end import CONFIRMATION, REPORT, SECRET
from eactors.attestation.exchange import make_exchange
from eactors.attestation.report import target_info
from eactors.errors import ExchangeFailed, ManifestRejected

every_exchange = pytest.mark.parametrize("exchange", EXCHANGES)
attested = pytest.mark.parametrize("exchange", ["local-attestation", "sealing"])


def test_an_image_that_plans_another_side_than_the_manifest() -> None:
    """The manifest has the last word on sides, ciphers and exchanges."""
    deployed = Deployed()
    good: dict[str, Any] = {"side": 0, "channel": 0, "cipher": "aes-128-gcm", "peer_enclave": 2}
    good["exchange"] = "local-attestation"
    rest = deployed.written(), 1, deployed.platforms[1]
    make_exchange(good, *rest)
    for changed, own in (
        ({"side": 1}, 1),
        ({"peer_enclave": 1}, 2),
        ({"peer_enclave": 3}, 1),
        ({"cipher": "aes-256-gcm"}, 1),
        ({"exchange": "diffie-hellman"}, 1),
    ):
        with pytest.raises(ExchangeFailed, match=r"in this enclave's image and .* in the manifest"):
            make_exchange({**good, **changed}, deployed.written(), own, deployed.platforms[1])
    with pytest.raises(ManifestRejected, match="no encrypted channel 5"):
        make_exchange({**good, "channel": 5}, *rest)


@pytest.mark.parametrize("changed", [{"cipher": "rot13"}, {"exchange": "trust-me"}])
def test_a_manifest_of_ciphers_that_there_are_not(changed: dict[str, str]) -> None:
    """Even if image and manifest agree on them."""
    deployed = Deployed()
    deployed.fields["channels"][0].update(changed)
    with pytest.raises(ExchangeFailed, match="channel 0"):
        deployed.end(0, 0)


@attested
def test_an_enclave_of_the_same_measurement_on_another_channel(exchange: str) -> None:
    """Enclave 3 runs the image of enclave 2, and answers in its place."""
    same = {enclave: {"measurement": measurement_of(2).hex()} for enclave in (2, 3)}
    deployed = Deployed([(1, 2), (1, 3)], exchange=exchange, changes=same)
    with pytest.raises(ExchangeFailed, match=r"another channel|other keys"):
        talk((deployed.end(0, 0), deployed.end(1, 1)))


@pytest.mark.parametrize("exchange", ["local-attestation", "remote-attestation"])
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"debug": True}, "is a debug enclave and the manifest says it is not"),
        ({"measurement": measurement_of(9)}, "has measurement .* but the manifest says"),
        ({"signer": measurement_of(9)}, "has signer .* but the manifest says"),
        ({"product_id": 7}, "has product id 7 but the manifest says 0"),
        ({"security_version": 1}, "has security version 1 but the manifest says 0"),
    ],
)
def test_who_answers_is_not_whom_the_manifest_says(
    exchange: str, changes: dict[str, Any], words: str
) -> None:
    """The host starts an enclave of its own on a genuine processor, and has it answer as enclave 2."""
    deployed = Deployed(exchange=exchange)
    facts = {"measurement": measurement_of(2), "signer": deployed.platforms[2].signer, **changes}
    deployed.platforms[2] = deployed.cpu.enclave(facts.pop("measurement"), facts.pop("signer"), **facts)
    end, impostor = deployed.ends()
    hellos = begun((end, impostor))
    end(hellos[1])
    refused(end, impostor(hellos[0])[0][0], f"what answers for enclave 2 {words}")


def test_a_debug_enclave_where_the_manifest_says_so() -> None:
    """Both ends name it: reports are made for a debug target."""
    assert agreed(talk(Deployed(changes={2: {"debug": True}}).ends()))


def test_a_production_enclave_where_the_manifest_says_debug() -> None:
    """It cannot even read the report that was made for a debug enclave."""
    deployed = Deployed(changes={2: {"debug": True}})
    deployed.platforms[2] = deployed.cpu.enclave(measurement_of(2), deployed.platforms[2].signer)
    ends = deployed.ends()
    hellos = begun(ends)
    reports = [ends[side](hellos[1 - side])[0][0] for side in (0, 1)]
    refused(ends[0], reports[1], "is no debug enclave and the manifest says it is one")
    refused(ends[1], reports[0], "the report of enclave 1 proves nothing")


def test_a_simulated_enclave_where_the_manifest_says_hardware() -> None:
    """A manifest for hardware is not for the software CPU."""
    ends = Deployed(changes={2: {"platform": "gramine"}}).ends()
    hellos = begun(ends)
    reports = [ends[side](hellos[1 - side])[0][0] for side in (0, 1)]
    refused(ends[0], reports[1], "enclave 2 is a simulated enclave and the manifest says it is not")


@attested
def test_an_enclave_of_another_machine(exchange: str) -> None:
    """Same image, same signer, but a processor that the host may have broken."""
    deployed = Deployed(exchange=exchange)
    there = Deployed(exchange=exchange, cpu=FakeCpu(b"another machine!"))
    with pytest.raises(ExchangeFailed, match=r"proves nothing|cannot be opened"):
        talk((deployed.end(0, 0), there.end(0, 1)))


def test_a_report_that_the_host_wrote() -> None:
    """Everything right in it but the MAC, which only the processor can make."""
    deployed = Deployed()
    end, peer = deployed.ends()
    hellos = begun((end, peer))
    end(hellos[1])
    report = peer(hellos[0])[0][0]
    refused(end, report[:-16] + bytes(16), "proves nothing")


def test_a_report_for_another_purpose() -> None:
    """The peer's own code may have reports made for anyone with data of its choice."""
    deployed = Deployed()
    end, peer = deployed.ends()
    end(begun((end, peer))[1])
    report = deployed.platforms[2].report(
        target_info(measurement_of(1), debug=False), end.transcript + bytes(32)
    )
    refused(end, bytes((1, 1, REPORT, 1)) + report, "does not cover this exchange")


@every_exchange
def test_ends_with_different_manifests(exchange: str) -> None:
    """Each validly signed, of two versions of one deployment."""
    deployed = Deployed(exchange=exchange)
    first = deployed.end(0, 0)
    deployed.fields["application"] = "next.py"
    with pytest.raises(ExchangeFailed, match=r"another manifest|other keys"):
        talk((first, deployed.end(0, 1)))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("signer", measurement_of(9).hex(), "another signer"),
        ("product_id", 1, "another product id"),
        ("debug", True, "another debug"),
    ],
)
def test_sealing_between_enclaves_without_a_common_key(name: str, value: object, words: str) -> None:
    """Seen before anything is sent, with the way out."""
    for end in Deployed(exchange="sealing", changes={2: {name: value}}).ends():
        with pytest.raises(ExchangeFailed, match=words) as caught:
            end(None)
        assert caught.value.hint == "use local-attestation for this channel"
        over(end, "failed")


def test_sealing_between_two_security_versions() -> None:
    """The older cannot have the newer's key, so both use the older's."""
    changes = {1: {"security_version": 5}, 2: {"security_version": 2}}
    assert agreed(talk(Deployed(exchange="sealing", changes=changes).ends()))


@pytest.mark.parametrize("side", [0, 1])
def test_sealing_with_an_enclave_of_another_signer(side: int) -> None:
    """The host signs the same image itself, and runs it in the place of either end."""
    deployed = Deployed(exchange="sealing")
    enclave = side + 1
    deployed.platforms[enclave] = deployed.cpu.enclave(measurement_of(enclave), measurement_of(99))
    with pytest.raises(ExchangeFailed, match="of another signer"):
        talk(deployed.ends())


def test_a_sealed_secret_or_confirmation_of_the_host() -> None:
    """Without the signer's key neither can be made."""
    ends = Deployed(exchange="sealing").ends()
    hellos = begun(ends)
    ends[1](hellos[0])
    refused(ends[1], bytes((1, 2, SECRET, 0)) + bytes(48), "cannot be opened")
    ends[0](hellos[1])
    refused(ends[0], bytes((1, 2, CONFIRMATION, 1)) + bytes(32), "other keys")


@attested
def test_an_end_without_a_platform(exchange: str) -> None:
    """The untrusted side can neither prove nor seal; the reason is passed on."""
    deployed = Deployed(exchange=exchange)
    deployed.platforms[1] = NoPlatform()  # type: ignore[assignment]
    ends = deployed.ends()
    refused(ends[0], begun(ends)[1], "failed here: the untrusted side has no")
