"""Identities: what a report proves, to whom, and in what words it does not."""

from __future__ import annotations

import pytest
from tests.attested import SIGNER, measurement_of
from tests.fake_platform import FakeCpu

from eactors.attestation.identity import (
    SIMULATED_CPU,
    Identity,
    own_identity,
)
from eactors.attestation.key_request import TO_MEASUREMENT, TO_SIGNER, seal_key_request
from eactors.attestation.report import check_report, target_info
from eactors.cpu.instructions import CPU_SVN
from eactors.cpu.structures import KeyRequest, TargetInfo
from eactors.errors import ReportInvalid

ONE, TWO = measurement_of(1), measurement_of(2)
DATA = bytes(range(64))


def test_own_identity_is_what_the_processor_says() -> None:
    """Every field from its place in the report."""
    own = own_identity(FakeCpu().enclave(ONE, SIGNER, product_id=258, security_version=772, debug=True))
    assert (own.measurement, own.signer) == (ONE, SIGNER)
    assert (own.product_id, own.security_version, own.debug) == (258, 772, True)
    assert own.cpu_svn == SIMULATED_CPU == CPU_SVN
    assert own.simulated


@pytest.mark.parametrize("debug", [False, True])
def test_a_report_is_good_for_its_target(debug: bool) -> None:  # noqa: FBT001
    """Another enclave of the machine learns who made it, and what it said."""
    cpu = FakeCpu()
    maker, target = cpu.enclave(ONE, SIGNER), cpu.enclave(TWO, SIGNER, debug=debug)
    identity, data = check_report(target, maker.report(target_info(TWO, debug), DATA))
    assert identity.difference(Identity(ONE, SIGNER, 0, 0, debug=False, cpu_svn=SIMULATED_CPU)) is None
    assert data == DATA


@pytest.mark.parametrize(
    "who", ["another measurement", "debug", "another machine", "another boot's key"], ids=str
)
def test_a_report_is_good_for_nobody_else(who: str) -> None:
    """Only the target's processor, for the target, has the report key."""
    cpu = FakeCpu()
    report = cpu.enclave(ONE, SIGNER).report(target_info(TWO, debug=False), DATA)
    checker = {
        "another measurement": cpu.enclave(ONE, SIGNER),
        "debug": cpu.enclave(TWO, SIGNER, debug=True),
        "another machine": FakeCpu(b"another machine!").enclave(TWO, SIGNER),
        "another boot's key": cpu.enclave(TWO, SIGNER),
    }[who]
    if who == "another boot's key":
        report = report[:384] + bytes(31) + b"\1" + report[416:]
    with pytest.raises(ReportInvalid, match="not made on this machine, not for this enclave, or was changed"):
        check_report(checker, report)


@pytest.mark.parametrize("length", [0, 384, 431, 433])
def test_a_report_of_another_length_is_none(length: int) -> None:
    """Refused before anything is read from it."""
    with pytest.raises(ReportInvalid, match=f"this one {length}"):
        check_report(FakeCpu().enclave(ONE, SIGNER), bytes(length))


@pytest.mark.parametrize("flags", [0, 1, 4, 2])
def test_an_enclave_in_another_mode_is_none(flags: int) -> None:
    """The measurement does not cover whether the same bytes run as 32-bit code."""
    platform = FakeCpu().enclave(ONE, SIGNER)
    platform.attributes = flags.to_bytes(8, "little") + platform.attributes[8:]
    with pytest.raises(ReportInvalid, match="initialised 64-bit enclave"):
        own_identity(platform)


EXPECTED = Identity(ONE, SIGNER, 1, 2, debug=False, cpu_svn=SIMULATED_CPU)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (
            {"measurement": TWO},
            f"has measurement {TWO.hex()[:16]}.. but the manifest says {ONE.hex()[:16]}..",
        ),
        ({"signer": TWO}, f"has signer {TWO.hex()[:16]}.. but the manifest says {SIGNER.hex()[:16]}.."),
        ({"product_id": 3}, "has product id 3 but the manifest says 1"),
        ({"security_version": 1}, "has security version 1 but the manifest says 2"),
        ({"debug": True}, "is a debug enclave and the manifest says it is not"),
        ({"cpu_svn": bytes(16)}, "is no simulated enclave and the manifest says it is one"),
        ({}, None),
    ],
)
def test_the_first_difference_is_told_in_words(changed: dict[str, object], words: str | None) -> None:
    """Whoever reads the error sees what the enclave is and what the owners wanted."""
    identity = Identity(ONE, SIGNER, 1, 2, debug=False, cpu_svn=SIMULATED_CPU)
    for name, value in changed.items():
        setattr(identity, name, value)
    assert identity.difference(EXPECTED) == words


def test_the_structures_are_those_of_the_processor() -> None:
    """Read back by the software CPU, which has its own idea of the layout."""
    to = TargetInfo.parse(target_info(ONE, debug=True))
    assert (to.measurement, to.attributes) == (ONE, b"\7".ljust(8, b"\0") + b"\3".ljust(8, b"\0"))
    wanted = KeyRequest.parse(seal_key_request(TO_SIGNER, TWO, 258, SIMULATED_CPU))
    assert (wanted.name, wanted.policy, wanted.svn, wanted.cpu_svn) == (4, 2, 258, SIMULATED_CPU)
    assert (wanted.key_id, wanted.attribute_mask) == (TWO, b"\3".ljust(16, b"\0"))
    assert KeyRequest.parse(seal_key_request(TO_MEASUREMENT, TWO, 0, bytes(16))).policy == 1
