"""What it takes to verify a quote besides the quote: revocation lists, TCB info, QE identity.

For a simulated enclave it comes from this installation's own authority, so simulated quotes
verify on the machine that made them and nowhere else. For hardware it comes from Intel, or
from a file that somebody fetched earlier.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import dcap_qvl  # type: ignore[import-untyped]

from eactors.cpu.authority import Authority
from eactors.errors import EActorsError
from eactors.verifier.quote import INTEL, QuoteRefused

if TYPE_CHECKING:
    from pathlib import Path

    from eactors.verifier.policy import Policy

_SECONDS = 30.0


class CollateralError(EActorsError):
    """The collateral of a quote cannot be had."""


def collateral_for(quote: bytes, policy: Policy, file: Path | None = None) -> tuple[str, dict[str, bytes]]:
    """Get the collateral for a quote.

    Args:
        quote: The quote.
        policy: Its root says whose collateral.
        file: Where the collateral has been kept, JSON as dcap-qvl writes it; None: ask for it.

    Returns:
        The collateral, and the roots to verify with, as `verify_quote` takes them.

    Raises:
        CollateralError: It cannot be read, or Intel does not answer.
        QuoteRefused: What should be a quote is none, so nobody has collateral for it.
    """
    if policy.root != INTEL:
        authority = Authority()
        roots = {policy.root: authority.root()}
        return (authority.collateral() if file is None else _read(file)), roots
    return (_ask(quote) if file is None else _read(file)), {}


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise CollateralError(f"the collateral {file} cannot be read: {error}") from error


def _ask(quote: bytes) -> str:
    try:
        dcap_qvl.parse_quote(quote)
    except ValueError as error:
        raise QuoteRefused(f"the certificate's quote cannot be read: {error}", what="quote") from error
    try:
        return str(asyncio.run(_fetch(quote)))
    except (ValueError, RuntimeError, OSError) as error:
        words = str(error).splitlines()[0] if str(error) else "no answer in time"
        raise CollateralError(
            f"the collateral of the quote cannot be had from {dcap_qvl.INTEL_PCS_URL}: {words}",
            hint="give it as --collateral FILE: JSON as dcap-qvl writes it;"
            ' for a simulated enclave set root = "simulation" in the policy',
        ) from error


async def _fetch(quote: bytes) -> str:
    async with asyncio.timeout(_SECONDS):
        collateral = await dcap_qvl.get_collateral_from_pcs(quote)
    return str(collateral.to_json())
