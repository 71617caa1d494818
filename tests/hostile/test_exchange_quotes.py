"""Remote attestation with the wrong one at the other end: forged, borrowed and recorded quotes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.attested import Deployed, agreed, begun, clone, measurement_of, refused, talk
from tests.fake_platform import FakeCpu
from tests.fake_quotes import FakeAuthority, body, certificate, point

from eactors.attestation.quote import check_quote
from eactors.errors import ExchangeFailed, ReportInvalid

if TYPE_CHECKING:
    from collections.abc import Callable

RECORDED = Path(__file__).parents[3] / "shared" / "vectors" / "quotes"
REMOTE = "remote-attestation"
REPORT = body(b"m" * 32, b"s" * 32, bytes(range(64)), flags=5, product_id=3, svn=4)
SIGNATURE, KEY, QE, QE_SIGNATURE, QE_DATA = 436, 500, 564, 948, 1012


def not_genuine(quote: bytes, words: str, root: str | None = None) -> None:
    """It is refused with these words."""
    trusted = root or FakeAuthority().root
    with pytest.raises(ReportInvalid, match=words):
        check_quote(quote, [trusted])


def test_a_quote_says_who_made_it() -> None:
    """Under the right root, among others that are not."""
    authority = FakeAuthority()
    identity, data = check_quote(authority.quote(REPORT), [FakeAuthority().root, authority.root])
    assert (identity.measurement, identity.signer) == (b"m" * 32, b"s" * 32)
    assert (identity.product_id, identity.security_version, identity.debug) == (3, 4, False)
    assert data == bytes(range(64))


def test_every_bit_that_somebody_signs_counts() -> None:
    """Header, report, both signatures, the key between them, and the quoting enclave's report and data."""
    authority = FakeAuthority()
    quote = authority.quote(REPORT)
    for at in [*range(432), *range(SIGNATURE, QE_DATA + 2 + 14)]:
        changed = bytearray(quote)
        changed[at] ^= 1 << at % 8
        with pytest.raises(ReportInvalid):
            check_quote(bytes(changed), [authority.root])


def test_sizes_that_nobody_signs_must_fit() -> None:
    """Cut anywhere, or with something behind it."""
    authority = FakeAuthority()
    quote = authority.quote(REPORT)
    for changed in [*(quote[:length] for length in range(0, len(quote), 7)), quote + b"\0"]:
        with pytest.raises(ReportInvalid):
            check_quote(changed, [authority.root])


def test_another_root() -> None:
    """Everything genuine, on a processor that this enclave does not trust."""
    not_genuine(FakeAuthority().quote(REPORT), "no root that this enclave trusts")


def _debug_qe(authority: FakeAuthority) -> None:
    authority.qe = authority.quoting_enclave(flags=7)


def _strange_qe(authority: FakeAuthority) -> None:
    authority.qe = authority.quoting_enclave(b"e" * 32)


def _other_product(authority: FakeAuthority) -> None:
    authority.qe = authority.quoting_enclave(product_id=2)


def _intels_qe(authority: FakeAuthority) -> None:
    intel = "8c4f5775d796503e96137f77c68a829a0056ac8ded70140b081b094490c57bff"
    authority.qe = authority.quoting_enclave(bytes.fromhex(intel))


def _other_key(authority: FakeAuthority) -> None:
    authority.qe = authority.quoting_enclave(key=point(authority.pck))


def _no_processor(authority: FakeAuthority) -> None:
    leaf = certificate("pck", authority.pck, "middle", authority.keys["middle"])
    authority.chain = leaf + authority.middle + authority.root


def _an_authority_as_processor(authority: FakeAuthority) -> None:
    authority.pck = authority.keys["middle"]
    authority.chain = authority.middle + authority.root


def _a_link_missing(authority: FakeAuthority) -> None:
    authority.chain = authority.chain.split("-----END CERTIFICATE-----\n")[0] + "-----END CERTIFICATE-----\n"


def _a_processor_as_authority(authority: FakeAuthority) -> None:
    """Who has broken one processor must not make others."""
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    forged = certificate("new", key, "pck", authority.pck, sgx=True)
    authority.pck, authority.chain = key, forged + authority.chain


def _own_root(authority: FakeAuthority) -> None:
    """The chain is whole, up to a root of the same name that is another."""
    forged = FakeAuthority()
    authority.pck, authority.attestation, authority.qe = forged.pck, forged.attestation, forged.qe
    authority.chain = forged.chain


FORGED: dict[str, tuple[Callable[[FakeAuthority], None], str]] = {
    "a debug quoting enclave": (_debug_qe, "no quoting enclave"),
    "an enclave of the host's as quoting enclave": (_strange_qe, "no quoting enclave"),
    "another enclave of the signer's": (_other_product, "no quoting enclave"),
    "a simulated enclave under Intel's quoting enclave": (_intels_qe, "no quoting enclave"),
    "a key that nobody vouches for": (_other_key, "does not vouch for the key"),
    "a certificate that is of no processor": (_no_processor, "no root"),
    "an authority in the place of a processor": (_an_authority_as_processor, "no root"),
    "a chain with a link missing": (_a_link_missing, "no root"),
    "a processor in the place of an authority": (_a_processor_as_authority, "no root"),
    "a root of the same name": (_own_root, "no root"),
}


@pytest.mark.parametrize("case", FORGED)
def test_a_chain_that_does_not_hold(case: str) -> None:
    """Each link is checked."""
    forge, words = FORGED[case]
    authority = FakeAuthority()
    forge(authority)
    not_genuine(authority.quote(REPORT), words, authority.root)


def test_certificates_that_are_out_of_date() -> None:
    """An enclave has no clock: they count, and the design page says so."""
    authority = FakeAuthority()
    leaf = certificate("pck", authority.pck, "middle", authority.keys["middle"], sgx=True, days=1)
    authority.chain = leaf + authority.middle + authority.root
    check_quote(authority.quote(REPORT), [authority.root])


@pytest.mark.parametrize("what", [b"", b"\3", bytes(2000), b"\3\0\2\0" + bytes(5000), b"\xff" * 5000])
def test_what_is_no_quote(what: bytes) -> None:
    """Refused without a look at what it is."""
    not_genuine(what, "no SGX quote|do not fit")


def test_a_quote_that_was_recorded_on_hardware() -> None:
    """Under Intel's root, which is the last certificate that the quote itself carries."""
    file = RECORDED / "sgx_quote"
    if not file.exists():
        pytest.skip(f"no recorded quote in {RECORDED}")
    quote = file.read_bytes()
    one = re.compile(r"-----BEGIN CERT.*?-----END CERTIFICATE-----\n?", re.DOTALL)
    certificates = one.findall(quote.decode("latin-1"))
    identity, data = check_quote(quote, [certificates[-1]])
    assert (identity.simulated, identity.measurement, data) == (False, quote[112:144], quote[368:432])
    not_genuine(quote, "no root")
    changed = bytearray(quote)
    changed[200] ^= 1
    not_genuine(bytes(changed), "the signature of the quote is wrong", certificates[-1])


# ---- in an exchange ----


def test_two_enclaves_on_two_machines_come_to_keys() -> None:
    """Though no report of one means anything to the other."""
    deployed = Deployed(exchange=REMOTE)
    assert agreed(talk(deployed.ends()))


def test_a_quote_of_another_run() -> None:
    """All that the peer ever said, to a new run of this end."""
    deployed = Deployed(exchange=REMOTE)
    end, peer = deployed.ends()
    hellos = begun((end, peer))
    quote = peer(hellos[0])[0][0]
    again = deployed.end(0, 0)
    again(None)
    assert again(hellos[1])[1] is None
    refused(again, quote, "does not cover this exchange, but another .* earlier run")


def test_a_quote_of_another_channel() -> None:
    """Between the same two enclaves."""
    deployed = Deployed([(1, 2), (1, 2)], exchange=REMOTE)
    with pytest.raises(ExchangeFailed, match="another channel"):
        talk((deployed.end(0, 0), deployed.end(1, 1)))


def test_an_own_quote_that_comes_back() -> None:
    """Of an enclave with the same image as its peer."""
    ends = Deployed(exchange=REMOTE, changes={2: {"measurement": measurement_of(1).hex()}}).ends()
    hellos = begun(ends)
    own = ends[0](hellos[1])[0][0]
    refused(clone(ends[0]), own, "own message came back")
    refused(ends[0], own[:3] + b"\1" + own[4:], "does not cover this exchange")


def test_a_quote_under_a_root_that_the_image_does_not_name() -> None:
    """The host has a simulated processor of its own, and all that it takes to make quotes."""
    deployed = Deployed(exchange=REMOTE)
    there = Deployed(exchange=REMOTE, cpu=FakeCpu(b"another machine!"))
    with pytest.raises(ExchangeFailed, match="no root that this enclave trusts"):
        talk((deployed.end(0, 0), there.end(0, 1)))


def test_a_report_where_a_quote_is_due() -> None:
    """A message of another exchange is none of this one."""
    deployed, local = Deployed(exchange=REMOTE), Deployed()
    end, other = deployed.end(0, 0), local.end(0, 1)
    hellos = begun((end, other))
    refused(end, hellos[1], "another key exchange")
