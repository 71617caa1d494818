"""Who an enclave is: the identity in its reports.

Its bytes are the processor's, little-endian, laid out as in the Intel SDM, volume 3D, chapter
38: REPORT (38.15), TARGETINFO (38.16), KEYREQUEST (38.18).
"""

from __future__ import annotations

from eactors.errors import ReportInvalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from eactors.platform.base import Platform

SIMULATED_CPU = b"EACTORS-SIMULATE"
"""CPUSVN of the software CPU, which no hardware has."""

INIT, DEBUG, MODE64BIT = 1, 2, 4
"""Bits of ATTRIBUTES.FLAGS."""

STRUCTURE = 512
"""Bytes of TARGETINFO and KEYREQUEST."""

BODY = 384
"""Bytes of a report's body."""


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
        if len(body) != BODY or flags & (INIT | MODE64BIT) != INIT | MODE64BIT:
            raise ReportInvalid("this is no report of an initialised 64-bit enclave")
        product_id, security_version = (int.from_bytes(body[at : at + 2], "little") for at in (256, 258))
        debug, cpu_svn = bool(flags & DEBUG), body[:16]
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


def own_identity(platform: Platform) -> Identity:
    """What this enclave is; nobody can answer this but the processor itself."""
    return Identity.of_body(platform.report(bytes(STRUCTURE), bytes(64))[:BODY])


def _short(value: bytes | int) -> str:
    return f"{value.hex()[:16]}.." if isinstance(value, bytes) else str(value)
