"""Checking a built deployment: everything that can be checked without running it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eactors.build.image import read_image
from eactors.build.keyfile import fingerprint, public_key
from eactors.build.signing import SIGNATURES, check_manifest, read_manifest
from eactors.cpu.creation import einit
from eactors.deployment.model import UNTRUSTED
from eactors.errors import EActorsError, ManifestRejected
from eactors.host.deployed import read_deployed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

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
        ManifestRejected: It has no manifest.
    """
    images = read_deployed(folder).images
    manifest = json.loads(read_manifest(folder))
    entries = {entry["enclave"]: entry for entry in manifest["enclaves"]}
    findings, owners = [], {}
    for enclave, name in images.items():
        read: list[Image] = []
        findings.append(_try(f"files of {name}", lambda name=name, read=read: read.append(read_image(folder / name))))
        if not read or enclave == UNTRUSTED:
            continue
        findings += _signed(folder / name, name, read[0], entries.get(enclave))
        for pem in json.loads((folder / name / "plan.json").read_bytes())["owners"]:
            key = public_key(pem.encode(), name)
            owners[fingerprint(key)[:16]] = key
    strangers = {file.stem for file in (folder / SIGNATURES).glob("*.json")} - set(owners)
    for owner, key in owners.items():
        findings.append(
            _try(f"manifest, signature of {owner}", lambda owner=owner, key=key: check_manifest(folder, {owner: key}))
        )
    findings += [
        Finding(f"manifest, signature of {stranger}", "no image names this owner") for stranger in sorted(strangers)
    ]
    return findings


def _signed(folder: Path, name: str, image: Image, entry: dict[str, Any] | None) -> list[Finding]:
    def listed() -> None:
        if entry is None:
            raise ManifestRejected("the manifest does not have this enclave")
        if entry["measurement"] != image.measurement.hex():
            raise ManifestRejected(
                f"the manifest says measurement {entry['measurement']}, and the image has {image.measurement.hex()}"
            )

    def signed() -> None:
        signer = einit(image, folder).signer.hex()
        if entry is not None and signer != entry["signer"]:
            raise ManifestRejected(f"signed by {signer}, and the manifest says {entry['signer']}")

    return [_try(f"measurement of {name}", listed), _try(f"signature of {name}", signed)]


def _try(what: str, check: Callable[[], object]) -> Finding:
    try:
        check()
    except EActorsError as error:
        return Finding(what, error.message)
    return Finding(what, None)
