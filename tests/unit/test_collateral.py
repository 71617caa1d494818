"""Where the collateral of a quote comes from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import dcap_qvl  # type: ignore[import-untyped]
import pytest
from tests.attested_tls import SECS, Attester

from eactors.cpu.authority import Authority
from eactors.verifier.collateral import CollateralError, collateral_for
from eactors.verifier.policy import Policy
from eactors.verifier.quote import QuoteRefused

if TYPE_CHECKING:
    from pathlib import Path

MEASURED = {"measurements": [SECS.measurement.hex()]}
HARDWARE = Policy.of(MEASURED)
SIMULATED = Policy.of({**MEASURED, "root": "simulation", "allow_simulation": True})


@pytest.fixture(scope="module")
def quote() -> bytes:
    """Return a quote."""
    return Attester().quote(bytes(64))


def test_intel_is_asked_for_that_of_hardware(quote: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the quote, which says for which processor."""
    asked = []

    async def answer(raw: bytes) -> object:
        asked.append(raw)
        return dcap_qvl.QuoteCollateralV3.from_json(Authority().collateral())

    monkeypatch.setattr(dcap_qvl, "get_collateral_from_pcs", answer)
    collateral, roots = collateral_for(quote, HARDWARE)
    assert "tcb_info" in json.loads(collateral)
    assert (asked, roots) == ([quote], {})


@pytest.mark.parametrize("error", [RuntimeError("no route"), TimeoutError()])
def test_no_answer_is_no_verdict(quote: bytes, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """The hint is the way for machines that cannot ask."""

    async def fail(_: bytes) -> object:
        raise error

    monkeypatch.setattr(dcap_qvl, "get_collateral_from_pcs", fail)
    with pytest.raises(CollateralError, match=r"cannot be had from https://.*: no ") as info:
        collateral_for(quote, HARDWARE)
    assert "--collateral FILE" in str(info.value.hint)


def test_nobody_is_asked_for_what_is_no_quote() -> None:
    """That is a verdict."""
    with pytest.raises(QuoteRefused, match="cannot be read"):
        collateral_for(b"quote", HARDWARE)


def test_that_of_simulated_enclaves_is_this_installation_s(quote: bytes, tmp_path: Path) -> None:
    """Or in a file; the root is this installation's in any case."""
    collateral, roots = collateral_for(quote, SIMULATED)
    assert roots == {"simulation": Authority().root()}
    file = tmp_path / "collateral.json"
    file.write_text(collateral)
    assert collateral_for(quote, SIMULATED, file) == (collateral, roots)
