"""The simulated certificate authority of one installation, in Intel's place.

A root, the PCK processor authority below it, one PCK certificate (of this "machine"), and a
signer of TCB information. The keys are made once, when somebody first needs a quote or its
collateral, and kept as files of mode 0600: nothing that they sign is worth more than this
user's word. The folder is made under another name and renamed, so it is whole or not there.

The collateral (what a verifier needs besides the quote: revocation lists, TCB info, QE
identity) is signed anew each time it is asked for, and so never out of date.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from eactors.cpu.certificates import Issuer, self_signed, sgx_extension
from eactors.cpu.instructions import CPU_SVN, Secs
from eactors.cpu.structures import INIT, MODE64BIT, attributes
from eactors.errors import KeyFileError
from eactors.state import read_secret, state_directory, write_secret

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "cpu"
ROOT, PCK_CA, PCK, TCB = "root", "pck-ca", "pck", "tcb-signing"
FMSPC, PCE_ID, PCE_SVN = b"EACTOR", bytes(2), 1
QE = Secs(
    measurement=hashlib.sha256(b"eactors simulated quoting enclave").digest(),
    signer=hashlib.sha256(b"eactors simulated quoting enclave's signer").digest(),
    attributes=attributes(INIT | MODE64BIT),
    product_id=1,
    svn=1,
)
"""The quoting enclave that the authority vouches for."""

_NAMES = {
    ROOT: "EActors simulated SGX Root CA",
    PCK_CA: "EActors simulated SGX PCK Processor CA",
    PCK: "EActors simulated SGX PCK Certificate",
    TCB: "EActors simulated SGX TCB Signing",
}
_PEM = serialization.Encoding.PEM
_VALID = timedelta(days=30)
_SINCE = "2020-01-01T00:00:00Z"


def signature64(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    """Sign with ECDSA P-256 and SHA-256; r and s, 32 bytes each, big-endian."""
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class Authority:
    """The simulated authority; its files are made if need be.

    Args:
        state: The state directory; that of this user if None.

    Raises:
        KeyFileError: The files are damaged, or others than their owner may read them.
    """

    def __init__(self, state: Path | None = None) -> None:
        folder = (state or state_directory()) / FOLDER
        try:
            if not folder.is_dir():
                _make(folder)
            self._members = {name: _load(folder, name) for name in _NAMES}
        except (OSError, ValueError) as error:
            raise KeyFileError(
                f"the simulated certificate authority in {folder} is damaged: {error}",
                hint=f"remove {folder} to get a new one; quotes of the old one will no longer verify",
            ) from error

    @property
    def pck_key(self) -> ec.EllipticCurvePrivateKey:
        """What signs the quoting enclave's report."""
        return self._members[PCK].key

    def root(self) -> bytes:
        """Return the root certificate, DER: whom to trust in order to trust simulated quotes."""
        return self._members[ROOT].certificate.public_bytes(serialization.Encoding.DER)

    def pck_chain(self) -> bytes:
        """Return the PCK certificate and those above it, PEM: part of every quote."""
        return self._chain(PCK, PCK_CA, ROOT).encode()

    def collateral(self, at: datetime | None = None) -> str:
        """Return the collateral of all quotes of this installation, in JSON as dcap-qvl reads it.

        Args:
            at: When it is issued; now if None. It is valid for 30 days.
        """
        now = (at or datetime.now(UTC)).replace(microsecond=0)
        tcb_info, qe_identity = json.dumps(_tcb_info(now)), json.dumps(_qe_identity(now))
        signer = self._members[TCB].key
        issuers = self._chain(TCB, ROOT)
        return json.dumps(
            {
                "pck_crl_issuer_chain": self._chain(PCK_CA, ROOT),
                "root_ca_crl": self._revocations(ROOT, now),
                "pck_crl": self._revocations(PCK_CA, now),
                "tcb_info_issuer_chain": issuers,
                "tcb_info": tcb_info,
                "tcb_info_signature": signature64(signer, tcb_info.encode()).hex(),
                "qe_identity_issuer_chain": issuers,
                "qe_identity": qe_identity,
                "qe_identity_signature": signature64(signer, qe_identity.encode()).hex(),
            }
        )

    def _chain(self, *names: str) -> str:
        return "".join(self._members[name].certificate.public_bytes(_PEM).decode() for name in names)

    def _revocations(self, name: str, now: datetime) -> str:
        revoked = self._members[name].revoke_none(now, now + _VALID)
        return revoked.public_bytes(serialization.Encoding.DER).hex()


def _make(folder: Path) -> None:
    draft = folder.with_name(f".{folder.name}.{secrets.token_hex(8)}")
    draft.mkdir(mode=0o700)
    try:
        keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in _NAMES}
        publics = {name: key.public_key() for name, key in keys.items()}
        root = self_signed(_NAMES[ROOT], keys[ROOT])
        pck_ca = Issuer(root.issue(_NAMES[PCK_CA], publics[PCK_CA], path_length=0), keys[PCK_CA])
        sgx = sgx_extension(secrets.token_bytes(16), CPU_SVN, PCE_SVN, PCE_ID, FMSPC)
        _save(draft, ROOT, root)
        _save(draft, PCK_CA, pck_ca)
        _save(draft, PCK, Issuer(pck_ca.issue(_NAMES[PCK], publics[PCK], sgx=sgx), keys[PCK]))
        _save(draft, TCB, Issuer(root.issue(_NAMES[TCB], publics[TCB]), keys[TCB]))
        try:
            draft.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another process was first: its authority is ours, too
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _save(folder: Path, name: str, member: Issuer) -> None:
    (folder / f"{name}.crt").write_bytes(member.certificate.public_bytes(_PEM))
    private = member.key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_secret(folder / f"{name}.pem", private)


def _load(folder: Path, name: str) -> Issuer:
    certificate = x509.load_pem_x509_certificate((folder / f"{name}.crt").read_bytes())
    key = serialization.load_pem_private_key(read_secret(folder / f"{name}.pem"), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise ValueError(f"{name}.pem is not the key of {name}.crt")
    return Issuer(certificate, key)


def _tcb_info(now: datetime) -> dict[str, Any]:
    return {
        "id": "SGX",
        "version": 3,
        **_dates(now),
        "fmspc": FMSPC.hex().upper(),
        "pceId": PCE_ID.hex(),
        "tcbType": 0,
        "tcbEvaluationDataNumber": 1,
        "tcbLevels": [
            {
                "tcb": {"sgxtcbcomponents": [{"svn": svn} for svn in CPU_SVN], "pcesvn": PCE_SVN},
                "tcbDate": _SINCE,
                "tcbStatus": "UpToDate",
            }
        ],
    }


def _qe_identity(now: datetime) -> dict[str, Any]:
    return {
        "id": "QE",
        "version": 2,
        **_dates(now),
        "tcbEvaluationDataNumber": 1,
        "miscselect": "00000000",
        "miscselectMask": "FFFFFFFF",
        "attributes": QE.attributes.hex().upper(),
        "attributesMask": "FF" * 16,
        "mrsigner": QE.signer.hex().upper(),
        "isvprodid": QE.product_id,
        "tcbLevels": [{"tcb": {"isvsvn": QE.svn}, "tcbDate": _SINCE, "tcbStatus": "UpToDate"}],
    }


def _dates(now: datetime) -> dict[str, str]:
    days = {"issueDate": now, "nextUpdate": now + _VALID}
    return {name: f"{day:%Y-%m-%dT%H:%M:%SZ}" for name, day in days.items()}
