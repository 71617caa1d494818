"""The text of a source file without what is not reached; lines keep their numbers.

What is kept is kept as it was written, comments inside it included. All else becomes empty
lines: comments between definitions go with it, for nobody knows whose they are. An import or
an ``__all__`` of which only some names are kept is written anew, on its first line.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Piece = tuple[ast.stmt, str | None]
"""A statement to keep, and the text to put in its place; None: its own."""


def cut(text: str, pieces: Iterable[Piece]) -> bytes:
    r"""The file with nothing but ``pieces``, in UTF-8.

    Args:
        text: The file, with "\\n" at the ends of its lines.
        pieces: Whole statements of the file, in their order.
    """
    lines = text.encode().split(b"\n")
    out = bytearray()
    line = 1
    for node, instead in pieces:
        first, column = _start(node, lines)
        if line < first:
            out += b"\n" * (first - line)
            line = first
        elif out and not out.endswith(b"\n"):
            # On one line with its predecessor. Spaces would be an indentation.
            out += b"; "
        piece = _between(lines, first, column, node) if instead is None else instead.encode()
        out += piece
        line += piece.count(b"\n")
    return bytes(out) + b"\n" if out else b""


def import_of(node: ast.Import | ast.ImportFrom, aliases: Iterable[int]) -> str:
    """An import of only some of its names."""
    kept = [node.names[index] for index in aliases]
    fields = {name: getattr(node, name) for name in node._fields}
    return ast.unparse(type(node)(**{**fields, "names": kept}))


def all_of(names: Iterable[str]) -> str:
    """An ``__all__`` of these names."""
    return f"__all__ = {list(names)!r}"


def _start(node: ast.stmt, lines: list[bytes]) -> tuple[int, int]:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    if not decorators:
        return node.lineno, node.col_offset
    line = decorators[0].lineno
    while not lines[line - 1].startswith(b"@"):  # it may have an opening parenthesis behind it
        line -= 1
    return line, 0


def _between(lines: list[bytes], first: int, column: int, node: ast.stmt) -> bytes:
    last, end = node.end_lineno, node.end_col_offset
    assert last is not None
    if first == last:
        return lines[first - 1][column:end]
    return b"\n".join([lines[first - 1][column:], *lines[first : last - 1], lines[last - 1][:end]])
