"""Count the lines of C of the native module: python tools/count_lines.py OUTPUT ROOT FOLDER...

The sources are not installed, but an image says how many lines of code it makes an enclave
trust. The build of the module runs this, and installs OUTPUT beside it. Blank lines and
comments do not count.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

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


def count(root: Path, folders: list[str]) -> dict[str, int]:
    """The lines of each file, by its path below ``root``."""
    files = sorted(file for folder in folders for file in (root / folder).glob("*.[ch]"))
    return {str(file.relative_to(root)): code_lines(file.read_text(encoding="utf-8")) for file in files}


def main(arguments: list[str]) -> int:
    """Write OUTPUT."""
    output, root, *folders = arguments
    files = count(Path(root), folders)
    if not files:
        print(f"no C files in {', '.join(folders)} below {root}", file=sys.stderr)
        return 1
    Path(output).write_text(json.dumps({"files": files}, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
