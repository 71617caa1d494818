"""The example object_store, run as a user runs it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import NOTICE

EXAMPLE = Path(__file__).parents[2] / "examples" / "object_store"
EACTORS = Path(sys.executable).with_name("eactors")
FOUND = "".join(
    f"reader{number} has found 2000 elements, and one less after it took one\n" for number in (1, 2, 3)
)
OBJECTS = f"{FOUND}1997 elements are left\n"
BANK = "4 tellers have done their transfers, and the bank has 1000\n"


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """A copy, for a persistent store lies beside its deployment."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "object_store"))


def run(folder: Path, source: str, deployment: str) -> subprocess.CompletedProcess[str]:
    """Run the example."""
    return subprocess.run(
        [EACTORS, "run", source, deployment],
        cwd=folder,
        text=True,
        capture_output=True,
        timeout=100,
        check=False,
    )


@pytest.mark.parametrize("deployment", sorted(EXAMPLE.glob("objects-*.xml")), ids=lambda path: path.stem)
def test_every_reader_finds_everything_wherever_the_store_is(example: Path, deployment: Path) -> None:
    """Whether it is private or public, encrypted or not, in memory or in a file."""
    done = run(example, "objects.py", deployment.name)
    assert (done.returncode, done.stdout) == (0, OBJECTS)
    assert done.stderr.replace(NOTICE, "") == ""


@pytest.mark.parametrize("deployment", sorted(EXAMPLE.glob("bank-*.xml")), ids=lambda path: path.stem)
def test_the_bank_has_all_its_money(example: Path, deployment: Path) -> None:
    """Also when the enclave of a teller has ended in the middle of a transfer."""
    done = run(example, "bank.py", deployment.name)
    assert (done.returncode, done.stdout) == (0, BANK)
    assert ("Accident" in done.stderr) == (deployment.stem == "bank-accident")
