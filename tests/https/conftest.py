"""The example, built and running, for all tests that only visit it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from tests.conftest import COMMAND
from tests.sites import EXAMPLE, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.sites import Site


def build(folder: Path, deployment: str, *params: str) -> Path:
    """Build the example; where."""
    words = [word for param in params for word in ("--param", param)]
    command: list[str | Path] = [COMMAND, "build", EXAMPLE / "https.py", EXAMPLE / deployment, *words]
    subprocess.run([*command, "-o", folder], check=True, capture_output=True, timeout=60)
    return folder


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example in one enclave, on any port that is free."""
    return build(tmp_path_factory.mktemp("both") / "built", "one-enclave.xml", "Both.port=0")


@pytest.fixture(scope="session")
def guest_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The guest book alone, built, on any port that is free."""
    return build(tmp_path_factory.mktemp("book") / "built", "guest-book.xml", "Book.port=0")


@pytest.fixture(scope="module")
def site(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Both sites of the example."""
    with running(tmp_path_factory.mktemp("site"), built) as site:
        yield site
        assert site.errors() == ""
