"""``eactors store verify``: whether a store is whole and authentic."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import click

from eactors._store import Keeper
from eactors.cli.progress import Progress
from eactors.cli.store_options import json_option, takes_store
from eactors.host.store_file import StoreFile, boot_id, is_encrypted, named, read_store_key, system
from eactors.store.errors import StoreCorrupt, StoreError

if TYPE_CHECKING:
    from pathlib import Path

WRONG = 1
"""The exit status where something is."""


@click.command(short_help="Check a store from beginning to end.")
@takes_store
@click.option("--without-key", is_flag=True, help="Of an encrypted store, check what shows without its key.")
@json_option
def verify(file: Path, key_file: Path | None, *, without_key: bool, as_json: bool) -> None:
    r"""Read all of the store in FILE, and check all that can be checked.

    Every block, every record and its hash, what the store says of itself; of an encrypted
    store, that every record is authentic. In the clear, values have no check. The exit
    status is 0 if all is right, 1 if anything is not.

    \b
    Example:
        eactors store verify accounts.store
    """
    key = read_store_key(key_file) if key_file is not None else None
    wrong: StoreError | None = None
    found: dict[str, int] = {}
    with named(file):
        if key is None and not without_key and is_encrypted(file):
            raise StoreError(
                "it is encrypted",
                hint="give its key: --key KEYFILE, or check only what shows without it: --without-key",
            )
        try:
            found = _verified(file, key)
        except StoreCorrupt as error:
            wrong = error
    if as_json:
        click.echo(json.dumps({**found, "wrong": None if wrong is None else str(wrong)}, indent=1))
    elif wrong is not None:
        click.echo(f"{click.style('wrong', fg='red', bold=True)}  {file}: {wrong}")
    else:
        words = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in found.items())
        click.echo(f"{click.style('good', fg='green')}   {file}: {words}")
    sys.exit(WRONG if wrong else 0)


def _verified(file: Path, key: bytes | None) -> dict[str, int]:
    if key is None and is_encrypted(file):
        with system(), closing(Keeper(str(file), 0, boot_id())) as keeper:
            return keeper.check()
    with StoreFile(file, key) as opened:
        found = opened.keeper.check()
        with closing(opened.store.snapshot()) as snapshot, Progress(len(snapshot), "keys") as progress:
            for done, (record, _) in enumerate(snapshot.scan(), 1):
                if snapshot.get(record) is None:
                    raise StoreCorrupt(f"the record of {record[:80]!r} is where its key does not lead")
                progress.tick(done)
    return found
