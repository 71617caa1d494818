"""Verifying a quote: the library dcap-qvl checks the cryptography, we appraise what it says.

dcap-qvl checks the certificates up to a root, their revocation, the TCB info and QE identity
and their dates, the quoting enclave, and the signature of the quote. Its last check is that
the enclave is no debug enclave, and Python cannot switch that off. So where a policy allows
debugging, that very refusal, which comes after all else was found right, counts as a yes.
What state the platform is in it then does not say; but a debug enclave keeps no secret on
the best of platforms.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dcap_qvl  # type: ignore[import-untyped]

from eactors.attestation.identity import Identity
from eactors.errors import EActorsError, ReportInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from eactors.verifier.policy import Policy

INTEL = "intel"
UNKNOWN = "unknown, of a debug enclave"
"""The state of a platform that a debug enclave runs on."""

_BODY = slice(48, 432)
_DATA = slice(368, 432)
_AUTHENTICATION, _QE_DATA = 432, 1012
"""Where the sizes of the signatures' part, and of the quoting enclave's own data, lie."""
_DEBUG_REFUSAL = "Verification failed: Debug mode is enabled"


class QuoteRefused(EActorsError):  # noqa: N818 - it names what happened
    """A quote is not genuine, or not of an enclave that the policy accepts.

    Attributes:
        what: Which check failed: "quote", "collateral", "status", or an attribute of the policy
            or identity, such as "measurement".
    """

    def __init__(self, message: str, *, what: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.what = what


@dataclass(frozen=True, slots=True)
class Attestation:
    """An attestation result (RFC 9334): what a quote that was accepted says.

    Attributes:
        identity: Who the enclave is.
        data: Its 64 bytes of report data.
        status: The state of its platform, as Intel names it, or `UNKNOWN`.
        advisories: Intel's advisories that apply to the platform.
        verdict: "affirming", or "warning" if only a lenient policy accepts this.
    """

    identity: Identity
    data: bytes
    status: str
    advisories: tuple[str, ...]
    verdict: str


def report_of(quote: bytes) -> bytes:
    """The body of the enclave's report in a quote, as it stands there: nobody has verified it."""
    return quote[_BODY]


def report_data(quote: bytes) -> bytes:
    """The report data in a quote, as it stands there."""
    return quote[_DATA]


def verify_quote(
    quote: bytes,
    *,
    policy: Policy,
    collateral: str,
    roots: Mapping[str, bytes],
    at: datetime | None = None,
) -> Attestation:
    """Verify a quote and appraise the enclave.

    Args:
        quote: An SGX quote, version 3.
        policy: Which enclaves are accepted.
        collateral: Revocation lists, TCB info and QE identity: JSON, as dcap-qvl writes it.
        roots: Root certificates, DER, by the names that policies have for them. Intel's is
            known without.
        at: At which moment; now if None.

    Raises:
        QuoteRefused: It is not genuine, or the policy does not accept the enclave.
    """
    if policy.root not in roots and policy.root != INTEL:
        raise QuoteRefused(f"there is no root certificate of {policy.root!r} to verify with", what="root")
    now = int((at or datetime.now(UTC)).timestamp())
    status, advisories = _verify(quote, _read_collateral(collateral), roots.get(policy.root), now, policy)
    try:
        identity = Identity.of_body(quote[_BODY])
    except ReportInvalid as error:
        raise QuoteRefused(f"the quote is of no running enclave: {error}", what="quote") from error
    _appraise(identity, status, policy)
    lenient = identity.debug or identity.simulated or status != "UpToDate"
    return Attestation(
        identity, quote[_DATA], status, tuple(advisories), "warning" if lenient else "affirming"
    )


def _read_collateral(text: str) -> dcap_qvl.QuoteCollateralV3:
    try:
        return dcap_qvl.QuoteCollateralV3.from_json(text)
    except (ValueError, TypeError) as error:
        raise QuoteRefused(f"the collateral cannot be read: {error}", what="collateral") from error


def _verify(
    quote: bytes, collateral: dcap_qvl.QuoteCollateralV3, root: bytes | None, now: int, policy: Policy
) -> tuple[str, list[str]]:
    try:
        if not dcap_qvl.parse_quote(quote).is_sgx():
            raise QuoteRefused("this is no quote of an SGX enclave", what="quote")
        if not _is_whole(quote):
            raise QuoteRefused("the quote is longer or shorter than it says", what="quote")
        if root is None:
            report = dcap_qvl.verify(quote, collateral, now)
        else:
            report = dcap_qvl.verify_with_root_ca(quote, collateral, root, now)
    except (ValueError, OverflowError) as error:
        if str(error) != _DEBUG_REFUSAL:
            words = ": ".join(line.strip() for line in str(error).splitlines() if line.strip())
            raise QuoteRefused(
                f"the quote does not verify under the root of {policy.root!r}: {words}", what="quote"
            ) from error
        if not policy.allow_debug:
            raise QuoteRefused(
                "the quote is of a debug enclave, which protects nothing from its host",
                what="debug",
                hint="for a test, set allow_debug in the policy",
            ) from error
        return UNKNOWN, []
    return report.status, report.advisory_ids


def _is_whole(quote: bytes) -> bool:
    """Whether its sizes, which nobody signs, fit: dcap-qvl overlooks bytes behind the quote."""
    at = _QE_DATA + 2 + int.from_bytes(quote[_QE_DATA : _QE_DATA + 2], "little") + 2
    parts = (quote[_AUTHENTICATION:], quote[at:])
    return all(int.from_bytes(part[:4], "little") == len(part) - 4 for part in parts)


def _appraise(identity: Identity, status: str, policy: Policy) -> None:
    if identity.simulated and not policy.allow_simulation:
        raise QuoteRefused(
            "the quote is of a simulated enclave, which protects nothing from its host",
            what="simulation",
            hint="for a test, set allow_simulation in the policy",
        )
    if status not in policy.statuses and status != UNKNOWN:
        accepted = ", ".join(sorted(policy.statuses))
        raise QuoteRefused(
            f"the enclave's platform is {status}, and the policy accepts {accepted}", what="status"
        )
    for what, own, known in (
        ("measurement", identity.measurement.hex(), policy.measurements),
        ("signer", identity.signer.hex(), policy.signers),
    ):
        if known and own not in known:
            raise QuoteRefused(f"the policy does not accept the enclave's {what} {own}", what=what)
    if policy.product_id not in (None, identity.product_id):
        raise QuoteRefused(
            f"the enclave has product id {identity.product_id}, and the policy accepts {policy.product_id}",
            what="product_id",
        )
    if identity.security_version < policy.security_version:
        raise QuoteRefused(
            f"the enclave has security version {identity.security_version},"
            f" and the policy accepts {policy.security_version} or above",
            what="security_version",
        )
