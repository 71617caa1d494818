"""``eactors store compact``: the same store in as small a file as it needs."""

from __future__ import annotations

import json
import os
from contextlib import closing
from typing import TYPE_CHECKING

import click

from eactors.cli.progress import Progress
from eactors.cli.store_options import json_option, opened, takes_store
from eactors.cli.store_transfer import batches
from eactors.host.store_file import StoreFile, system
from eactors.store.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path


@click.command(short_help="Give back what a store does not need of the disk.")
@takes_store
@json_option
def compact(file: Path, key_file: Path | None, *, as_json: bool) -> None:
    r"""Write the store in FILE anew, as small as it can be, and put that in FILE's place.

    It stays the same store: its id, its sealed keys, and what it may grow to are as before. The file is
    replaced once the new one is whole and on the disk; until then nothing has happened. A store
    that detects rollbacks is refused: its enclaves would take the new file for an old one.

    \b
    Example:
        eactors store compact accounts.store
    """
    real = file.resolve()
    with opened(real, key_file) as old:
        if old.keeper.detects:
            raise StoreError(
                "it detects rollbacks, and its enclaves would take a compacted one for an old one",
                hint="have the application copy it to a new store",
            )
        before = old.disk
        draft = real.with_name(f".{real.name}.compacted-{os.getpid()}")
        try:
            after = _rewritten(old, draft)
            with system():
                _take_place(draft, real)
        finally:
            draft.unlink(missing_ok=True)
    if as_json:
        click.echo(json.dumps({"bytes_before": before, "bytes_after": after}))
    else:
        click.echo(f"{file}: {before:,} bytes of the disk before, {after:,} now")


def _rewritten(old: StoreFile, draft: Path) -> int:
    """Make the new file; how many bytes of the disk it takes."""
    with (
        StoreFile(draft, old.key, limit=old.keeper.limit, id=old.store.id) as new,
        closing(old.store.snapshot()) as snapshot,
        Progress(len(snapshot), "keys") as progress,
    ):
        done = 0
        for batch in batches(snapshot.scan()):
            new.write(list(batch.items()))
            done += len(batch)
            progress.tick(done)
        for number, slot in enumerate(old.keeper.keys()):
            if slot is not None:
                new.keeper.set_key(number, *slot)
        return new.disk


def _take_place(draft: Path, file: Path) -> None:
    """Put the new file in the old one's place, for the same people."""
    status = file.stat()
    os.chown(draft, status.st_uid, status.st_gid)
    draft.chmod(status.st_mode)
    draft.replace(file)
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
