"""``eactors sign``: an owner's signature on a built deployment."""

from __future__ import annotations

from pathlib import Path

import click

from eactors.build.builder import sign_folder
from eactors.build.keyfile import load_private


@click.command(short_help="Sign the manifest of a built deployment.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("key", type=click.Path(path_type=Path))
def sign(folder: Path, key: Path) -> None:
    r"""Sign the manifest in DIR with KEY, and the images whose signer it is.

    Sign only what you have built from the same source yourself: 'eactors build' gives the
    same measurements to everyone, so compare yours with those of 'eactors measure'.

    \b
    Example:
        eactors sign built bob.pem
    """
    for line in sign_folder(folder, load_private(key)):
        click.echo(line)
