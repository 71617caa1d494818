"""How many lines an enclave trusts, and that there do not come to be many more."""

from __future__ import annotations

from pathlib import Path

import eactors
from eactors.build.framework import TRUSTED

ROOT = Path(__file__).parents[2]
PACKAGE = Path(eactors.__file__).parent
MOST_PYTHON = 1500
MOST_C = 4500
LONGEST_FILE = 400


def lines(files: list[Path]) -> int:
    """Return how many lines the files have that are not blank."""
    return sum(1 for file in files for line in file.read_text(encoding="utf-8").splitlines() if line.strip())


def python_files() -> list[Path]:
    """Return the Python files that run inside an enclave."""
    roots = [PACKAGE / name for name in TRUSTED]
    return [file for root in roots for file in ([root] if root.is_file() else root.rglob("*.py"))]


def c_files() -> list[Path]:
    """Return the C files of the native module, and of the core below it."""
    folders = (ROOT / "native", ROOT / "src/eactors/_native")
    return [file for folder in folders for file in folder.glob("*.[ch]")]


def test_an_enclave_trusts_few_lines_of_python() -> None:
    """Printed with ``pytest -rP``."""
    count = lines(python_files())
    print(f"an enclave trusts {count} lines of Python in {len(python_files())} files")  # noqa: T201
    assert 300 < count <= MOST_PYTHON


def test_an_enclave_trusts_few_lines_of_c() -> None:
    """Printed with ``pytest -rP``."""
    count = lines(c_files())
    print(f"an enclave trusts {count} lines of C in {len(c_files())} files")  # noqa: T201
    assert 1000 < count <= MOST_C


def test_no_trusted_file_is_long() -> None:
    """One noun per file."""
    for file in python_files() + c_files():
        assert len(file.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE, file
