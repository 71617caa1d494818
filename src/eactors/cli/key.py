"""``eactors key``: keys that sign images and manifests."""

from __future__ import annotations

from pathlib import Path

import click

from eactors.build.keyfile import fingerprint, load_key, new_key, public_pem


@click.group(short_help="Make and show signing keys.")
def key() -> None:
    """Make and show the keys of owners, who sign images and deployment manifests."""


@key.command(short_help="Make a key.")
@click.argument("file", type=click.Path(path_type=Path))
def new(file: Path) -> None:
    r"""Make a signing key in FILE, readable by you alone, and print its signer identity.

    It is RSA of 3072 bits with exponent 3, which is what SGX demands of a signer.

    \b
    Example:
        eactors key new alice.pem
    """
    made = new_key(file)
    click.echo(f"{file}: a new key; signer {fingerprint(made)}")
    click.echo("hint: give others what 'eactors key public' prints, and never this file", err=True)


@key.command(short_help="Print the public half of a key.")
@click.argument("file", type=click.Path(path_type=Path))
def public(file: Path) -> None:
    r"""Print the public half of the key in FILE, for the other owners of a deployment.

    \b
    Example:
        eactors key public alice.pem > alice.pub.pem
    """
    click.echo(public_pem(load_key(file)), nl=False)


@key.command(short_help="Print the signer identity of a key.")
@click.argument("file", type=click.Path(path_type=Path))
def show(file: Path) -> None:
    r"""Print the identity that a signer with the key in FILE has: what SGX calls MRSIGNER.

    \b
    Example:
        eactors key show alice.pub.pem
    """
    click.echo(fingerprint(load_key(file)))
