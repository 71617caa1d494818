"""``eactors measure``: what the measurement of an image is."""

from __future__ import annotations

import json
from pathlib import Path

import click

from eactors.build.image import read_image
from eactors.build.policy import policy_of


@click.command(short_help="Print the measurement of an image.")
@click.argument("image", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with the settings that are measured.")
@click.option(
    "--policy", "as_policy", is_flag=True, help="Print a policy for 'eactors attest' that accepts it."
)
def measure(image: Path, *, as_json: bool, as_policy: bool) -> None:
    r"""Compute the measurement of the image in folder IMAGE from its files.

    Every file is read and compared with the image's own list first.

    \b
    Example:
        eactors measure built/enclave-1
        eactors measure built/enclave-1 --policy > shop.toml
    """
    if as_json and as_policy:
        raise click.UsageError("--json and --policy exclude each other")
    found = read_image(image)
    if as_policy:
        click.echo(policy_of(found))
    elif as_json:
        click.echo(json.dumps({"measurement": found.measurement.hex(), "settings": found.settings}, indent=1))
    else:
        click.echo(found.measurement.hex())
