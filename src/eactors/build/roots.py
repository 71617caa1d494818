"""The root certificates that enclaves trust when they verify the quotes of enclaves elsewhere.

They are part of the images, and so of the measurements. A simulated platform has a root per
installation; which of them are trusted is named by the deployment, or else it is this one's.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from eactors.cpu.authority import Authority
from eactors.errors import KeyFileError

if TYPE_CHECKING:
    from eactors.deployment.plan import Plan


def trusted_roots(plan: Plan) -> tuple[str, ...]:
    """The certificates, PEM, for a plan whose enclaves ask for quotes, in an order not the deployment's.

    Raises:
        KeyFileError: A file is missing, or holds no certificate of a root.
    """
    folder = Path(plan.deployment.file).parent
    named = [_read(folder / trust.root) for trust in plan.deployment.trusts]
    return tuple(sorted(set(named))) or (installation_root(),)


def installation_root() -> str:
    """The root of this installation's simulated processors, PEM.

    Raises:
        KeyFileError: The simulated authority's files are damaged.
    """
    certificate = x509.load_der_x509_certificate(Authority().root())
    return certificate.public_bytes(Encoding.PEM).decode()


def _read(file: Path) -> str:
    try:
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
    except OSError as error:
        raise KeyFileError(
            f"the root certificate {file} cannot be read: {error.strerror}",
            hint="on the machine that it is of: eactors cpu root > FILE",
        ) from error
    except ValueError as error:
        raise KeyFileError(
            f"{file} holds no certificate in PEM: {error}", hint="make it with: eactors cpu root > FILE"
        ) from error
    if certificate.subject != certificate.issuer:
        raise KeyFileError(
            f"{file} holds a certificate that another has issued, and no root",
            hint="give the one above it, or make it with: eactors cpu root > FILE",
        )
    return certificate.public_bytes(Encoding.PEM).decode()
