"""``eactors attest``: whether a TLS server is an enclave that a policy accepts."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eactors.verifier.certificate import check_binding, read_certificate
from eactors.verifier.collateral import collateral_for
from eactors.verifier.connection import Address, certificate_of
from eactors.verifier.policy import read_policy
from eactors.verifier.quote import Attestation, QuoteRefused, verify_quote

if TYPE_CHECKING:
    from eactors.verifier.certificate import Presented
    from eactors.verifier.policy import Policy

_UNPROVED = {"certificate", "key", "quote", "collateral", "root"}
"""Refusals before, or because of which, nobody knows whether the quote is genuine."""


@click.command(short_help="Whether a TLS server is an enclave that a policy accepts.")
@click.argument("url")
@click.option(
    "--policy", "policy_file", metavar="FILE", type=click.Path(path_type=Path), required=True,
    help="Which enclaves are accepted; 'eactors measure IMAGE --policy' writes one.",
)  # fmt: skip
@click.option(
    "--collateral", metavar="FILE", type=click.Path(path_type=Path),
    help="Collateral of the quote, JSON as dcap-qvl writes it, instead of asking Intel.",
)  # fmt: skip
@click.option(
    "--timeout", metavar="SECONDS", type=click.FloatRange(0.1), default=10.0, help="How long to wait."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
def attest(url: str, policy_file: Path, collateral: Path | None, timeout: float, *, as_json: bool) -> None:
    r"""Connect to the TLS server at URL, and verify the quote in its certificate.

    The quote must be genuine, be for the key of this very connection's certificate, and of
    an enclave that the policy accepts. The exit status is 0 if so, 1 if not, and 2 if it
    could not be asked. 'public key' is what to pin later connections to, with curl
    --pinnedpubkey for example.

    \b
    Example:
        eactors measure built/enclave-1 --policy > shop.toml
        eactors attest https://shop.example --policy shop.toml
    """
    address = Address.of(url)
    policy = read_policy(policy_file)
    certificate = certificate_of(address, timeout)
    presented, attestation, refusal = None, None, None
    try:
        presented = read_certificate(certificate)
        attestation = _verified(presented, policy, collateral)
    except QuoteRefused as error:
        refusal = error
    said = _said(url, presented, attestation, refusal)
    if as_json:
        click.echo(json.dumps(said, indent=1))
    else:
        for line in _lines(said, policy_file):
            click.echo(line)
    sys.exit(0 if attestation else 1)


def _verified(presented: Presented, policy: Policy, file: Path | None) -> Attestation:
    check_binding(presented)
    collateral, roots = collateral_for(presented.quote, policy, file)
    return verify_quote(presented.quote, policy=policy, collateral=collateral, roots=roots)


def _said(
    url: str, presented: Presented | None, attestation: Attestation | None, refusal: QuoteRefused | None
) -> dict[str, Any]:
    claimed = presented.claimed if presented else None
    return {
        "url": url,
        "trusted": attestation is not None,
        "verdict": attestation.verdict if attestation else "contraindicated",
        "genuine": refusal is None or refusal.what not in _UNPROVED | {"expired"},
        "refused": refusal.what if refusal else None,
        "reason": refusal.message if refusal else None,
        "hint": refusal.hint if refusal else None,
        "measurement": claimed.measurement.hex() if claimed else None,
        "signer": claimed.signer.hex() if claimed else None,
        "product_id": claimed.product_id if claimed else None,
        "security_version": claimed.security_version if claimed else None,
        "debug": claimed.debug if claimed else None,
        "simulated": claimed.simulated if claimed else None,
        "platform": attestation.status if attestation else None,
        "advisories": list(attestation.advisories) if attestation else None,
        "names": list(presented.names) if presented else None,
        "expires": f"{presented.ends:%Y-%m-%dT%H:%M:%SZ}" if presented else None,
        "public_key": presented.pin if presented else None,
    }


_SHOWN = (
    *("measurement", "signer", "product_id", "security_version", "debug", "simulated"),
    *("platform", "advisories", "names", "expires", "public_key"),
)


def _lines(said: dict[str, Any], policy: Path) -> list[str]:
    shown = [
        f"{name.replace('_', ' '):17} {_word(said[name])}" for name in _SHOWN if said[name] not in (None, [])
    ]
    if shown and not said["genuine"]:
        shown.insert(0, "claimed, and not proved:")
    if said["trusted"]:
        verdict = click.style("trusted", fg="green", bold=True)
        return [*shown, f"{verdict}: {policy} accepts this enclave{_but(said)}"]
    verdict = click.style("not trusted", fg="red", bold=True)
    hint = [f"{click.style('hint:', fg='cyan')} {said['hint']}"] if said["hint"] else []
    return [*shown, f"{verdict}: {said['reason']}", *hint]


def _word(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(map(str, value))
    return str(value)


def _but(said: dict[str, Any]) -> str:
    kinds = [kind for kind in ("simulated", "debug") if said[kind]]
    return (
        f", though it is a {' '.join(kinds)} enclave, which protects nothing from its host" if kinds else ""
    )
