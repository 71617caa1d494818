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


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example in one enclave, on any port that is free."""
    folder = tmp_path_factory.mktemp("https") / "built"
    files = (EXAMPLE / "https.py", EXAMPLE / "one-enclave.xml")
    command: list[str | Path] = [COMMAND, "build", *files, "--param", "Both.port=0", "-o", folder]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return folder


@pytest.fixture(scope="module")
def site(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Both sites of the example."""
    with running(tmp_path_factory.mktemp("site"), built) as site:
        yield site
        assert site.errors() == ""
