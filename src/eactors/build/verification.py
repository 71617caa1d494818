"""Checking a built deployment: everything that can be checked without running it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from eactors.build.image import read_image
from eactors.build.keyfile import fingerprint, public_key
from eactors.build.signing import SIGNATURES, check_manifest, manifest_enclaves
from eactors.cpu.creation import einit
from eactors.deployment.model import UNTRUSTED
from eactors.errors import EActorsError, ImageError, ManifestRejected
from eactors.host.deployed import read_deployed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    from eactors.build.image import Image


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked; wrong is None, or says what is."""

    what: str
    wrong: str | None


def verify_folder(folder: Path) -> list[Finding]:
    """Check the images, the manifest and all signatures in a folder of ``eactors build``.

    Raises:
        ImageError: It is no such folder.
        ManifestRejected: It has no manifest that can be read.
    """
    deployed = read_deployed(folder)
    images = [*((UNTRUSTED, name) for name in deployed.untrusted.values()), *deployed.images.items()]
    entries = manifest_enclaves(folder)
    findings: list[Finding] = []
    owners: dict[str, RSAPublicKey] = {}
    for enclave, name in images:
        try:
            image = read_image(folder / name)
        except ImageError as error:
            findings.append(Finding(f"files of {name}", error.message))
            continue
        findings.append(Finding(f"files of {name}", None))
        if enclave == UNTRUSTED:
            continue
        entry = entries.get(enclave)
        findings.append(_try(f"measurement of {name}", partial(_check_measurement, image, entry)))
        findings.append(_try(f"signature of {name}", partial(_check_signer, image, entry)))
        for pem in json.loads((folder / name / "plan.json").read_bytes())["owners"].values():
            key = public_key(pem.encode(), name)
            owners[fingerprint(key)[:16]] = key
    for owner, key in owners.items():
        signed = partial(check_manifest, folder, {owner: key})
        findings.append(_try(f"manifest, signature of {owner}", signed))
    strangers = {file.stem for file in (folder / SIGNATURES).glob("*.json")} - set(owners)
    findings += [
        Finding(f"manifest, signature of {stranger}", "no image names this owner")
        for stranger in sorted(strangers)
    ]
    return findings


def _check_measurement(image: Image, entry: dict[str, Any] | None) -> None:
    if entry is None:
        raise ManifestRejected("the manifest does not have this enclave")
    measured = image.measurement.hex()
    if entry.get("measurement") != measured:
        raise ManifestRejected(f"the manifest says {entry.get('measurement')}, and the image has {measured}")


def _check_signer(image: Image, entry: dict[str, Any] | None) -> None:
    signer = einit(image, image.folder).signer.hex()
    if entry is not None and signer != entry.get("signer"):
        raise ManifestRejected(f"signed by {signer}, and the manifest says {entry.get('signer')}")


def _try(what: str, check: Callable[[], object]) -> Finding:
    try:
        check()
    except EActorsError as error:
        return Finding(what, error.message)
    return Finding(what, None)
