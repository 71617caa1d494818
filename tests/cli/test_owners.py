"""Several owners of one deployment: all must have signed it, and the same."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import deployment_of, environment

EACTORS = Path(sys.executable).with_name("eactors")
SOURCE = """
from eactors import Actor, Connector

class Alice(Actor):
    bob = Connector("Bob")
    def constructor(self):
        self.bob.send(b"hello")

class Bob(Actor):
    alice = Connector("Alice")
    @alice.on_message
    def got(self, cargo):
        print(cargo.data.decode())
        self.exit()
"""
SETTINGS = (
    '<key name="alice" file="{alice}"/><key name="bob" file="{bob}"/>'
    '<enclave-settings enclave="1" name="bank" signer="alice"/>'
    '<enclave-settings enclave="2" name="vault" signer="bob"/>'
)


class Owner:
    """One owner's machine: a folder with the source, keys, and a deployment that names them."""

    def __init__(self, folder: Path, alice: str, bob: str) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "app.py").write_text(SOURCE)
        extra = SETTINGS.format(alice=alice, bob=bob)
        (folder / "app.xml").write_text(deployment_of("Alice:1 | Bob:2", extra))

    def eactors(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command there."""
        return subprocess.run(
            [EACTORS, *arguments],
            cwd=self.folder,
            env=environment(self.folder),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )


@pytest.fixture(scope="module")
def owners(tmp_path_factory: pytest.TempPathFactory) -> tuple[Owner, Owner]:
    """Alice and Bob, who have given each other their public keys; Alice has built."""
    home = tmp_path_factory.mktemp("owners")
    alice = Owner(home / "alice", "alice.pem", "bob.pub")
    bob = Owner(home / "bob", "alice.pub", "bob.pem")
    for owner, other, name in ((alice, bob, "alice"), (bob, alice, "bob")):
        assert owner.eactors("key", "new", f"{name}.pem").returncode == 0
        (other.folder / f"{name}.pub").write_text(owner.eactors("key", "public", f"{name}.pem").stdout)
        assert (owner.folder / f"{name}.pem").stat().st_mode & 0o777 == 0o600
    assert alice.eactors("build", "app.py", "app.xml", "-o", "built").returncode == 0
    return alice, bob


def measurements(owner: Owner, folder: str) -> list[str]:
    """Both images' measurements."""
    return [owner.eactors("measure", f"{folder}/enclave-{enclave}").stdout for enclave in (1, 2)]


def test_the_same_source_measures_the_same_for_both(owners: tuple[Owner, Owner]) -> None:
    """In other folders, with the one's private key and the other's."""
    alice, bob = owners
    assert bob.eactors("build", "app.py", "app.xml", "-o", "mine").returncode == 0
    assert measurements(bob, "mine") == measurements(alice, "built")
    manifests = [folder / "manifest.json" for folder in (alice.folder / "built", bob.folder / "mine")]
    assert manifests[0].read_bytes() == manifests[1].read_bytes()


def test_one_signature_of_two_does_not_do(owners: tuple[Owner, Owner]) -> None:
    """Neither the image that lacks its signer's, nor the manifest; then Bob signs, and it runs."""
    alice, bob = owners
    shutil.copytree(alice.folder / "built", bob.folder / "theirs")
    done = bob.eactors("run", "theirs")
    assert (done.returncode, done.stdout) == (2, "")
    assert "is not signed" in done.stderr
    verified = bob.eactors("verify", "theirs")
    assert verified.returncode == 1
    assert verified.stdout.count("wrong") == 2

    # Signed as an image, but not yet as the manifest's owner.
    assert bob.eactors("sign", "theirs", "bob.pem").returncode == 0
    signature = next(
        file
        for file in (bob.folder / "theirs/signatures").iterdir()
        if json.loads(file.read_text())["key"] == (alice.folder / "bob.pub").read_text()
    )
    content = signature.read_bytes()
    signature.unlink()
    done = bob.eactors("run", "theirs")
    assert (done.returncode, done.stdout) == (1, "")
    assert f"ManifestRejected: the manifest lacks the signature of owner {signature.stem}" in done.stderr

    signature.write_bytes(content)
    done = bob.eactors("run", "theirs")
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello\n", "")
    assert bob.eactors("verify", "theirs").returncode == 0


def test_owners_of_two_manifests_do_not_agree(owners: tuple[Owner, Owner]) -> None:
    """Bob has built another source; his signature is for that, and is told apart."""
    alice, bob = owners
    (bob.folder / "other.py").write_text(SOURCE.replace("hello", "bye"))
    assert bob.eactors("build", "other.py", "app.xml", "-o", "other").returncode == 0
    shutil.copytree(alice.folder / "built", bob.folder / "mixed")
    for file in (bob.folder / "other/signatures").iterdir():
        shutil.copy(file, bob.folder / "mixed/signatures")
    done = bob.eactors("verify", "mixed")
    assert done.returncode == 1
    assert "signature is for another manifest" in done.stdout
    # His image he signs; what stands under the manifest is still the other signature.
    assert bob.eactors("sign", "mixed", "bob.pem").returncode == 0
    signature = next((bob.folder / "other/signatures").iterdir())
    shutil.copy(signature, bob.folder / "mixed/signatures")
    done = bob.eactors("run", "mixed")
    assert (done.returncode, done.stdout) == (1, "")
    assert f"ManifestRejected: owner {signature.stem} signed another manifest than this one, " in done.stderr
    assert "hint: have each of them sign this very manifest" in done.stderr


def test_a_stranger_s_signature_is_worth_nothing(owners: tuple[Owner, Owner]) -> None:
    """It neither helps nor harms; verify names it."""
    _, bob = owners
    assert bob.eactors("key", "new", "eve.pem").returncode == 0
    shutil.copytree(bob.folder / "mine", bob.folder / "eve")
    assert bob.eactors("sign", "eve", "eve.pem").returncode == 0
    done = bob.eactors("verify", "eve")
    assert "no image names this owner" in done.stdout
    assert bob.eactors("run", "eve").returncode != 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "No such file"),
        ("nonsense", "holds no public key in PEM"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "holds no private key in PEM"),
    ],
)
def test_a_key_file_that_is_none(tmp_path: Path, content: str | None, words: str) -> None:
    """Named, with the command that makes one."""
    owner = Owner(tmp_path / "owner", "alice.pem", "bob.pem")
    if content is not None:
        (owner.folder / "alice.pem").write_text(content)
    done = owner.eactors("build", "app.py", "app.xml", "-o", "built")
    assert (done.returncode, done.stdout) == (2, "")
    assert "alice.pem" in done.stderr
    assert words in done.stderr
    assert "eactors key new" in done.stderr
    assert not (owner.folder / "built").exists() or not list((owner.folder / "built").iterdir())


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    """Whoever loses a key loses all that was sealed to it."""
    owner = Owner(tmp_path / "owner", "a", "b")
    (owner.folder / "old.pem").write_text("precious")
    done = owner.eactors("key", "new", "old.pem")
    assert done.returncode == 2
    assert "a key is never overwritten" in done.stderr
    assert (owner.folder / "old.pem").read_text() == "precious"


@pytest.mark.parametrize("how", ["changed", "missing", "added"])
def test_an_image_is_refused_by_the_name_of_its_file(
    owners: tuple[Owner, Owner], how: str, tmp_path: Path
) -> None:
    """By run, verify and measure alike, before anything of it runs."""
    alice, _ = owners
    built = tmp_path / "built"
    shutil.copytree(alice.folder / "built", built)
    file = built / "enclave-1/app/app.py"
    if how == "missing":
        file.unlink()
    else:
        target = file if how == "changed" else file.with_name("extra.py")
        target.write_text((target.read_text() if target.exists() else "") + "print('pwned')\n")
    name = "app/extra.py" if how == "added" else "app/app.py"
    for command, stream in (("run", "stderr"), ("verify", "stdout")):
        done = alice.eactors(command, str(built))
        assert done.returncode != 0
        assert name in getattr(done, stream)
        assert "pwned" not in done.stdout
    assert name in alice.eactors("measure", str(built / "enclave-1")).stderr


def test_the_build_says_what_is_in_an_image_and_what_is_not(
    owners: tuple[Owner, Owner], tmp_path: Path
) -> None:
    """For scripts; and a folder in use is not overwritten."""
    alice, _ = owners
    done = alice.eactors("build", "app.py", "app.xml", "-o", str(tmp_path / "built"), "--json")
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    bank, vault = report["images"]
    assert bank["left_out"] == ["app.Bob"]
    assert vault["left_out"] == ["app.Alice"]
    assert bank["signed"]
    assert not vault["signed"]
    assert report["signatures"] == {"alice": True, "bob": False}
    assert bank["origins"]["application"]["lines"] == 5
    again = alice.eactors("build", "app.py", "app.xml", "-o", str(tmp_path / "built"))
    assert again.returncode == 2
    assert "exists and is not empty" in again.stderr
