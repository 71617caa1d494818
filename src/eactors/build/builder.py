"""Building: from a plan to a folder of signed images and their manifest."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from eactors.build import framework
from eactors.build.canonical import canonical
from eactors.build.enclave_plan import enclave_plan
from eactors.build.keyfile import fingerprint
from eactors.build.observe import Observation
from eactors.build.owners import Owners
from eactors.build.reach import reach
from eactors.build.signing import MANIFEST, SIGNATURES, read_manifest, sign_image, sign_manifest
from eactors.build.writing import write_image
from eactors.deployment.model import UNTRUSTED
from eactors.deployment.plan import enclave_title
from eactors.errors import EActorsError
from eactors.host import deployed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from eactors.build.image import Image
    from eactors.build.reach import Reach
    from eactors.deployment.plan import Home, Plan, PlannedEnclave

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Made:
    """What a build has written; images and reaches by server and enclave, untrusted sides included."""

    plan: Plan
    folder: Path
    images: dict[Home, Image]
    reached: dict[Home, Reach]
    owners: Owners


def build_folder(plan: Plan, folder: Path, *, notice: Callable[[str], None], replace: bool = False) -> Made:
    """Write everything that a run of ``plan`` needs into ``folder``.

    Args:
        plan: What to build.
        folder: Where; must not exist, or be empty.
        notice: Told what whoever builds should know.
        replace: Remove ``folder`` first if it is a built deployment.

    Raises:
        EActorsError: The folder is in use, a key file is wrong, or the source reaches what no
            image can hold.
    """
    folder = folder.resolve()
    _make_room(folder, replace=replace)
    owners = Owners(plan)
    if owners.are_for_development:
        notice(
            "no <key> in the deployment: signed with this installation's development key, so every"
            " enclave is a debug enclave"
        )
    homes = sorted({actor.home for actor in plan.actors.values()})
    reached = {home: _reach(plan, home) for home in homes}
    roots: tuple[str, ...] = ()
    if any(channel.exchange == "remote-attestation" for channel in plan.channels):
        from eactors.build.roots import trusted_roots  # noqa: PLC0415 - certificates take long to import

        roots = trusted_roots(plan)
    plans = {
        home: enclave_plan(plan, home, _owners(plan, home[1], owners), reached[home], roots) for home in homes
    }
    observations = {
        home: Observation.start(reached[home], folder, framework.parts_of(plans[home]))
        for home in homes
        if home[1] != UNTRUSTED
    }
    names = _names(homes)
    images = {
        home: write_image(
            folder / names[home],
            reached[home],
            observations[home].collect() if home in observations else None,
            _settings(plan, home[1]),
            plans[home],
        )
        for home in homes
    }
    # Where there are several servers, each has enclaves of its own: the plan sees to that.
    of_enclave = {enclave: image for (_, enclave), image in images.items()}
    _write_manifest(plan, folder, of_enclave, owners)
    described = deployed.describe(
        plan,
        {enclave: names[server, enclave] for server, enclave in homes if enclave != UNTRUSTED},
        {server: names[server, enclave] for server, enclave in homes if enclave == UNTRUSTED},
        _sources(images).encode() + (folder / MANIFEST).read_bytes(),
    )
    (folder / deployed.FILE).write_bytes(described)
    for planned in plan.enclaves.values():
        key = owners.signer(planned.signer)
        if isinstance(key, RSAPrivateKey):
            sign_image(of_enclave[planned.id].folder, key)
    for key in owners.private():
        sign_manifest(folder, key)
    return Made(plan, folder, images, reached, owners)


def sign_folder(folder: Path, key: RSAPrivateKey) -> Iterator[str]:
    """Sign the manifest of a built deployment, and the images whose signer the key is.

    Yields:
        What was signed, in words.

    Raises:
        ImageError: The folder is no built deployment, or an image was changed.
    """
    images = deployed.read_deployed(folder).images
    for entry in json.loads(read_manifest(folder))["enclaves"]:
        if entry["signer"] == fingerprint(key):
            sign_image(folder / images[entry["enclave"]], key)
            yield f"signed {images[entry['enclave']]}"
    sign_manifest(folder, key)
    yield f"signed {MANIFEST}"


def _make_room(folder: Path, *, replace: bool) -> None:
    if folder.exists() and any(folder.iterdir()):
        if not replace or not (folder / deployed.FILE).exists():
            raise EActorsError(
                f"{folder} exists and is not empty",
                hint="give another -o, or --force if it is a built deployment to replace",
            )
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)


def _names(homes: Sequence[Home]) -> dict[Home, str]:
    """The folder of each image; the server is in it only where it tells two apart."""
    several = sum(enclave == UNTRUSTED for _, enclave in homes) > 1
    untrusted = "untrusted-{}" if several else "untrusted"
    return {
        (server, enclave): untrusted.format(server) if enclave == UNTRUSTED else f"enclave-{enclave}"
        for server, enclave in homes
    }


def _sources(images: Mapping[Home, Image]) -> str:
    """The application's files on the untrusted sides, which no manifest has, and their hashes."""
    files = {
        f"{server}/{path}": entry["sha256"]
        for (server, enclave), image in images.items()
        if enclave == UNTRUSTED
        for path, entry in image.files.items()
        if entry["origin"] == "application"
    }
    return json.dumps(files, sort_keys=True)


def _reach(plan: Plan, home: Home) -> Reach:
    enclave = home[1]
    classes = {actor.cls for actor in plan.actors.values() if actor.home == home}
    requires = plan.enclaves[enclave].requires if enclave in plan.enclaves else plan.untrusted_requires
    return reach(plan.source, sorted(classes, key=lambda cls: cls.__name__), requires)


def _settings(plan: Plan, enclave: int) -> dict[str, Any]:
    planned = plan.enclaves.get(enclave)
    return {
        "enclave": enclave,
        "name": enclave_title(UNTRUSTED) if planned is None else planned.title,
        "product_id": 0 if planned is None else planned.product_id,
        "security_version": 0 if planned is None else planned.security_version,
        "debug": planned is None or planned.debug,
        "platform": "untrusted" if planned is None else planned.platform,
    }


def _owners(plan: Plan, enclave: int, owners: Owners) -> dict[str, str]:
    return owners.public(plan.enclaves[enclave].owners) if enclave in plan.enclaves else {}


def _write_manifest(plan: Plan, folder: Path, images: dict[int, Image], owners: Owners) -> None:
    content = {
        "format": FORMAT,
        "application": plan.source.name,
        "enclaves": [_entry(planned, images[planned.id], owners) for planned in plan.enclaves.values()],
        "channels": [
            {
                "id": channel.id,
                "between": [str(end) for end in channel.ends],
                "enclaves": [plan.actors[end.actor].enclave for end in channel.ends],
                "cipher": channel.cipher,
                "exchange": channel.exchange,
            }
            for channel in plan.channels
            if channel.protection == "encrypted"
        ]
        + [
            {
                "id": channel.id,
                "between": [f"store {channel.store} in enclave {enclave}" for enclave in channel.enclaves],
                "enclaves": list(channel.enclaves),
                "cipher": channel.cipher,
                "exchange": channel.exchange,
            }
            for channel in plan.key_channels
        ],
    }
    (folder / MANIFEST).write_bytes(canonical(content))
    (folder / SIGNATURES).mkdir()


def _entry(planned: PlannedEnclave, image: Image, owners: Owners) -> dict[str, Any]:
    return {
        "enclave": planned.id,
        "name": planned.title,
        "measurement": image.measurement.hex(),
        "signer": fingerprint(owners.signer(planned.signer)),
        "product_id": planned.product_id,
        "security_version": planned.security_version,
        "debug": planned.debug,
        "platform": planned.platform,
    }
