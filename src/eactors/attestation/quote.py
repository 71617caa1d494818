"""Verifying the quote of an enclave on another machine, inside an enclave.

A quote of version 3 (Intel SGX ECDSA Quote Library Reference for DCAP, appendix A.4) is a
chain of four links, and each is checked: certificates lead from the processor's key (PCK) to
the root; that key has signed the report of the quoting enclave; that report names the
attestation key; and that key has signed the quote. What is not looked at is how old all that
is: an enclave has no clock, and nobody whom it could ask for what was revoked since.
"""

from __future__ import annotations

from eactors import _native
from eactors.attestation.identity import Identity
from eactors.errors import ReportInvalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_VERSION, _ECDSA_P256, _PCK_CHAIN = 3, 2, 5
_BODY, _SIGNED = 48, 432
_SIGNATURE, _KEY, _REPORT, _QE_SIGNATURE, _QE_DATA = 436, 500, 564, 948, 1012

QUOTING_ENCLAVES = {
    bytes.fromhex("8c4f5775d796503e96137f77c68a829a0056ac8ded70140b081b094490c57bff"): False,
    _native.sha256(b"eactors simulated quoting enclave's signer"): True,
}
"""Signers of the quoting enclaves, Intel's and the simulated one's, and whether they are simulated."""


def check_quote(quote: bytes, roots: Iterable[str]) -> tuple[Identity, bytes]:
    """Check a quote.

    Args:
        quote: An SGX quote, version 3.
        roots: Certificates, PEM, of which one must be above those in the quote.

    Returns:
        Who made it, and its 64 bytes of report data.

    Raises:
        ReportInvalid: It is malformed, was changed, or no root vouches for it.
    """
    if len(quote) < _QE_DATA + 2 or (_number(quote, 0, 2), _number(quote, 2, 2)) != (_VERSION, _ECDSA_P256):
        raise ReportInvalid("this is no SGX quote of version 3 with an ECDSA P-256 signature")
    kind = _QE_DATA + 2 + _number(quote, _QE_DATA, 2)
    if (_number(quote, _SIGNED, 4), _number(quote, kind, 2), _number(quote, kind + 2, 4)) != (
        len(quote) - _SIGNATURE,
        _PCK_CHAIN,
        len(quote) - kind - 6,
    ):
        raise ReportInvalid("the parts of the quote do not fit each other")
    chain, report, key = quote[kind + 6 :], quote[_REPORT:_QE_SIGNATURE], quote[_KEY:_REPORT]
    keys = (_native.pck_key(root.encode(), chain) for root in roots)
    processor = next((found for found in keys if found is not None), None)
    if processor is None:
        raise ReportInvalid("no root that this enclave trusts vouches for the processor that made the quote")
    if not _native.p256_verify(processor, quote[_QE_SIGNATURE:_QE_DATA], report):
        raise ReportInvalid("the report of the quoting enclave is not signed by the processor")
    vouched = _native.sha256(key, quote[_QE_DATA + 2 : kind]) + bytes(32)
    quoting, identity = Identity.of_body(report), Identity.of_body(quote[_BODY:_SIGNED])
    if not _native.equal(report[320:], vouched):
        raise ReportInvalid("the quoting enclave does not vouch for the key that signed the quote")
    if quoting.debug or quoting.product_id != 1 or QUOTING_ENCLAVES.get(quoting.signer) != identity.simulated:
        raise ReportInvalid("what vouches for the quote is no quoting enclave")
    if not _native.p256_verify(key, quote[_SIGNATURE:_KEY], quote[:_SIGNED]):
        raise ReportInvalid("the signature of the quote is wrong")
    return identity, quote[368:_SIGNED]


def _number(quote: bytes, at: int, size: int) -> int:
    return int.from_bytes(quote[at : at + size], "little")
