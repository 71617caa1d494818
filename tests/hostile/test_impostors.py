"""A host that starts the wrong enclave, or the right one twice, or hands out other manifests; for real."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import serialization
from tests.conftest import COMMAND, App, environment
from tests.handshakes import ROOT
from tests.impostors import SOURCE
from tests.keys import key

from eactors.build.canonical import canonical
from eactors.build.signing import sign_manifest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Change = Callable[[dict[str, Any]], object]

EVERYTHING = {"bob": "is constructed", "pay": "got pay", "order": "got order", "friend": "got friend"}


def hold_of(built: Path) -> Path:
    """Return the FIFO that holds Bob."""
    return built.parent / "hold"


def build(folder: Path, owner: str, source: str = SOURCE) -> Path:
    """Build the application as an owner would: all for production, but enclave 2 for debugging."""
    folder.mkdir()
    app = App(folder)
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    secret = folder / "owner.pem"
    secret.write_bytes(key(owner).private_bytes(pem, pkcs8, serialization.NoEncryption()))
    secret.chmod(0o600)
    settings = "".join(
        f'<enclave-settings enclave="{enclave}" signer="owner" debug="{debug}"/>'
        for enclave, debug in ((1, "no"), (2, "yes"), (3, "no"))
    )
    os.mkfifo(folder / "hold")
    held = f'<param actor="Bob" name="hold">{folder / "hold"}</param>'
    app.write(source, "Alice:1 | Bob:2 | Carol:3", f'<key name="owner" file="owner.pem"/>{settings}{held}')
    done = app.run("-o", str(folder / "built"), command="build")
    assert done.returncode == 0, done.stderr
    return folder / "built"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The application of its owner."""
    return build(tmp_path_factory.mktemp("impostors") / "alice", "alice")


def signed(built: Path, folder: Path, change: Change, owner: str = "alice") -> Path:
    """Return the same deployment with another manifest, which an owner has signed."""
    shutil.copytree(built, folder)
    fields = json.loads((folder / "manifest.json").read_bytes())
    change(fields)
    (folder / "manifest.json").write_bytes(canonical(fields))
    shutil.rmtree(folder / "signatures")
    sign_manifest(folder, key(owner))
    return folder


def run(built: Path, other: Path, how: str, hold: Path) -> tuple[dict[str, str], int, list[str]]:
    """Run it under such a host; what is said of Bob and each channel, the status, and the failures."""
    temporary = other.parent / "temporary"
    temporary.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "tests.impostors", built, other, how, hold],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment(temporary),
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stderr.splitlines()[-1])
    return heard(done.stdout), told["status"], told["failures"]


def heard(output: str) -> dict[str, str]:
    """What is said, by whom or what it is said of."""
    return dict(line.split(" ", 1) for line in output.splitlines())


def test_an_enclave_of_the_same_measurement_answers_for_another_channel(built: Path) -> None:
    """It is the enclave of the manifest, started twice: what it means is another channel."""
    said, status, failures = run(built, built, "pay", hold_of(built))
    assert said.pop("order").startswith(
        "lost ChannelBroken Bob actor 'Alice': the channel 'order' to 'Bob' is broken: the key exchange"
        " failed: the report of enclave 2 does not cover this exchange, but another public key, another"
    )
    assert said == {name: EVERYTHING[name] for name in ("bob", "pay", "friend")}
    assert (status, failures) == (3, [])


def test_an_enclave_of_the_same_measurement_answers_for_the_same_channel(built: Path) -> None:
    """The control, and what the threat model says of clones: a channel is with whichever was asked."""
    assert run(built, built, "order", hold_of(built)) == (EVERYTHING, 3, [])


def refused(said: dict[str, str], words: str) -> None:
    """Alice has lost what she shares with Bob, for this reason, and nothing else."""
    for channel in ("pay", "order"):
        named = f"actor 'Alice': the channel '{channel}' to 'Bob' is broken: the key exchange failed: "
        assert said[channel].startswith(f"lost ChannelBroken Bob {named}")
        assert words in said[channel]
    assert said["friend"] == EVERYTHING["friend"]


def two(name: str, value: str | int) -> Change:
    """Change what a manifest says of enclave 2."""
    return lambda fields: fields["enclaves"][1].update({name: value})


PRODUCTION = two("debug", value=False)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            PRODUCTION,
            "what answers for enclave 2 is a debug enclave and the manifest says it is not",
        ),
        (
            two("platform", "gramine"),
            "what answers for enclave 2 is a simulated enclave and the manifest says it is not",
        ),
        (two("security_version", 1), "enclave 2 has security version 0 but the manifest says 1"),
        (
            lambda fields: fields.update(application="x"),
            "but another public key, another channel, another man",
        ),
    ],
    ids=["debug", "simulated", "old", "other"],
)
def test_two_manifests_of_the_same_owner(built: Path, tmp_path: Path, change: Change, words: str) -> None:
    """Alice has the one that forbids what enclave 2 is; Bob's allows it, so that he plays along."""
    said, status, failures = run(built, signed(built, tmp_path / "other", change), "manifest", hold_of(built))
    refused(said, words)
    assert (status, failures) == (3, [])


def test_one_manifest_of_the_owner(built: Path, tmp_path: Path) -> None:
    """The control: signed anew in the same way, with nothing changed that matters to Alice."""
    other = signed(built, tmp_path / "other", lambda _: None)
    assert run(built, other, "manifest", hold_of(built)) == (EVERYTHING, 3, [])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (PRODUCTION, "it is a debug enclave and the manifest says it is not"),
        (two("platform", "gramine"), "it is a simulated enclave and the manifest says it is not"),
    ],
    ids=["debug", "simulated"],
)
def test_an_enclave_that_its_own_manifest_forbids(
    built: Path, tmp_path: Path, change: Change, words: str
) -> None:
    """It refuses itself, before an actor is constructed."""
    done = subprocess.run(
        [COMMAND, "run", signed(built, tmp_path / "other", change)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment(tmp_path),
    )
    assert done.returncode == 1
    # The other two may have talked until the launcher heard of it; he has not lived, so nobody has lost him.
    assert heard(done.stdout).keys().isdisjoint({"bob", "pay", "order"})
    assert f"ManifestRejected: this is not enclave 2 of the manifest: {words}" in done.stderr


def test_an_enclave_of_the_host_s_own(built: Path, tmp_path: Path) -> None:
    """The host builds Bob with other code, signs him and a manifest in which Alice is the real one."""
    own = build(tmp_path / "eve", "bob", SOURCE.replace('send(b"pay")', 'send(b"evil")'))
    genuine = json.loads((built / "manifest.json").read_bytes())["enclaves"]

    def forged(fields: dict[str, Any]) -> None:
        fields["enclaves"] = [genuine[0], fields["enclaves"][1], genuine[2]]

    theirs = signed(own, tmp_path / "theirs", forged, "bob")
    for name in ("enclave-1", "enclave-3"):
        shutil.rmtree(theirs / name)
        shutil.copytree(built / name, theirs / name)
    said, status, failures = run(theirs, built, "manifest", hold_of(own))
    refused(said, "what answers for enclave 2 has measurement")
    assert (status, failures) == (3, [])
    # The control: all that was missing is that everyone's owner is the host.
    assert run(own, own, "manifest", hold_of(own)) == (EVERYTHING | {"pay": "got evil"}, 3, [])
