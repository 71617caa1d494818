"""What a build has made, for people and scripts."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from eactors.build.keyfile import fingerprint
from eactors.build.owners import DEVELOPMENT
from eactors.build.signing import read_manifest
from eactors.build.summary import summarise

if TYPE_CHECKING:
    from eactors.build.builder import Made
    from eactors.build.summary import Share
    from eactors.deployment.plan import Home


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """The image of one enclave, or the code of the untrusted side.

    Attributes:
        measurement: In hex; None on the untrusted side, which is not measured.
        signer: The signer identity in hex; None likewise.
        signed: Whether the signer's signature is there.
        origins: What it holds, by origin.
        left_out: Definitions and modules of the application that are not in it.
        notes: What the build could not see through.
    """

    enclave: int
    title: str
    measurement: str | None
    signer: str | None
    signer_name: str
    signed: bool
    debug: bool
    origins: dict[str, Share]
    left_out: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A built deployment.

    Attributes:
        folder: Where it is.
        manifest: SHA-256 of the manifest, in hex.
        signatures: Per owner, whether the manifest has their signature.
    """

    folder: str
    manifest: str
    signatures: dict[str, bool]
    images: tuple[BuiltImage, ...]


def report(made: Made) -> Report:
    """Say what is in a built deployment."""
    return Report(
        folder=str(made.folder),
        manifest=sha256(read_manifest(made.folder)).hexdigest(),
        signatures={name: isinstance(key, RSAPrivateKey) for name, key in made.owners.keys.items()},
        images=tuple(_image(made, home) for home in made.images),
    )


def _image(made: Made, home: Home) -> BuiltImage:
    enclave = home[1]
    image, reach, planned = made.images[home], made.reached[home], made.plan.enclaves.get(enclave)
    key = None if planned is None else made.owners.signer(planned.signer)
    return BuiltImage(
        enclave=enclave,
        title=image.settings["name"],
        measurement=None if planned is None else image.measurement.hex(),
        signer=None if key is None else fingerprint(key),
        signer_name="" if planned is None else planned.signer or DEVELOPMENT,
        signed=isinstance(key, RSAPrivateKey),
        debug=image.settings["debug"],
        origins=summarise(image),
        left_out=tuple(
            one.module if one.name is None else f"{one.module}.{one.name}" for one in reach.left_out
        ),
        notes=tuple(map(str, reach.remarks)),
    )
