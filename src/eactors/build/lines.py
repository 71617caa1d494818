"""Lines of code: what is left without blank lines, comments, docstrings and what no one executes."""

from __future__ import annotations

import ast
import json
from typing import TYPE_CHECKING

from eactors.build import framework
from eactors.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")

NATIVE_LINES = "native_lines.json"
"""Written by tools/count_lines.py when the native module is built, as its sources are not installed."""

_HOSTS = {"host": framework.NATIVE, "store-host": framework.STORE}
"""The variants that have all parts, which are no enclave's."""


def python_lines(source: bytes) -> int:
    """Lines of Python code; 0 if it is none. Blank lines in strings do not count either.

    Nor does what stands below ``if TYPE_CHECKING:``, which only a type checker reads.
    """
    try:
        documented = set(_unexecuted(ast.parse(source).body))
    except (SyntaxError, ValueError, RecursionError):
        return 0
    lines = enumerate(source.splitlines(), 1)
    return sum(1 for number, line in lines if number not in documented and _is_code(line.strip()))


def native_lines(module: Path) -> dict[str, int]:
    """Lines of C code of a native module, by origin: ``eactors`` and ``simulation``.

    Args:
        module: The compiled file, which may be a copy.

    Raises:
        ImageError: The installation does not say, or has no such module.
    """
    file = framework.FOLDER / NATIVE_LINES
    file = file if file.exists() else framework.NATIVE.with_name(NATIVE_LINES)
    try:
        counts = json.loads(file.read_bytes())
        wanted = module.read_bytes()
        for variant, lines in counts.items():
            known = _HOSTS.get(variant, framework.VARIANTS / variant / module.name)
            if known.name == module.name and known.exists() and known.read_bytes() == wanted:
                return {str(origin): int(number) for origin, number in lines.items()}
        raise ValueError(f"no variant is the same as {module}")  # noqa: TRY301
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ImageError(
            f"{file}, the line counts of the native module, cannot be used: {error}",
            hint="install eactors again",
        ) from error


def _is_code(line: bytes) -> bool:
    return bool(line) and not line.startswith(b"#")


def _unexecuted(body: list[ast.stmt]) -> Iterator[int]:
    """The lines of docstrings, and of what is for type checkers, in a module, class or function."""
    match body:
        case [ast.Expr(value=ast.Constant(value=str())) as first, *_]:
            yield from range(first.lineno, (first.end_lineno or first.lineno) + 1)
    todo = list(body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _unexecuted(node.body)
        elif isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            yield from range(node.body[0].lineno, (node.body[-1].end_lineno or node.lineno) + 1)
            todo += node.orelse
        else:
            todo += [inner for field in _BLOCKS for inner in getattr(node, field, ())]
