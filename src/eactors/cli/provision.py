"""``eactors provision``: give one actor a file that its host cannot read."""

from __future__ import annotations

import json
from pathlib import Path

import click

from eactors.build.image import read_image
from eactors.build.keyfile import fingerprint, public_key
from eactors.build.signing import check_manifest, manifest_enclaves, read_manifest
from eactors.deployment.hints import did_you_mean
from eactors.deployment.model import UNTRUSTED
from eactors.errors import EActorsError
from eactors.host.deployed import read_deployed
from eactors.host.introduction import introduce
from eactors.host.processes import PROVISIONED
from eactors.host.workspace import Workspace
from eactors.verifier.provision import check_introduction, encrypt

_MOST = 1 << 24
_TAKES_FILES = "eactors/enclave/provisioning.py"
"""Part of those images alone whose actors read what they are given."""


@click.command(short_help="Encrypt a file for one actor's enclave.")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--to", "actor", metavar="ACTOR", required=True, help="The actor that gets the file.")
@click.option(
    "--allow-debug", is_flag=True, help="Also to a debug enclave, which cannot keep the file from its host."
)
def provision(file: Path, folder: Path, actor: str, *, allow_debug: bool) -> None:
    r"""Encrypt FILE for ACTOR in the built deployment DIR, where its next run finds it.

    The actor's enclave is started and shows a quote. If the quote is what the signed
    manifest says, the file is encrypted to a key that only that enclave can have. The actor
    reads it as self.provisioned.

    \b
    Example:
        eactors provision salaries.csv --to keeper1 built
    """
    deployed = read_deployed(folder)
    enclave = deployed.actors.get(actor)
    if enclave is None:
        raise EActorsError(
            f"{folder} has no actor {actor!r}",
            hint=did_you_mean(actor, deployed.actors, f"it has {', '.join(deployed.actors)}"),
        )
    if enclave == UNTRUSTED:
        raise EActorsError(
            f"actor {actor!r} runs on the untrusted side, which can keep nothing from its host",
            hint="place it in an enclave, and build again",
        )
    content = _content(file)
    manifest = read_manifest(folder)
    _check_image(folder, deployed.images[enclave], actor)
    # Signed, as has been seen, by those whom the enclave wants.
    entry = manifest_enclaves(folder)[enclave]
    if entry["debug"] and not allow_debug:
        raise EActorsError(
            f"the enclave of actor {actor!r} is a debug enclave, which cannot keep a file from its host",
            hint="sign the deployment with a <key> of your own, or give --allow-debug for a test",
        )
    with Workspace() as workspace:
        said = introduce(folder, deployed, enclave, workspace)
    check_introduction(said.quote, said.public, entry, manifest, allow_debug=allow_debug)
    target = folder / PROVISIONED / f"{actor}.sealed"
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(encrypt(content, actor, said.public, bytes.fromhex(entry["measurement"])))
    click.echo(f"{actor}: the enclave is {entry['measurement']}, as the manifest says")
    click.echo(f"encrypted {len(content):,} bytes to {target}")


def _content(file: Path) -> bytes:
    try:
        if file.stat().st_size > _MOST:
            raise EActorsError(
                f"{file} has more than {_MOST >> 20} MiB", hint="give the actor a smaller file"
            )
        return file.read_bytes()
    except OSError as error:
        raise EActorsError(
            f"cannot read {file}: {error.strerror}",
            hint="name the file to encrypt, then the built deployment",
        ) from error


def _check_image(folder: Path, image: str, actor: str) -> None:
    """See that the image is whole, can take a file, and that its owners have signed the manifest."""
    if _TAKES_FILES not in read_image(folder / image).files:
        raise EActorsError(
            f"actor {actor!r} takes no file: nothing in {image} reads self.provisioned",
            hint="read self.provisioned in the actor, and build again",
        )
    owners = json.loads((folder / image / "plan.json").read_bytes())["owners"]
    keys = [public_key(pem.encode(), image) for pem in owners.values()]
    check_manifest(folder, {fingerprint(key)[:16]: key for key in keys})
