"""Built deployments that are damaged, each in one place: refused by its name, with what to do."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from tests.conftest import COMMAND, App, environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Damage = Callable[[Path], object]

READER = """
class Reader(Actor):
    pong = Connector("Pong")
    def constructor(self):
        print(len(self.provisioned or b""))
        self.exit()

class Pong(Actor):
    reader = Connector("Reader")
"""


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A deployment as it was built: Reader in enclave 1 takes a file, Pong in enclave 2 takes none."""
    app = App(tmp_path_factory.mktemp("honest"))
    app.write(READER, "Reader:1 | Pong:2")
    done = app.run("-o", "built", command="build")
    assert done.returncode == 0, done.stderr
    return app.folder / "built"


@pytest.fixture
def built(honest: Path, tmp_path: Path) -> Path:
    """A copy of it, to damage."""
    shutil.copytree(honest, tmp_path / "built")
    (tmp_path / "numbers.csv").write_text("top secret\n")
    return tmp_path / "built"


def eactors(built: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command beside it."""
    done = subprocess.run(
        [COMMAND, *arguments],
        cwd=built.parent,
        env=environment(built.parent),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert "top secret" not in done.stdout + done.stderr
    return done


def provision(built: Path, actor: str = "Reader") -> subprocess.CompletedProcess[str]:
    """Give an actor the file."""
    return eactors(built, "provision", "numbers.csv", "built", "--to", actor, "--allow-debug")


def test_nothing_is_wrong_with_what_is_not_damaged(built: Path) -> None:
    """The control."""
    assert provision(built).returncode == 0
    assert eactors(built, "verify", "built").returncode == 0
    done = eactors(built, "run", "built")
    assert (done.returncode, done.stdout) == (0, "11\n")


def wrote(name: str, content: str) -> Damage:
    """Damage a file."""
    return lambda folder: (folder / name).write_text(content)


DAMAGED: dict[str, tuple[Damage, str]] = {
    "a manifest that is no JSON": (wrote("manifest.json", "{"), "manifest.json is damaged"),
    "a manifest that is none": (wrote("manifest.json", "[1, 2]"), "manifest.json is damaged"),
    "a manifest with an enclave that is none": (
        wrote("manifest.json", '{"enclaves": [7]}'),
        "manifest.json is damaged",
    ),
    "a manifest of nothing": (
        wrote("manifest.json", '{"enclaves": [{"enclave": 1}]}'),
        "the manifest says None, and the image has",
    ),
    "no manifest": (lambda folder: (folder / "manifest.json").unlink(), "manifest.json cannot be read"),
    "a plan that is no JSON": (wrote("enclave-1/plan.json", "{"), "enclave-1: plan.json was changed"),
    "no plan": (lambda folder: (folder / "enclave-1/plan.json").unlink(), "enclave-1: plan.json is missing"),
    "a description that is no JSON": (wrote("enclave-1/image.json", "{"), "enclave-1: image.json is damaged"),
    "no image": (lambda folder: shutil.rmtree(folder / "enclave-1"), "enclave-1 is no image"),
    "no description": (wrote("deployment.json", "{"), "deployment.json is damaged"),
}


@pytest.mark.parametrize("what", DAMAGED)
def test_whatever_is_damaged_is_named(built: Path, what: str) -> None:
    """By verify, by run, which may find another thing wrong with it, and by who would give it a file."""
    damage, words = DAMAGED[what]
    damage(built)
    verified = eactors(built, "verify", "built")
    assert verified.returncode in (1, 2)
    assert words in verified.stdout + verified.stderr
    for done in (eactors(built, "run", "built"), provision(built)):
        assert done.returncode in (1, 2)
        assert done.stdout == ""
        assert "error: " in done.stderr
        assert "hint: " in done.stderr
    assert not (built / "provisioned").exists()


def test_a_manifest_of_a_stranger(built: Path) -> None:
    """Who refuses it is named: the application has ended before the other one may have said so, too."""
    assert eactors(built, "key", "new", "eve.pem").returncode == 0
    shutil.rmtree(built / "signatures")
    assert eactors(built, "sign", "built", "eve.pem").returncode == 0
    done = eactors(built, "run", "built")
    assert (done.returncode, done.stdout) == (1, "")
    words = "does not start: ManifestRejected: the manifest lacks the signature of owner"
    assert any(f"error: enclave {enclave} {words}" in done.stderr for enclave in (1, 2))
    assert "hint: have each of them sign this very manifest" in done.stderr


def test_a_file_for_an_actor_that_reads_none(built: Path) -> None:
    """Its image has nothing to read it with; the hint says how it would."""
    done = provision(built, "Pong")
    assert (done.returncode, done.stdout) == (2, "")
    assert "error: actor 'Pong' takes no file: nothing in enclave-2 reads self.provisioned" in done.stderr
    assert "hint: read self.provisioned in the actor, and build again" in done.stderr


def test_a_file_that_is_not_there(built: Path) -> None:
    """Named, before an enclave is started."""
    (built.parent / "numbers.csv").unlink()
    done = provision(built)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: cannot read numbers.csv: No such file or directory\nhint: ")


def test_a_key_where_no_folder_is(built: Path) -> None:
    """Nothing is made on the way."""
    done = eactors(built, "key", "new", "nowhere/key.pem")
    assert (done.returncode, done.stdout) == (2, "")
    assert "error: the key nowhere/key.pem cannot be written: No such file" in done.stderr
    assert "hint: " in done.stderr
    assert not (built.parent / "nowhere").exists()
