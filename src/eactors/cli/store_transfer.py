"""``eactors store export`` and ``import``: all of a store as lines of JSON, and back."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import click

from eactors.cli.progress import Progress
from eactors.cli.store_dump import Dump, Header, record_json
from eactors.cli.store_options import json_option, opened, takes_store
from eactors.deployment.sizes import STORE_BLOCK
from eactors.errors import EActorsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

MOST_KEYS, MOST_BYTES = 1_000, 1 << 20
"""In one transaction of an import."""


@click.command(short_help="Print all of a store, as lines of JSON.")
@takes_store
def export(file: Path, key_file: Path | None) -> None:
    r"""Print all keys and values of the store in FILE, as lines of JSON for 'eactors store import'.

    The first line is {"eactors store": 1, "id": ..., "keys": ..., "limit": ...}: how many lines
    follow, and how many bytes the store may grow to. Each of them is {"key": ..., "value": ...}, both in
    base64. Of an encrypted store, too, what is printed is not encrypted.

    \b
    Example:
        eactors store export accounts.store > accounts.jsonl
    """
    with opened(file, key_file) as found, closing(found.store.snapshot()) as snapshot:
        count = len(snapshot)
        click.echo(Header(found.store.id.hex(), count, found.keeper.limit * STORE_BLOCK).line())
        with Progress(count, "keys") as progress:
            for done, (key, value) in enumerate(snapshot.scan()):
                click.echo(json.dumps(record_json(key, value)))
                progress.tick(done)


@click.command("import", short_help="Put into a store what was exported.")
@takes_store
@json_option
def import_(file: Path, key_file: Path | None, *, as_json: bool) -> None:
    r"""Put into the store in FILE the keys and values that standard input has from 'eactors store export'.

    FILE is made if it is not there, as large as the exported store; other keys that it has stay. After an
    error, what was read before it may be in the store: import again, and the rest is added.

    \b
    Examples:
        eactors store import accounts.store < accounts.jsonl
        eactors store export old.store | eactors store import new.store
    """
    dump = Dump(sys.stdin.buffer)
    new = not file.exists()
    if new and key_file is not None:
        raise EActorsError(
            f"{file} is not there, and an encrypted store is made by its enclaves, who have its key",
            hint="run the application once, or leave --key out for a store that is not encrypted",
        )
    count = 0
    with (
        opened(file, key_file, limit=dump.header.limit // STORE_BLOCK if new else 0) as found,
        Progress(dump.header.keys, "keys") as progress,
    ):
        for batch in batches(dump.records()):
            changed = [item for item in batch.items() if found.store.get(item[0]) != item[1]]
            if changed:
                found.write(changed)
            count += len(changed)
            progress.tick(count)
    facts = {"keys": dump.header.keys, "changed": count, "made": new}
    if as_json:
        click.echo(json.dumps(facts))
    else:
        made = "made, " if new else ""
        click.echo(f"{file}: {made}{dump.header.keys:,} keys imported, {count:,} of them new or changed")


def batches(records: Iterable[tuple[bytes, bytes]]) -> Iterator[dict[bytes, bytes]]:
    """Cut records into what goes into one transaction each."""
    batch: dict[bytes, bytes] = {}
    size = 0
    for key, value in records:
        batch[key] = value
        size += len(value)
        if len(batch) == MOST_KEYS or size >= MOST_BYTES:
            yield batch
            batch, size = {}, 0
    yield batch
