"""EREPORT and EGETKEY: who gets which key, and who can verify which report."""

from __future__ import annotations

import random
from itertools import combinations
from typing import Any

import pytest

from eactors import _native
from eactors.cpu.instructions import CPU_SVN, Secs, egetkey, ereport
from eactors.cpu.structures import (
    DEBUG,
    EINITTOKEN_KEY,
    INIT,
    MODE64BIT,
    POLICY_MRENCLAVE,
    POLICY_MRSIGNER,
    PROVISION_KEY,
    PROVISION_SEAL_KEY,
    REPORT_KEY,
    SEAL_KEY,
    Body,
    KeyRequest,
    Refused,
    TargetInfo,
    attributes,
)

ROOT, KEY_ID, DATA = b"r" * 32, b"k" * 32, b"d" * 64
FLAGS = INIT | MODE64BIT
A = Secs(b"a" * 32, b"s" * 32, attributes(FLAGS), 1, 5)
B = Secs(b"b" * 32, b"s" * 32, attributes(FLAGS), 1, 5)
BOTH = POLICY_MRENCLAVE | POLICY_MRSIGNER


def target(secs: Secs) -> bytes:
    """Return the TARGETINFO of an enclave."""
    return TargetInfo(secs.measurement, secs.attributes).pack()


def verifies(secs: Secs, report: bytes, root: bytes = ROOT) -> bool:
    """Whether an enclave finds that a report was made for it."""
    key = egetkey(root, secs, KeyRequest(REPORT_KEY, key_id=report[384:416]).pack())
    return _native.cmac(key, report[:384]) == report[416:]


def seal_key(secs: Secs = A, root: bytes = ROOT, **fields: Any) -> bytes:
    """Return a sealing key."""
    values: dict[str, Any] = {"policy": POLICY_MRSIGNER, "cpu_svn": CPU_SVN} | fields
    return egetkey(root, secs, KeyRequest(SEAL_KEY, **values).pack())


def test_a_report_says_who_made_it() -> None:
    """All of the identity, and the caller's data."""
    body = Body.parse(ereport(ROOT, KEY_ID, A, target(B), DATA)[:384])
    assert body == A.body(DATA)
    assert (body.cpu_svn, body.measurement, body.data) == (b"EACTORS-SIMULATE", b"a" * 32, DATA)


def test_only_its_target_can_verify_a_report() -> None:
    """Not its maker, not another measurement, not the debug variant, not another machine."""
    report = ereport(ROOT, KEY_ID, A, target(B), DATA)
    assert verifies(B, report)
    assert not verifies(A, report)
    assert not verifies(B._replace(attributes=attributes(FLAGS | DEBUG)), report)
    assert not verifies(B, report, root=b"R" * 32)
    # Another signer with the very same measurement is the same target: the SDM derives no more.
    assert verifies(B._replace(signer=b"t" * 32, svn=9), report)


def test_any_changed_bit_of_a_report_is_noticed() -> None:
    """Body, key id or MAC."""
    report = ereport(ROOT, KEY_ID, A, target(B), DATA)
    for bit in range(len(report) * 8):
        changed = bytearray(report)
        changed[bit // 8] ^= 1 << bit % 8
        assert not verifies(B, bytes(changed)), bit


def test_reports_of_different_runs_have_different_keys() -> None:
    """CR_REPORT_KEYID is drawn at each start of the CPU; the report carries it."""
    reports = [ereport(ROOT, key_id, A, target(B), DATA) for key_id in (b"1" * 32, b"2" * 32)]
    assert reports[0][416:] != reports[1][416:]
    assert all(verifies(B, report) for report in reports)


@pytest.mark.parametrize("size", [0, 63, 65])
def test_report_data_has_one_size(size: int) -> None:
    """A shorter one must not be padded silently."""
    with pytest.raises(Refused, match="report data has"):
        ereport(ROOT, KEY_ID, A, target(B), bytes(size))


def test_sealing_keys_are_equal_exactly_if_what_they_depend_on_is() -> None:
    """Random enclaves and requests, compared pairwise with the SDM's list of dependencies."""
    seed = 20260
    print(f"seed {seed}")  # noqa: T201
    rand = random.Random(seed)
    seen = []
    for _ in range(120):
        flags = FLAGS | rand.choice((0, DEBUG))
        secs = Secs(
            rand.choice((b"a", b"b")) * 32,
            rand.choice((b"s", b"t")) * 32,
            attributes(flags),
            rand.choice((1, 2)),
            rand.choice((3, 4)),
        )
        mask = attributes(rand.choice((0, MODE64BIT)), rand.choice((0, 3)))
        request = KeyRequest(
            SEAL_KEY,
            policy=rand.choice((0, POLICY_MRENCLAVE, POLICY_MRSIGNER, BOTH)),
            svn=rand.choice((0, 3)),
            cpu_svn=CPU_SVN,
            attribute_mask=mask,
            key_id=rand.choice((b"1", b"2")) * 32,
            misc_mask=rand.choice((0, 1)),
        )
        facts = (
            secs.measurement if request.policy & POLICY_MRENCLAVE else None,
            secs.signer if request.policy & POLICY_MRSIGNER else None,
            secs.product_id,
            flags & DEBUG,
            request,
        )
        seen.append((facts, egetkey(ROOT, secs, request.pack())))
    equal = 0
    for (one, key_one), (two, key_two) in combinations(seen, 2):
        assert (one == two) == (key_one == key_two)
        equal += one == two
    assert equal > 0


def test_a_debug_enclave_never_has_the_keys_of_another() -> None:
    """DEBUG counts although the mask of the request leaves it out."""
    debug = A._replace(attributes=attributes(FLAGS | DEBUG))
    assert seal_key(A) != seal_key(debug)
    assert seal_key(A, attribute_mask=bytes(16)) != seal_key(debug, attribute_mask=bytes(16))


def test_a_newer_enclave_has_the_keys_of_the_older_and_not_the_reverse() -> None:
    """So data can be carried over an update, and an old fault cannot reach new data."""
    newer = A._replace(measurement=b"n" * 32, svn=6)
    assert seal_key(newer, svn=5) == seal_key(A, svn=5)
    with pytest.raises(Refused, match="SGX_INVALID_ISVSVN: 6 is above this enclave's security version 5"):
        seal_key(A, svn=6)


def test_two_machines_have_different_keys() -> None:
    """The root secret stands for the fuses."""
    assert seal_key(root=b"R" * 32) != seal_key()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"cpu_svn": bytes(16)}, "SGX_INVALID_CPUSVN"),
        ({"policy": 1 << 6}, "a reserved bit of KEYPOLICY"),
        ({"policy": 1 << 15}, "a reserved bit of KEYPOLICY"),
        ({"policy": 1 << 2}, "ATTRIBUTES.KSS"),
        ({"policy": 1 << 5}, "ATTRIBUTES.KSS"),
        ({"config_svn": 1}, "ATTRIBUTES.KSS"),
    ],
)
def test_what_a_request_may_not_ask(fields: dict[str, Any], words: str) -> None:
    """Each is an error or a fault of the real instruction."""
    with pytest.raises(Refused, match=words):
        seal_key(**fields)


@pytest.mark.parametrize("name", [EINITTOKEN_KEY, PROVISION_KEY, PROVISION_SEAL_KEY])
def test_no_enclave_has_the_privileged_keys(name: int) -> None:
    """Their attributes are not to be had here."""
    with pytest.raises(Refused, match="SGX_INVALID_ATTRIBUTE"):
        egetkey(ROOT, A, KeyRequest(name).pack())


@pytest.mark.parametrize("name", [5, 0xFFFF])
def test_an_unknown_key_is_refused(name: int) -> None:
    """By its number."""
    with pytest.raises(Refused, match=f"SGX_INVALID_KEYNAME: there is no key {name}"):
        egetkey(ROOT, A, KeyRequest(name).pack())


def test_report_keys_and_sealing_keys_differ() -> None:
    """A report key, which verifies, must not open what was sealed."""
    keys = {
        egetkey(ROOT, A, KeyRequest(REPORT_KEY).pack()),
        *(seal_key(policy=policy) for policy in (0, POLICY_MRENCLAVE, POLICY_MRSIGNER, BOTH)),
    }
    assert len(keys) == 5


def test_the_keys_of_an_installation_stay_the_same() -> None:
    """Known answers: another derivation would lose all that was sealed before."""
    assert seal_key().hex() == "1cadfe96ff142ed584d78a8a7daa511d"
    report = ereport(ROOT, KEY_ID, A, target(B), DATA)
    assert report[416:].hex() == "0762f3c27daddc3eb3bcc7f18b16986c"
