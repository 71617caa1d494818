"""Lines of code: what is left without blank lines, comments and docstrings."""

from __future__ import annotations

import ast
import json
from typing import TYPE_CHECKING

from eactors.build import framework
from eactors.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")

NATIVE_LINES = "native_lines.json"
"""Written by tools/count_lines.py when the native module is built, as its sources are not installed."""


def python_lines(source: bytes) -> int:
    """Lines of Python code; 0 if it is none. Blank lines in strings do not count either."""
    try:
        documented = set(_docstrings(ast.parse(source).body))
    except (SyntaxError, ValueError, RecursionError):
        return 0
    lines = enumerate(source.splitlines(), 1)
    return sum(1 for number, line in lines if number not in documented and _is_code(line.strip()))


def native_lines() -> int:
    """Lines of C code of the native module.

    Raises:
        ImageError: The installation does not say.
    """
    file = framework.FOLDER / NATIVE_LINES
    file = file if file.exists() else framework.NATIVE.with_name(NATIVE_LINES)
    try:
        counts = json.loads(file.read_bytes())["files"]
        return sum(int(count) for count in counts.values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ImageError(
            f"{file}, the line counts of the native module, cannot be read: {error}",
            hint="install eactors again",
        ) from error


def _is_code(line: bytes) -> bool:
    return bool(line) and not line.startswith(b"#")


def _docstrings(body: list[ast.stmt]) -> Iterator[int]:
    """The lines of the docstrings of a module, class or function, and of those in it."""
    match body:
        case [ast.Expr(value=ast.Constant(value=str())) as first, *_]:
            yield from range(first.lineno, (first.end_lineno or first.lineno) + 1)
    todo = list(body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _docstrings(node.body)
        else:
            todo += [inner for field in _BLOCKS for inner in getattr(node, field, ())]
