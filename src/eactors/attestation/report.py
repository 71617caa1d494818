"""Reports: what the processor says of an enclave to another one of this machine.

A report proves something only to the enclave that it was made for, and only once
`check_report` has recomputed its MAC. Until then its bytes are the host's word.
"""

from __future__ import annotations

from eactors import _native
from eactors.attestation.identity import BODY, DEBUG, INIT, MODE64BIT, STRUCTURE, Identity
from eactors.attestation.key_request import REPORT_KEY, key_request
from eactors.errors import ReportInvalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from eactors.platform.base import Platform

_REPORT = 432
_X87_AND_SSE = 3


def target_info(measurement: bytes, debug: bool) -> bytes:  # noqa: FBT001 - as in Identity
    """The TARGETINFO for reports that the enclave of this measurement can check."""
    flags = INIT | MODE64BIT | (DEBUG if debug else 0)
    attributes = flags.to_bytes(8, "little") + _X87_AND_SSE.to_bytes(8, "little")
    return (measurement + attributes).ljust(STRUCTURE, b"\0")


def check_report(platform: Platform, report: bytes) -> tuple[Identity, bytes]:
    """Check a report that was made for this enclave.

    Returns:
        Who made it, and its 64 bytes of report data.

    Raises:
        ReportInvalid: It was not made on this machine, not for this enclave, or was changed.
    """
    if len(report) != _REPORT:
        raise ReportInvalid(f"a report has {_REPORT} bytes, and this one {len(report)}")
    body, key_id, mac = report[:BODY], report[BODY:416], report[416:]
    key = platform.key(key_request(REPORT_KEY, key_id))
    if not _native.equal(_native.cmac(key, body), mac):
        raise ReportInvalid("the report was not made on this machine, not for this enclave, or was changed")
    return Identity.of_body(body), body[320:]
