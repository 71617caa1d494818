"""Two users of one machine, who share nothing but the source, build the same images."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from cryptography.hazmat.primitives import serialization
from tests.conftest import COMMAND, deployment_of
from tests.keys import key

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = """
import json
import random
from eactors import Actor, Connector
import msgspec
from helper import NAMES

class Order(msgspec.Struct):
    name: str
    tags: set[str]

class Alice(Actor):
    bob = Connector("Bob", message=Order)
    def constructor(self):
        tags = {"small", "red", "round", "cheap"}
        self.bob.send(Order(random.choice(NAMES), tags))

class Bob(Actor):
    alice = Connector("Alice", message=Order)
    @alice.on_message
    def got(self, cargo):
        print(json.dumps(sorted(cargo.message.tags)))
        self.exit()
"""
HELPER = 'NAMES = tuple({"Grünkohl", "épinards", "leek"} | frozenset(("rice", "peas")))\n'
SETTINGS = '<key name="alice" file="alice.pem"/><enclave-settings enclave="1" signer="alice"/>'


class User(NamedTuple):
    """Another user, and all that may differ between two people.

    Attributes:
        id: Of the user and of its group; that it has a name is not needed.
        mask: What its files are not.
        age: When its copies were made.
    """

    id: int
    zone: str
    locale: str
    mask: int
    age: int
    private: bool


USERS = (
    User(65534, "Asia/Tokyo", "C", 0o077, 86_400, private=True),
    User(4711, "America/St_Johns", "C.UTF-8", 0o002, 1_700_000_000, private=False),
)


def write(folder: Path, user: User) -> None:
    """Give a user copies of the source, in a folder of its own."""
    folder.mkdir(parents=True)
    pem, secret = serialization.Encoding.PEM, key("alice")
    files = {
        "app.py": SOURCE.encode(),
        "helper.py": HELPER.encode(),
        "app.xml": deployment_of("Alice:1 | Bob:2", SETTINGS).encode(),
        # One is the signer, the other only wants to know what it is that was signed.
        "alice.pem": secret.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        if user.private
        else secret.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o666 & ~user.mask if name != "alice.pem" else 0o600)
        os.utime(folder / name, (user.age, user.age))
    for path in (folder, *folder.iterdir()):
        os.chown(path, user.id, user.id)


def as_user(user: User, *command: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command as this user, in its own surroundings.

    The interpreter of these tests may lie where only root looks. That is no part of what is tested,
    so the user may read whatever there is; it still writes, and is, only itself.
    """
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("there is no setpriv to become another user with")
    caps = ("--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search")
    become = (f"--reuid={user.id}", f"--regid={user.id}", "--clear-groups", *caps, "--bounding-set=+all")
    return subprocess.run(
        [setpriv, *become, *command],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "USER": f"user{user.id}",
            "TZ": user.zone,
            "LC_ALL": user.locale,
            "LANG": user.locale,
            "TMPDIR": str(folder),
            "XDG_STATE_HOME": str(folder / "state"),
        },
        umask=user.mask,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that others may pass through; those of pytest are for its own user alone."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become two other users")
def test_two_users_build_the_same_images(open_folder: Path) -> None:
    """With another user id, home, folder, time zone, locale, mask, and other file times and modes."""
    made = []
    for number, user in enumerate(USERS):
        home = open_folder / f"home{number}"
        folder = home / ("deep/down" if number else "work")
        write(folder, user)
        who = as_user(
            user, sys.executable, "-c", "import os, time; print(os.getresuid(), time.tzname)", folder=folder
        )
        assert who.stdout.startswith(str((user.id,) * 3)), who.stderr
        done = as_user(user, COMMAND, "build", "app.py", "app.xml", "-o", "built", folder=folder)
        assert done.returncode == 0, done.stderr
        built = folder / "built"
        assert {path.stat().st_uid for path in built.rglob("*")} == {user.id}
        measured = [
            as_user(user, COMMAND, "measure", built / name, folder=folder).stdout
            for name in ("enclave-1", "enclave-2")
        ]
        assert all(len(each.strip()) >= 64 for each in measured)
        files = {
            str(path.relative_to(built)): path.read_bytes()
            for path in built.rglob("*")
            if path.is_file()
            and path.name not in ("sigstruct.bin", "deployment.json")
            and "signatures" not in path.parts
        }
        made.append((measured, files))
    (one, files), (other, others) = made
    assert one == other
    assert files.keys() == others.keys()
    # All of it, not only what is measured: the untrusted side and the manifest, too.
    assert [name for name, content in files.items() if others[name] != content] == []
    assert len(json.loads(files["manifest.json"])["enclaves"]) == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_source_measures_otherwise(open_folder: Path) -> None:
    """The control: one number in what only Bob does changes his image, and not Alice's."""
    made = []
    for number, changed in enumerate(("", "0")):
        folder = open_folder / f"home{number}"
        write(folder, USERS[number])
        source = folder / "app.py"
        source.write_text(SOURCE.replace("self.exit()", f"self.exit({changed})"))
        done = as_user(USERS[number], COMMAND, "build", "app.py", "app.xml", "-o", "built", folder=folder)
        assert done.returncode == 0, done.stderr
        made.append([(folder / f"built/enclave-{enclave}/image.json").read_bytes() for enclave in (1, 2)])
    assert made[0][0] == made[1][0]
    assert made[0][1] != made[1][1]
