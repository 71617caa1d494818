"""Who may import whom: what runs inside an enclave knows nothing of what runs outside."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import eactors
from eactors.build.framework import TRUSTED

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(eactors.__file__).parent
OUTSIDE = ("host", "build", "cli", "system", "deployment")
THIRD_PARTY_ALLOWED = {"msgspec"}
# Certificates and sites need them; only an image whose source imports attested_tls or web has any.
OPTIONAL = {"attested_tls": {"cryptography"}, "web": {"anyio", "h11", "uvicorn"}}


def trusted_files() -> list[Path]:
    """Return the Python files that run inside an enclave."""
    roots = [PACKAGE / name for name in TRUSTED]
    return sorted(file for root in roots for file in ([root] if root.is_file() else root.rglob("*.py")))


def imports(file: Path) -> Iterator[str]:
    """Yield the full names of all modules that a file imports, wherever it does."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: a relative import"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def ids(file: Path) -> str:
    """Return how a test of this file is called."""
    return str(file.relative_to(PACKAGE))


@pytest.mark.parametrize("file", trusted_files(), ids=ids)
def test_trusted_code_imports_nothing_from_outside(file: Path) -> None:
    """Not even for types: the file could not be read alone."""
    for name in imports(file):
        assert not name.startswith(tuple(f"eactors.{layer}" for layer in OUTSIDE)), name


@pytest.mark.parametrize("file", trusted_files(), ids=ids)
def test_trusted_code_imports_the_standard_library_and_itself(file: Path) -> None:
    """Every other package would be trusted code, too."""
    import sys  # noqa: PLC0415

    known = set(sys.stdlib_module_names) | {"eactors"} | THIRD_PARTY_ALLOWED
    known |= OPTIONAL.get(file.relative_to(PACKAGE).parts[0], set())
    assert {name.partition(".")[0] for name in imports(file)} <= known


def test_errors_import_nothing() -> None:
    """The module says so of itself."""
    assert set(imports(PACKAGE / "errors.py")) == {"__future__.annotations"}


def test_nothing_that_every_enclave_has_imports_certificates() -> None:
    """They bring a library of 16 MB with them."""
    for file in trusted_files():
        if file.relative_to(PACKAGE).parts[0] not in OPTIONAL:
            own = ("eactors.attested_tls", "eactors.web")
            assert not any(name.startswith(own) for name in imports(file)), file
