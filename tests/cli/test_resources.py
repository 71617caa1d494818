"""Resources: files beside the source that an image has, measured like its code."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
from tests.conftest import COMMAND, environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import App

READER = """
from eactors.resources import read_resource, resource_names
class Reader(Actor):
    resources = ("site/*", "notes.txt")

    def constructor(self):
        for name in resource_names():
            print(name, read_resource(name).decode())
        print(resource_names("site/"))

    def body(self):
        try:
            read_resource("notes.txt")
        except SandboxViolation as error:
            print(error.hint)
        self.stop()

class Other(Actor):
    def constructor(self):
        try:
            read_resource("notes.txt")
        except LookupError as error:
            print(error)
    def body(self):
        self.stop()
"""


@pytest.fixture
def reader(app: App) -> App:
    """An application with two resources, and what matches no pattern."""
    (app.folder / "site").mkdir()
    (app.folder / "site" / "index.html").write_text("<p>hello</p>", encoding="utf-8")
    (app.folder / "notes.txt").write_text("remember", encoding="utf-8")
    (app.folder / "secret.txt").write_text("never in an image", encoding="utf-8")
    return app.write(READER, "Reader:1 | Other:2")


def image(folder: Path, number: int) -> dict[str, dict[str, str]]:
    """Return the files of a built image."""
    files = json.loads((folder / f"built/enclave-{number}/image.json").read_bytes())["files"]
    assert isinstance(files, dict)
    return files


def test_an_actor_reads_what_it_declares(reader: App) -> None:
    """In the constructor; afterwards there are no files, and an enclave of others has none at all."""
    done = reader.run()
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(done.stdout.splitlines()) == sorted(
        [
            "notes.txt remember",
            "site/index.html <p>hello</p>",
            "('site/index.html',)",
            "read it in constructor(), and keep it",
            "this enclave has no resource 'notes.txt'",
        ]
    )


def test_the_untrusted_side_reads_them_too(reader: App) -> None:
    """Code does not depend on where it is placed; only that nobody keeps it from reading later."""
    reader.write(READER, "Reader:0")
    done = reader.run()
    assert (done.returncode, done.stderr) == (0, "")
    assert "site/index.html <p>hello</p>" in done.stdout


def test_they_are_measured_and_shown(reader: App) -> None:
    """Another content is another measurement; only whose actors declare them has them."""
    built = reader.run("-o", "built", command="build")
    assert built.returncode == 0, built.stderr
    assert {"resources/site/index.html", "resources/notes.txt"} == {
        name for name in image(reader.folder, 1) if name.startswith("resources/")
    }
    assert not any(name.startswith("resources/") for name in image(reader.folder, 2))
    row = next(line.split() for line in built.stdout.splitlines() if "resources" in line)
    assert row == ["resources", "2", "20", "0"]
    before = built.stdout.split("measurement ")[1].split()[0]
    (reader.folder / "notes.txt").write_text("remembeR", encoding="utf-8")
    again = reader.run("-o", "built", "--force", command="build")
    assert again.stdout.split("measurement ")[1].split()[0] != before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("changed", "resources/notes.txt was changed after the image was built"),
        ("missing", "resources/notes.txt is missing"),
        ("added", "resources/more.txt was added after the image was built"),
    ],
)
def test_one_that_was_changed_is_refused_by_name(reader: App, change: str, words: str) -> None:
    """By the processor, before the enclave starts."""
    assert reader.run("-o", "built", command="build").returncode == 0
    folder = reader.folder / "built/enclave-1/resources"
    if change == "changed":
        (folder / "notes.txt").write_text("forget!!", encoding="utf-8")
    elif change == "missing":
        (folder / "notes.txt").unlink()
    else:
        (folder / "more.txt").write_text("more", encoding="utf-8")
    done = subprocess.run(
        [COMMAND, "run", "built"],
        cwd=reader.folder,
        env=environment(reader.temporary),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert words in done.stderr


@pytest.mark.parametrize(
    ("patterns", "error"),
    [
        ('("nothing/*",)', "Reader.resources: 'nothing/*' is no file in "),
        ('("../*",)', "Reader.resources: '../*' leads out of the source's folder"),
        ('("/etc/passwd",)', "Reader.resources: '/etc/passwd' leads out of the source's folder"),
        ('("link",)', "Reader.resources: 'link': link is a link that leads out of "),
        ('"site/*"', "Reader.resources is 'site/*', and not a tuple of strings"),
    ],
)
def test_a_wrong_pattern_is_refused(reader: App, patterns: str, error: str) -> None:
    """An image holds what whoever builds it again has, too."""
    (reader.folder / "link").symlink_to("/etc/passwd")
    reader.write(READER.replace('("site/*", "notes.txt")', patterns), "Reader:1")
    done = reader.run()
    assert (done.returncode, done.stdout) == (2, "")
    assert f"error: {error}" in done.stderr
    assert "hint: " in done.stderr
