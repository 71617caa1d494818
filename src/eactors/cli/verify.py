"""``eactors verify``: whether a built deployment is what its owners have signed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from eactors.build.verification import Finding, verify_folder


@click.command(short_help="Check images, manifest and signatures.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
def verify(folder: Path, *, as_json: bool) -> None:
    r"""Check everything in DIR that 'eactors build' wrote, and say what differs.

    Every file of every image against the image's list, every image against the manifest
    and its signer's signature, the manifest against the owners' signatures. The exit
    status is 0 if all is right, 1 if anything is not.

    \b
    Example:
        eactors verify built
    """
    findings = verify_folder(folder)
    if as_json:
        click.echo(json.dumps([{"what": each.what, "wrong": each.wrong} for each in findings], indent=1))
    else:
        for each in findings:
            click.echo(_line(each))
    sys.exit(1 if any(each.wrong for each in findings) else 0)


def _line(finding: Finding) -> str:
    if finding.wrong is None:
        return f"{click.style('good', fg='green')}   {finding.what}"
    return f"{click.style('wrong', fg='red', bold=True)}  {finding.what}: {finding.wrong}"
