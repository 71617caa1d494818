"""What the commands of ``eactors store`` have in common: their file, its key, and how it is opened."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from eactors.cli import failures
from eactors.host.store_file import StoreFile, named, read_store_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any


def takes_store(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command its FILE argument, and ``--key``."""
    command = click.option(
        "--key",
        "key_file",
        metavar="KEYFILE",
        type=click.Path(path_type=Path),
        help="The key of an encrypted store: a file with 32 bytes or 64 hexadecimal digits.",
    )(command)
    return click.argument("file", type=click.Path(path_type=Path))(command)


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON; bytes are in base64.")
hex_option = click.option(
    "--hex", "in_hex", is_flag=True, help="Keys are hexadecimal digits, given and printed, instead of text."
)


def key_bytes(text: str, *, in_hex: bool) -> bytes:
    """Return the key of a record, as it was given on the command line.

    Raises:
        click.BadParameter: It is not hexadecimal.
    """
    if not in_hex:
        return text.encode("utf-8", "surrogateescape")
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is not hexadecimal, as --hex says") from error


@contextmanager
def opened(file: Path, key_file: Path | None, *, limit: int = 0) -> Iterator[StoreFile]:
    """Open a store for one command.

    Args:
        file: The store.
        key_file: The file of its key.
        limit: Blocks that it may grow to if it is made; 0: it has to be there.

    Raises:
        StoreError: It cannot be opened, or something in it is wrong.
        KeyFileError: There is no key in the file of the key.
    """
    key = read_store_key(key_file) if key_file is not None else None
    with named(file), StoreFile(file, key, limit=limit) as store:
        if store.keeper.fell_back:
            failures.warn(f"{file} is as it was at its last sync: the machine went off before the next")
        yield store
