"""Where the files of a run lie, and that none of them stays there."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.conftest import App, Command, environment

from eactors.host import workspace
from eactors.host.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

SAYS = """
class Lasting(Actor):
    other = Connector("Other")
    def constructor(self):
        print(sys.argv[0])

class Other(Actor):
    lasting = Connector("Lasting")
"""


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Nobody says where files go, and `tempfile` does not remember where they went; memory is a folder."""
    for name in ("TMPDIR", "TEMP", "TMP"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr(workspace, "SHARED_MEMORY", tmp_path)
    monkeypatch.setattr(workspace, "ROOM", 1)
    yield
    monkeypatch.setattr("tempfile.tempdir", None)


def test_in_memory(tmp_path: Path) -> None:
    """If nobody says otherwise."""
    assert Workspace().folder.parent == tmp_path


def test_where_the_user_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much room there is in memory."""
    (tmp_path / "here").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "here"))
    assert Workspace().folder.parent == tmp_path / "here"


def test_memory_without_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in many containers."""
    monkeypatch.setattr(workspace, "ROOM", 1 << 62)
    assert Workspace().folder.parent == Path("/tmp") != tmp_path


def test_memory_that_nothing_may_be_executed_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on hardened machines."""
    found = os.statvfs(tmp_path)
    forbidding = os.statvfs_result((*found[:8], found.f_flag | os.ST_NOEXEC, *found[9:]))
    monkeypatch.setattr("os.statvfs", lambda _: forbidding)
    assert Workspace().folder.parent == Path("/tmp")


def test_no_memory_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it can be used is not asked of a file that is not there."""
    monkeypatch.setattr(workspace, "SHARED_MEMORY", tmp_path / "missing")
    assert Workspace().folder.parent == Path("/tmp")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_stays_in_memory(app: App, number: signal.Signals) -> None:
    """When it is interrupted, and when it is killed without warning."""
    app.write(SAYS, "Lasting:1 | Other:2")
    variables = environment(app.temporary)
    del variables["TMPDIR"]
    process: Command = app.start(variables=variables)
    assert process.stdout is not None
    folder = Path(process.stdout.readline()).parent
    assert folder.name.startswith("eactors-")
    assert folder.exists()
    process.send_signal(number)
    process.communicate(timeout=20)
    assert app.wait_until(lambda: not folder.exists())
