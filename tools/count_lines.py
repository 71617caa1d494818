"""Count the lines of C of the native module's variants.

    python tools/count_lines.py OUTPUT ROOT NAME=FILE,FILE,...

The sources are not installed, but an image says how many lines of code it makes an enclave
trust. The build of the module runs this, and installs OUTPUT beside it. Blank lines and
comments do not count; a header counts wherever a file includes it. What stands for the
hardware of an enclave, in the platform "simulation", is counted by itself.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

_FOLDERS = ("src/eactors/_native", "native")
_INCLUDE = re.compile(r'^#include "([^"]+)"', re.MULTILINE)
_SIMULATION = {"sandbox"}
_COMMENT_OR_LITERAL = re.compile(
    r"""//(?:[^\n\\]|\\.)*|/\*.*?\*/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'""", re.DOTALL
)


def code_lines(text: str) -> int:
    """Lines of C that are neither blank nor comment."""
    bare = _COMMENT_OR_LITERAL.sub(_without_comment, text)
    return sum(1 for line in bare.splitlines() if line.strip())


def _without_comment(match: re.Match[str]) -> str:
    found = match[0]
    return re.sub(r"[^\n]", " ", found) if found.startswith("/") else found


def sources(root: Path, files: list[Path]) -> set[Path]:
    """The files, and all headers of ours that they include."""
    found, todo = set(), [root / file for file in files]
    while todo:
        file = todo.pop().resolve()
        if file in found:
            continue
        found.add(file)
        included = _INCLUDE.findall(file.read_text(encoding="utf-8"))
        places = (file.parent, *(root / folder for folder in _FOLDERS))
        todo += [next(place / name for place in places if (place / name).is_file()) for name in included]
    return found


def count(root: Path, files: list[Path]) -> dict[str, int]:
    """The lines of a variant: of eactors itself, and of what simulates hardware."""
    counts = {"eactors": 0, "simulation": 0}
    for file in sources(root, files):
        kind = "simulation" if file.stem in _SIMULATION else "eactors"
        counts[kind] += code_lines(file.read_text(encoding="utf-8"))
    return counts


def main(arguments: list[str]) -> int:
    """Write OUTPUT."""
    output, root, *variants = arguments
    pairs = (variant.split("=") for variant in variants)
    counts = {name: count(Path(root), [Path(file) for file in files.split(",")]) for name, files in pairs}
    Path(output).write_text(json.dumps(counts, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
