"""The simulated quoting enclave: quotes in the real format, version 3, ECDSA P-256.

Intel SGX ECDSA Quote Library Reference for DCAP, appendix A.4: the enclave's report signed
by an attestation key; that key vouched for by the quoting enclave's own report, which the
PCK signs; the certificates of the PCK, type 5, at the end. All integers little-endian.
"""

from __future__ import annotations

import hashlib
import secrets
import struct
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from eactors.cpu.authority import PCE_SVN, QE, Authority, signature64
from eactors.cpu.structures import DATA_SIZE, Refused

if TYPE_CHECKING:
    from pathlib import Path

    from eactors.cpu.instructions import Secs

VERSION, ECDSA_P256 = 3, 2
VENDOR = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")
"""Intel's quoting enclave; verifiers know no other format than its own."""
PCK_CHAIN = 5
_AUTHENTICATION = bytes(range(32))
"""Data that the quoting enclave hashes with its key; Intel's has these bytes, too."""
_HEADER = struct.Struct("<HHIHH16s20s")


class QuotingEnclave:
    """Makes quotes, all with one attestation key that lives as long as it does.

    Args:
        state: The state directory; that of this user if None.

    Raises:
        KeyFileError: The simulated authority's files are damaged.
    """

    def __init__(self, state: Path | None = None) -> None:
        authority = Authority(state)
        self._key = ec.generate_private_key(ec.SECP256R1())
        # X and Y, without the byte that says that both follow.
        public = self._key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )[1:]
        said = hashlib.sha256(public + _AUTHENTICATION).digest() + bytes(32)
        report = QE.body(said).pack()
        chain = authority.pck_chain()
        self._vouched = b"".join(
            (
                public,
                report,
                signature64(authority.pck_key, report),
                len(_AUTHENTICATION).to_bytes(2, "little"),
                _AUTHENTICATION,
                PCK_CHAIN.to_bytes(2, "little"),
                len(chain).to_bytes(4, "little"),
                chain,
            )
        )
        self._header = _HEADER.pack(VERSION, ECDSA_P256, 0, QE.svn, PCE_SVN, VENDOR, secrets.token_bytes(20))

    def quote(self, secs: Secs, data: bytes) -> bytes:
        """Return a quote of an enclave.

        Args:
            secs: The enclave.
            data: 64 bytes of its choice.

        Raises:
            Refused: The data has another size.
        """
        if len(data) != DATA_SIZE:
            raise Refused(f"report data has {len(data)} bytes instead of {DATA_SIZE}")
        signed = self._header + secs.body(data).pack()
        authentication = signature64(self._key, signed) + self._vouched
        return signed + len(authentication).to_bytes(4, "little") + authentication
