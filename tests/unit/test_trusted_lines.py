"""How many lines an enclave trusts, and that there do not come to be many more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import eactors
from eactors.build import framework
from eactors.build.builder import build_folder
from eactors.build.report import report
from eactors.cli.files import plan_of

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PACKAGE = Path(eactors.__file__).parent
MOST = 3500
"""Lines of Python and C without blanks, comments, docstrings and what is only for type checkers."""
LONGEST_FILE = 400


def deployments() -> Iterator[Path]:
    """Yield one deployment for each way to use the framework.

    What still has more is in docs/design/variants.md.
    """
    yield ROOT / "examples/pingpong2/two-enclaves.xml"
    yield ROOT / "examples/pingpong2/two-enclaves-plain.xml"
    yield ROOT / "examples/pingpong2/two-enclaves-sealing.xml"
    yield ROOT / "examples/pingpong2/one-enclave.xml"
    yield ROOT / "examples/pingpong/two-enclaves.xml"
    yield ROOT / "examples/tripong/three-enclaves.xml"
    yield ROOT / "examples/tripong/one-enclave.xml"
    yield ROOT / "examples/tripong/one-worker.xml"
    yield ROOT / "examples/smc/three-parties.xml"
    yield ROOT / "examples/diffie_hellman/attested.xml"
    yield ROOT / "examples/attestation/two-enclaves.xml"


@pytest.mark.parametrize(
    "deployment", list(deployments()), ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_an_enclave_trusts_few_lines(deployment: Path, tmp_path: Path) -> None:
    """What `eactors build` prints of each image; printed with ``pytest -rP``."""
    source = deployment.with_name(f"{deployment.parent.name}.py")
    made = report(build_folder(plan_of(source, deployment, ()), tmp_path / "built", notice=lambda _: None))
    for image in made.images:
        if image.measurement is not None:
            count = image.origins["eactors"].lines
            print(f"{image.title} trusts {count} lines of eactors")  # noqa: T201
            assert 1000 < count <= MOST


def test_no_trusted_file_is_long() -> None:
    """One noun per file."""
    folders = (ROOT / "native", ROOT / "src/eactors/_native")
    files = [*framework.trusted_files(), *(file for folder in folders for file in folder.glob("*.[ch]"))]
    for file in files:
        assert len(file.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE, file
