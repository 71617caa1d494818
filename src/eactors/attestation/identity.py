"""Who an enclave is: the identity in its reports, and the keys that only it can ask for.

All of it is bytes of the processor, little-endian, laid out as in the Intel SDM, volume 3D,
chapter 38: REPORT (38.15), TARGETINFO (38.16), KEYREQUEST (38.18).

A report proves something only to the enclave that it was made for, and only once
`check_report` has recomputed its MAC. Until then its bytes are the host's word.
"""

from __future__ import annotations

from eactors import _native
from eactors.errors import ReportInvalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from eactors.platform.base import Platform

TO_MEASUREMENT, TO_SIGNER = 1, 2
"""KEYPOLICY: who can have the same sealing key."""

SIMULATED_CPU = b"EACTORS-SIMULATE"
"""CPUSVN of the software CPU, which no hardware has."""

_BODY, _REPORT = 384, 432
_STRUCTURE = 512  # TARGETINFO and KEYREQUEST
_REPORT_KEY, _SEAL_KEY = 3, 4
_INIT, _DEBUG, _MODE64BIT = 1, 2, 4
_X87_AND_SSE = 3


class Identity:
    """What the processor says of an enclave, or the manifest of the one that it expects.

    Args:
        measurement: MRENCLAVE, 32 bytes.
        signer: MRSIGNER, 32 bytes.
        product_id: ISVPRODID.
        security_version: ISVSVN.
        debug: Whether the host may look inside.
        cpu_svn: CPUSVN, 16 bytes; of an expected identity only whether it is simulated counts.
    """

    __slots__ = ("cpu_svn", "debug", "measurement", "product_id", "security_version", "signer")

    def __init__(
        self,
        measurement: bytes,
        signer: bytes,
        product_id: int,
        security_version: int,
        debug: bool,  # noqa: FBT001 - the last of five facts, in the order in which all write them
        cpu_svn: bytes = bytes(16),
    ) -> None:
        self.measurement, self.signer = measurement, signer
        self.product_id, self.security_version = product_id, security_version
        self.debug, self.cpu_svn = debug, cpu_svn

    @classmethod
    def of_body(cls, body: bytes) -> Identity:
        """Read the body of a report or quote, whose origin the caller has checked.

        Args:
            body: The first 384 bytes of a REPORT.

        Raises:
            ReportInvalid: It has another length, or is of no initialised 64-bit enclave.
        """
        flags = int.from_bytes(body[48:56], "little")
        if len(body) != _BODY or flags & (_INIT | _MODE64BIT) != _INIT | _MODE64BIT:
            raise ReportInvalid("this is no report of an initialised 64-bit enclave")
        product_id, security_version = (int.from_bytes(body[at : at + 2], "little") for at in (256, 258))
        debug, cpu_svn = bool(flags & _DEBUG), body[:16]
        return cls(body[64:96], body[128:160], product_id, security_version, debug, cpu_svn)

    @property
    def simulated(self) -> bool:
        """Whether the software CPU runs it."""
        return self.cpu_svn == SIMULATED_CPU

    def difference(self, expected: Identity) -> str | None:
        """The first thing in which it is not what the manifest expects, in words; None: it is."""
        for name in ("measurement", "signer", "product_id", "security_version", "debug", "simulated"):
            own, wanted = getattr(self, name), getattr(expected, name)
            if own != wanted and isinstance(own, bool):
                yes, no = (f"a {name} enclave", "it is not") if own else (f"no {name} enclave", "it is one")
                return f"is {yes} and the manifest says {no}"
            if own != wanted:
                words = name.replace("_", " ")
                return f"has {words} {_short(own)} but the manifest says {_short(wanted)}"
        return None


def target_info(measurement: bytes, debug: bool) -> bytes:  # noqa: FBT001 - as in Identity
    """The TARGETINFO for reports that the enclave of this measurement can check."""
    flags = _INIT | _MODE64BIT | (_DEBUG if debug else 0)
    attributes = flags.to_bytes(8, "little") + _X87_AND_SSE.to_bytes(8, "little")
    return (measurement + attributes).ljust(_STRUCTURE, b"\0")


def check_report(platform: Platform, report: bytes) -> tuple[Identity, bytes]:
    """Check a report that was made for this enclave.

    Returns:
        Who made it, and its 64 bytes of report data.

    Raises:
        ReportInvalid: It was not made on this machine, not for this enclave, or was changed.
    """
    if len(report) != _REPORT:
        raise ReportInvalid(f"a report has {_REPORT} bytes, and this one {len(report)}")
    body, key_id, mac = report[:_BODY], report[_BODY:416], report[416:]
    key = platform.key(_key_request(_REPORT_KEY, key_id))
    if not _native.equal(_native.cmac(key, body), mac):
        raise ReportInvalid("the report was not made on this machine, not for this enclave, or was changed")
    return Identity.of_body(body), body[320:]


def own_identity(platform: Platform) -> Identity:
    """What this enclave is; nobody can answer this but the processor itself."""
    return Identity.of_body(platform.report(bytes(_STRUCTURE), bytes(64))[:_BODY])


def seal_key_request(policy: int, key_id: bytes, security_version: int, cpu_svn: bytes) -> bytes:
    """The KEYREQUEST of a sealing key.

    The processor mixes the DEBUG attribute in whether asked or not, so a debug enclave never
    has a key of one that is not; and the product id, under either policy.

    Args:
        policy: `TO_MEASUREMENT` or `TO_SIGNER`.
        key_id: 32 bytes that tell keys of the same enclave apart.
        security_version: Not above the enclave's own: older versions cannot have the key.
        cpu_svn: Not above the processor's own, for the same reason.
    """
    return _key_request(_SEAL_KEY, key_id, policy, security_version, cpu_svn)


def _key_request(
    name: int, key_id: bytes, policy: int = 0, security_version: int = 0, cpu_svn: bytes = bytes(16)
) -> bytes:
    head = b"".join(number.to_bytes(2, "little") for number in (name, policy, security_version, 0))
    mask = (_INIT | _DEBUG).to_bytes(16, "little")
    return (head + cpu_svn + mask + key_id).ljust(_STRUCTURE, b"\0")


def _short(value: bytes | int) -> str:
    return f"{value.hex()[:16]}.." if isinstance(value, bytes) else str(value)
