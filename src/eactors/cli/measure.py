"""``eactors measure``: what the measurement of an image is."""

from __future__ import annotations

import json
from pathlib import Path

import click

from eactors.build.image import read_image


@click.command(short_help="Print the measurement of an image.")
@click.argument("image", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with the settings that are measured.")
def measure(image: Path, *, as_json: bool) -> None:
    r"""Compute the measurement of the image in folder IMAGE from its files.

    Every file is read and compared with the image's own list first.

    \b
    Example:
        eactors measure built/enclave-1
    """
    found = read_image(image)
    if as_json:
        click.echo(json.dumps({"measurement": found.measurement.hex(), "settings": found.settings}, indent=1))
    else:
        click.echo(found.measurement.hex())
