"""Quotes: simulated ones, real ones recorded on hardware, and what a policy makes of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dcap_qvl  # type: ignore[import-untyped]
import pytest
from cryptography import x509

from eactors.cpu.authority import Authority
from eactors.cpu.instructions import Secs
from eactors.cpu.quoting import QuotingEnclave
from eactors.cpu.structures import DEBUG, INIT, MODE64BIT, Body, Refused, attributes
from eactors.errors import KeyFileError
from eactors.verifier.policy import STATUSES, Policy
from eactors.verifier.quote import UNKNOWN, Attestation, QuoteRefused, verify_quote

RECORDED = Path(__file__).parents[3] / "shared" / "vectors" / "quotes"
DATA = bytes(range(64))
SECS = Secs(b"m" * 32, b"s" * 32, attributes(INIT | MODE64BIT), 3, 4)
HEX = {"measurement": SECS.measurement.hex(), "signer": SECS.signer.hex()}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The authority of an installation."""
    return Authority(tmp_path_factory.mktemp("state"))


@pytest.fixture(scope="module")
def quoting(tmp_path_factory: pytest.TempPathFactory) -> tuple[Authority, QuotingEnclave]:
    """An installation's authority and quoting enclave."""
    state = tmp_path_factory.mktemp("state")
    return Authority(state), QuotingEnclave(state)


Quoting = tuple[Authority, QuotingEnclave]


def accepting(**fields: Any) -> Policy:
    """Return a policy that accepts the simulated enclave of these tests."""
    usual = {"measurements": [HEX["measurement"]], "allow_simulation": True, "root": "simulation"}
    return Policy.of(usual | fields)


def verified(
    quoting: Quoting, policy: Policy, quote: bytes | None = None, at: datetime | None = None, **secs: Any
) -> Attestation:
    """Make a quote, unless there is one, and verify it."""
    authority, enclave = quoting
    made = enclave.quote(SECS._replace(**secs), DATA) if quote is None else quote
    roots = {"simulation": authority.root()}
    return verify_quote(made, policy=policy, collateral=authority.collateral(), roots=roots, at=at)


def refused(quoting: Quoting, policy: Policy, quote: bytes | None = None, **options: Any) -> QuoteRefused:
    """Return why a quote is refused."""
    with pytest.raises(QuoteRefused) as info:
        verified(quoting, policy, quote, **options)
    return info.value


def test_a_simulated_quote_verifies_under_the_simulated_root(quoting: Quoting) -> None:
    """With the real verifier; and its identity and data are the enclave's."""
    result = verified(quoting, accepting())
    assert (result.identity.measurement, result.identity.signer) == (SECS.measurement, SECS.signer)
    assert (result.identity.product_id, result.identity.security_version) == (3, 4)
    assert (result.data, result.status, result.advisories) == (DATA, "UpToDate", ())
    assert result.verdict == "warning"


def test_a_simulated_quote_is_refused_under_intels_root(quoting: Quoting) -> None:
    """However lenient the policy is otherwise."""
    error = refused(quoting, accepting(root="intel", statuses=list(STATUSES), allow_debug=True))
    assert error.what == "quote"
    assert "does not verify under the root of 'intel'" in str(error)


def test_a_quote_of_another_installation_is_refused(quoting: Quoting, authority: Authority) -> None:
    """Each has a root of its own."""
    quote = quoting[1].quote(SECS, DATA)
    with pytest.raises(QuoteRefused, match="does not verify"):
        verify_quote(
            quote,
            policy=accepting(),
            collateral=authority.collateral(),
            roots={"simulation": authority.root()},
        )


def test_simulation_must_be_allowed_by_name(quoting: Quoting) -> None:
    """Trusting the simulated root alone is not enough."""
    error = refused(quoting, accepting(allow_simulation=False))
    assert (error.what, error.hint) == ("simulation", "for a test, set allow_simulation in the policy")


DEBUGGED = attributes(INIT | MODE64BIT | DEBUG)


def test_debugging_must_be_allowed_by_name(quoting: Quoting) -> None:
    """A debug enclave has an honest quote, and protects nothing."""
    assert refused(quoting, accepting(), attributes=DEBUGGED).what == "debug"
    result = verified(quoting, accepting(allow_debug=True), attributes=DEBUGGED)
    assert (result.identity.debug, result.status, result.verdict) == (True, UNKNOWN, "warning")
    assert (
        refused(quoting, accepting(allow_debug=True, signers=["00" * 32]), attributes=DEBUGGED).what
        == "signer"
    )


@pytest.mark.parametrize("flags", [INIT | MODE64BIT, INIT | MODE64BIT | DEBUG])
def test_any_changed_bit_of_a_quote_is_noticed(quoting: Quoting, flags: int) -> None:
    """Also where debugging is allowed: the verifier refuses debug enclaves last of all.

    The root certificate at the end of the chain is left out, since the verifier has its own,
    and so are the ends of lines of the others, which may be written in several ways.
    """
    quote = quoting[1].quote(SECS._replace(attributes=attributes(flags)), DATA)
    chain = quote.index(b"-----BEGIN")
    end = quote.rindex(b"-----BEGIN")
    policy = accepting(allow_debug=True, statuses=list(STATUSES))
    assert verified(quoting, policy, quote)
    for at in (*range(chain), *range(chain, end, 5)):
        changed = bytearray(quote)
        changed[at] ^= 1 << at % 8
        if at >= chain and quote[at : at + 1] == b"\n":
            continue
        assert refused(quoting, policy, bytes(changed)).what == "quote", at


@pytest.mark.parametrize("flags", [INIT | MODE64BIT, INIT | MODE64BIT | DEBUG])
def test_out_of_date_collateral_is_refused(quoting: Quoting, flags: int) -> None:
    """It is valid for 30 days, also for a debug enclave; before its issue it is not valid either."""
    policy = accepting(allow_debug=True)
    for days in (-2, 31):
        at = datetime.now(UTC) + timedelta(days=days)
        assert refused(quoting, policy, at=at, attributes=attributes(flags)).what == "quote"


@pytest.mark.parametrize("flags", [INIT | MODE64BIT, INIT | MODE64BIT | DEBUG])
def test_changed_collateral_is_refused(quoting: Quoting, flags: int) -> None:
    """Every part of it is signed."""
    authority, enclave = quoting
    quote = enclave.quote(SECS._replace(attributes=attributes(flags)), DATA)
    policy, roots = accepting(allow_debug=True), {"simulation": authority.root()}
    good = json.loads(authority.collateral())
    for part, old, new in (
        ("tcb_info", '"pcesvn": 1', '"pcesvn": 0'),
        ("qe_identity", '"isvprodid": 1', '"isvprodid": 2'),
        ("root_ca_crl", good["root_ca_crl"], good["pck_crl"]),
        ("pck_crl", good["pck_crl"], good["root_ca_crl"]),
        ("tcb_info_signature", good["tcb_info_signature"], good["qe_identity_signature"]),
        ("qe_identity_issuer_chain", "BEGIN", "END"),
    ):
        assert old in good[part]
        changed = good | {part: good[part].replace(old, new, 1)}
        with pytest.raises(QuoteRefused):
            verify_quote(quote, policy=policy, collateral=json.dumps(changed), roots=roots)


@pytest.mark.parametrize("text", ["", "{", "{}", "[]", "null"])
def test_damaged_collateral_is_refused(quoting: Quoting, text: str) -> None:
    """By its own name."""
    authority, enclave = quoting
    with pytest.raises(QuoteRefused, match="the collateral cannot be read") as info:
        verify_quote(
            enclave.quote(SECS, DATA),
            policy=accepting(),
            collateral=text,
            roots={"simulation": authority.root()},
        )
    assert info.value.what == "collateral"


@pytest.mark.parametrize("quote", [b"", b"\0", bytes(48), bytes(432), bytes(5000), b"\xff" * 5000])
def test_what_is_no_quote_is_refused(quoting: Quoting, quote: bytes) -> None:
    """Whatever it is."""
    assert refused(quoting, accepting(), quote).what == "quote"


@pytest.mark.parametrize("more", [b"\0", b"\n"])
def test_nothing_follows_a_quote(quoting: Quoting, more: bytes) -> None:
    """So that there are not two different files that are the same quote."""
    quote = quoting[1].quote(SECS, DATA) + more
    assert str(refused(quoting, accepting(), quote)) == "the quote is longer or shorter than it says"


def test_a_missing_root_is_named() -> None:
    """A policy may name the simulated root on a machine that has none."""
    with pytest.raises(QuoteRefused, match="no root certificate of 'simulation'"):
        verify_quote(b"", policy=accepting(), collateral="", roots={})


@pytest.mark.parametrize(
    ("fields", "what", "words"),
    [
        ({"measurements": ["ab" * 32]}, "measurement", f"the enclave's measurement {HEX['measurement']}"),
        ({"signers": ["cd" * 32]}, "signer", f"the enclave's signer {HEX['signer']}"),
        ({"product_id": 2}, "product_id", "has product id 3, and the policy accepts 2"),
        ({"security_version": 5}, "security_version", "version 4, and the policy accepts 5 or above"),
        ({"statuses": ["OutOfDate"]}, "status", "platform is UpToDate, and the policy accepts OutOfDate"),
    ],
)  # fmt: skip
def test_what_differs_is_named(quoting: Quoting, fields: dict[str, Any], what: str, words: str) -> None:
    """With both values: one of the two has to be put right."""
    error = refused(quoting, accepting(**fields))
    assert error.what == what
    assert words in str(error)


@pytest.mark.parametrize(
    "fields",
    [
        {"measurements": [HEX["measurement"].upper(), "ab" * 32]},
        {"measurements": [], "signers": [HEX["signer"]]},
        {"product_id": 3},
        {"security_version": 4},
    ],
)
def test_what_fits_is_accepted(quoting: Quoting, fields: dict[str, Any]) -> None:
    """One of several, in either case of letters, the very version."""
    assert verified(quoting, accepting(**fields))


def test_an_authority_is_made_once(tmp_path: Path) -> None:
    """Quotes of yesterday verify under the root of today; the private keys are their owner's alone."""
    first, second = Authority(tmp_path), Authority(tmp_path)
    assert first.root() == second.root()
    private = list((tmp_path / "cpu").glob("*.pem"))
    assert len(private) == 4
    assert {file.stat().st_mode & 0o777 for file in private} == {0o600}
    assert [path.name for path in tmp_path.iterdir()] == ["cpu"]


def test_a_damaged_authority_is_refused(tmp_path: Path) -> None:
    """Keys that others may read, keys of another, and no keys."""
    Authority(tmp_path)
    key = tmp_path / "cpu" / "pck.pem"
    key.chmod(0o644)
    with pytest.raises(KeyFileError, match="others than its owner") as info:
        Authority(tmp_path)
    assert info.value.hint == f"chmod 600 {key}"
    key.chmod(0o600)
    key.write_bytes((tmp_path / "cpu" / "root.pem").read_bytes())
    with pytest.raises(KeyFileError, match=r"pck\.pem is not the key of pck\.crt"):
        Authority(tmp_path)
    key.unlink()
    with pytest.raises(KeyFileError, match="damaged"):
        Authority(tmp_path)


def test_a_quote_has_the_real_format(quoting: Quoting) -> None:
    """As dcap-qvl and the certificates' library parse it."""
    quote = quoting[1].quote(SECS, DATA)
    parsed = dcap_qvl.parse_quote(quote)
    assert (parsed.header.version, parsed.header.attestation_key_type, parsed.quote_type()) == (3, 2, "SGX")
    extension = parsed.pck_extension()
    assert (extension.cpu_svn, extension.pce_svn, extension.fmspc) == (b"EACTORS-SIMULATE", 1, b"EACTOR")
    assert len(x509.load_pem_x509_certificates(parsed.cert_chain_pem_bytes())) == 3
    assert len(quote) < 16384
    with pytest.raises(Refused, match="report data has 63 bytes"):
        quoting[1].quote(SECS, bytes(63))


# The rest is about quotes that real hardware has made.

Recorded = tuple[bytes, str, datetime]


@pytest.fixture(scope="module")
def recorded() -> Recorded:
    """A real quote, its collateral, and a moment at which that was valid."""
    if not RECORDED.is_dir():
        pytest.skip(f"there are no recorded quotes: {RECORDED} is absent")
    collateral = (RECORDED / "sgx_quote_collateral.json").read_text(encoding="utf-8")
    issued = datetime.fromisoformat(json.loads(json.loads(collateral)["tcb_info"])["issueDate"])
    return (RECORDED / "sgx_quote").read_bytes(), collateral, issued + timedelta(minutes=1)


def real_policy(quote: bytes, *statuses: str) -> Policy:
    """Return a policy that accepts the enclave of the recorded quote."""
    return Policy.of({"measurements": [quote[112:144].hex()], "statuses": list(statuses)})


STATUS = "ConfigurationAndSWHardeningNeeded"


def test_a_real_quote_verifies_under_intels_root(recorded: Recorded) -> None:
    """At its collateral's date, under a policy that accepts the state of its platform."""
    quote, collateral, at = recorded
    result = verify_quote(quote, policy=real_policy(quote, STATUS), collateral=collateral, roots={}, at=at)
    assert (result.status, result.verdict) == (STATUS, "warning")
    assert result.advisories == ("INTEL-SA-00289", "INTEL-SA-00615")
    assert result.data.rstrip(b"\0") == b"Hello, world!"
    assert not result.identity.debug
    assert not result.identity.simulated


def test_a_policy_that_asks_for_an_up_to_date_platform_refuses_it(recorded: Recorded) -> None:
    """That is what every policy asks for, unless it says otherwise."""
    quote, collateral, at = recorded
    policy = Policy.of({"measurements": [quote[112:144].hex()]})
    with pytest.raises(QuoteRefused, match=f"platform is {STATUS}, and the policy accepts UpToDate") as info:
        verify_quote(quote, policy=policy, collateral=collateral, roots={}, at=at)
    assert info.value.what == "status"


@pytest.mark.parametrize("days", [-400, 60, 4000])
def test_a_real_quote_fails_at_another_date(recorded: Recorded, days: int) -> None:
    """Its collateral is valid for a month."""
    quote, collateral, at = recorded
    with pytest.raises(QuoteRefused, match="does not verify"):
        verify_quote(
            quote,
            policy=real_policy(quote, STATUS),
            collateral=collateral,
            roots={},
            at=at + timedelta(days=days),
        )


def test_a_real_quote_fails_with_a_bit_changed(recorded: Recorded) -> None:
    """In the header, the body, the signatures, the keys, the certificates."""
    quote, collateral, at = recorded
    end = quote.rindex(b"-----BEGIN")
    for place in (*range(0, 1000, 13), *range(1000, end, 97)):
        changed = bytearray(quote)
        changed[place] ^= 1 << place % 8
        with pytest.raises(QuoteRefused):
            verify_quote(
                bytes(changed),
                policy=Policy.of(
                    {"measurements": [bytes(changed)[112:144].hex()], "statuses": list(STATUSES)}
                ),
                collateral=collateral,
                roots={},
                at=at,
            )


def test_a_real_quote_fails_under_the_simulated_root(recorded: Recorded, authority: Authority) -> None:
    """Nobody's root vouches for the other's."""
    quote, collateral, at = recorded
    policy = accepting(measurements=[quote[112:144].hex()], statuses=list(STATUSES))
    with pytest.raises(QuoteRefused, match="under the root of 'simulation'"):
        verify_quote(
            quote, policy=policy, collateral=collateral, roots={"simulation": authority.root()}, at=at
        )


def test_a_real_quote_of_another_kind_is_refused(recorded: Recorded) -> None:
    """A TDX machine is no SGX enclave."""
    _, collateral, at = recorded
    quote = (RECORDED / "tdx_quote").read_bytes()
    with pytest.raises(QuoteRefused, match="no quote of an SGX enclave"):
        verify_quote(quote, policy=real_policy(quote, *STATUSES), collateral=collateral, roots={}, at=at)


def test_our_structures_read_a_real_body(recorded: Recorded) -> None:
    """Byte for byte, and as dcap-qvl reads it."""
    quote, _, _ = recorded
    body = Body.parse(quote[48:432])
    assert body.pack() == quote[48:432]
    report = dcap_qvl.parse_quote(quote).report
    assert (body.measurement, body.signer, body.data) == (
        report.mr_enclave,
        report.mr_signer,
        report.report_data,
    )
    assert (body.cpu_svn, body.attributes) == (report.cpu_svn, report.attributes)
