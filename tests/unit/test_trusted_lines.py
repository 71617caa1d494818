"""How many lines an enclave trusts, and that there do not come to be many more."""

from __future__ import annotations

from pathlib import Path

import pytest

import eactors
from eactors.build import framework
from eactors.build.builder import build_folder
from eactors.build.report import report
from eactors.cli.files import plan_of

ROOT = Path(__file__).parents[2]
PACKAGE = Path(eactors.__file__).parent
MOST = 3500
"""Lines of Python and C without blanks, comments, docstrings and what is only for type checkers."""
MOST_WITH_SERVICES = 5350
"""In an enclave that holds clients of system actors, asyncio or a web framework, since it uses them."""
LONGEST_FILE = 400


BARE = ("attestation", "diffie_hellman", "pingpong", "pingpong2", "smc", "tripong")
SERVED = ("https", "spawn", "tcp_echo", "tls_echo")


def deployments(examples: tuple[str, ...]) -> list[Path]:
    """All deployments of these examples."""
    return [
        deployment for name in examples for deployment in sorted((ROOT / "examples" / name).glob("*.xml"))
    ]


def lines_of(deployment: Path, built: Path) -> dict[str, int]:
    """What `eactors build` prints of each image; printed with ``pytest -rP``."""
    source = deployment.with_name(f"{deployment.parent.name}.py")
    made = report(build_folder(plan_of(source, deployment, ()), built, notice=lambda _: None))
    counts = {
        image.title: image.origins["eactors"].lines for image in made.images if image.measurement is not None
    }
    for title, count in counts.items():
        print(f"{title} trusts {count} lines of eactors")  # noqa: T201
    return counts


@pytest.mark.parametrize("deployment", deployments(BARE), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_an_enclave_trusts_few_lines(deployment: Path, tmp_path: Path) -> None:
    """Whatever its channels, keys and workers are."""
    for count in lines_of(deployment, tmp_path / "built").values():
        assert 1000 < count <= MOST


@pytest.mark.parametrize(
    "deployment", deployments(SERVED), ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_an_enclave_with_services_trusts_only_what_it_uses(deployment: Path, tmp_path: Path) -> None:
    """More, but within a bound."""
    for count in lines_of(deployment, tmp_path / "built").values():
        assert 1000 < count <= MOST_WITH_SERVICES


def test_no_trusted_file_is_long() -> None:
    """One noun per file."""
    folders = (ROOT / "native", ROOT / "src/eactors/_native")
    files = [*framework.trusted_files(), *(file for folder in folders for file in folder.glob("*.[ch]"))]
    for file in files:
        assert len(file.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE, file
