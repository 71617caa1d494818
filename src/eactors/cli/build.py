"""``eactors build``: write the images of an application, and the manifest that its owners sign."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from eactors.build.builder import build_folder
from eactors.build.report import report
from eactors.cli import failures
from eactors.cli.files import plan_of, takes_files

if TYPE_CHECKING:
    from eactors.build.report import BuiltImage, Report

_MOST_LISTED = 12


@click.command(short_help="Write measured, signed images.")
@takes_files
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    required=True,
    type=click.Path(path_type=Path),
    help="The folder to write.",
)
@click.option("--force", is_flag=True, help="Replace DIR if it is a built deployment.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def build(
    source: Path, deployment: Path, params: tuple[str, ...], output: Path, *, force: bool, as_json: bool
) -> None:
    r"""Write one image per enclave of SOURCE and DEPLOYMENT to DIR, and the deployment manifest.

    An image holds only the code that the enclave's actors reach. It is signed with the
    private keys that the deployment names and that are here; other owners add their
    signatures with 'eactors sign'.

    \b
    Example:
        eactors build pingpong.py two-enclaves.xml -o built
        eactors run built
    """
    plan = plan_of(source, deployment, params)
    built = report(build_folder(plan, output, notice=failures.notice, replace=force))
    if as_json:
        click.echo(json.dumps(asdict(built), indent=1))
    else:
        _show(built)


def _show(built: Report) -> None:
    console = Console(soft_wrap=True, highlight=False)
    for image in built.images:
        _show_image(console, image)
    console.print(f"manifest {built.manifest}")
    for owner, signed in built.signatures.items():
        console.print(f"  {escape(owner)}: " + ("signed" if signed else "[yellow]not signed yet[/]"))


def _show_image(console: Console, image: BuiltImage) -> None:
    console.print(f"[bold]{escape(image.title)}[/]")
    if image.measurement is not None:
        console.print(f"  measurement {image.measurement}")
        signed = "" if image.signed else " [yellow](not signed yet)[/]"
        kind = ", debug" if image.debug else ""
        console.print(f"  signer      {image.signer} ({escape(image.signer_name)}{kind}){signed}")
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    table.add_column("  origin", no_wrap=True)
    for heading in ("files", "bytes", "lines"):
        table.add_column(heading, justify="right")
    for origin, total in image.origins.items():
        if origin == "resources" and not total.files:
            continue
        table.add_row(f"  {origin}", f"{total.files:,}", f"{total.bytes:,}", f"{total.lines:,}")
    console.print(table)
    if image.left_out:
        shown = ", ".join(image.left_out[:_MOST_LISTED])
        more = (
            f", and {len(image.left_out) - _MOST_LISTED} more" if len(image.left_out) > _MOST_LISTED else ""
        )
        console.print(escape(f"  not in it: {shown}{more}"))
    for note in image.notes:
        failures.warn(note)
    console.print()
