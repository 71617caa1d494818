"""``eactors store``: look into the file of a store, and look after it."""

from __future__ import annotations

import json
import sys
from base64 import b64encode
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from eactors.cli.errors import say
from eactors.cli.store_compact import compact
from eactors.cli.store_options import hex_option, json_option, key_bytes, opened, takes_store
from eactors.cli.store_transfer import export, import_
from eactors.cli.store_verify import verify
from eactors.deployment.sizes import STORE_BLOCK

if TYPE_CHECKING:
    from pathlib import Path

    from eactors.host.store_file import StoreFile

ABSENT = 1
"""The exit status of 'get' where there is no such key."""


@click.group(short_help="Look into stores, and look after them.")
def store() -> None:
    """Look into the file of a persistent store, and look after it, while no application has it open.

    An encrypted store is refused without its key. An enclave's key leaves it only if its code
    exports it.
    """


@store.command(short_help="Say what a store is, and how full.")
@takes_store
@json_option
def info(file: Path, key_file: Path | None, *, as_json: bool) -> None:
    r"""Say what the store in FILE is, how many keys it has, and how full it is.

    \b
    Example:
        eactors store info accounts.store
    """
    with opened(file, key_file) as found:
        facts = _facts(found)
    if as_json:
        click.echo(json.dumps(facts, indent=1))
        return
    for name, value in facts.items():
        click.echo(f"{name.replace('_', ' '):20} {_words(value)}")


def _words(value: str | int) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case str():
            return value


def _facts(found: StoreFile) -> dict[str, Any]:
    now, slots = found.store.statistics(), found.keeper.keys()
    return {
        "id": found.store.id.hex(),
        "encrypted": bool(found.store.encryption),
        "detects_rollback": found.store.detects,
        "keys": now["keys"],
        "version": now["version"],
        "bytes_used": (now["record_blocks"] + now["branch_blocks"]) * STORE_BLOCK,
        "bytes_at_most": now["limit"] * STORE_BLOCK,
        "bytes_on_disk": found.disk,
        "sealed_keys": sum(slot is not None for slot in slots),
        "recovered": found.keeper.recovered,
    }


@store.command(short_help="Print the value of a key.")
@takes_store
@click.argument("key")
@hex_option
@json_option
def get(file: Path, key_file: Path | None, key: str, *, in_hex: bool, as_json: bool) -> None:
    r"""Print the value of KEY in the store in FILE, just as it is.

    The exit status is 1 if there is no such key.

    \b
    Example:
        eactors store get accounts.store alice
    """
    name = key_bytes(key, in_hex=in_hex)
    with opened(file, key_file) as found:
        value = found.store.get(name)
    if as_json:
        click.echo(json.dumps({"value": None if value is None else b64encode(value).decode()}))
    elif value is None:
        say(f"{file} has no key {key!r}", f"see 'eactors store list {file}'")
    else:
        click.echo(value, nl=sys.stdout.isatty())
    if value is None:
        sys.exit(ABSENT)


@store.command(short_help="Give a key a value.")
@takes_store
@click.argument("key")
@click.argument("value", required=False)
@hex_option
@json_option
def put(
    file: Path, key_file: Path | None, key: str, value: str | None, *, in_hex: bool, as_json: bool
) -> None:
    r"""Give KEY in the store in FILE the VALUE; without one, all of standard input.

    \b
    Examples:
        eactors store put accounts.store alice 100
        eactors store put accounts.store portrait < alice.png
    """
    name = key_bytes(key, in_hex=in_hex)
    content = key_bytes(value, in_hex=False) if value is not None else sys.stdin.buffer.read()
    with opened(file, key_file) as found:
        found.write([(name, content)])
        version = found.store.version
    if as_json:
        click.echo(json.dumps({"version": version}))


@store.command("list", short_help="Print the keys.")
@takes_store
@click.argument("prefix", default="")
@hex_option
@json_option
def list_(file: Path, key_file: Path | None, prefix: str, *, in_hex: bool, as_json: bool) -> None:
    r"""Print the keys of the store in FILE that begin with PREFIX, or all, with the sizes of their values.

    \b
    Examples:
        eactors store list accounts.store
        eactors store list accounts.store al
    """
    beginning = key_bytes(prefix, in_hex=in_hex)
    with opened(file, key_file) as found, closing(found.store.snapshot()) as snapshot:
        sizes = sorted((key, len(value)) for key, value in snapshot.scan(beginning))
    if as_json:
        click.echo(
            json.dumps([{"key": b64encode(key).decode(), "size": size} for key, size in sizes], indent=1)
        )
        return
    for key, size in sizes:
        click.echo(f"{size:>12,}  {key.hex() if in_hex else _printable(key)}")


def _printable(key: bytes) -> str:
    """As text, but nothing that a terminal would obey."""
    text = key.decode("utf-8", "backslashreplace")
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


for command in (verify, export, import_, compact):
    store.add_command(command)
