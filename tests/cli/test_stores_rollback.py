"""Stores that detect rollbacks, in running applications whose host keeps old copies of them."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.conftest import App

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Command

ONCE = """
class Keep(Actor):
    memory = Store("memory")

    def constructor(self):
        print(self.memory.add(b"runs"))
        self.stop()
"""
STAY = """
class Keep(Actor):
    memory = Store("memory")

    def constructor(self):
        print(self.memory.add(b"runs"))

    def body(self):
        print(self.memory.add(b"turns"))
        return 0.1
"""
STORE = '<store name="memory" kind="persistent" file="memory.store" rollback="detect" {}/>'


@pytest.fixture
def other(tmp_path: Path) -> Iterator[App]:
    """The same application on the same machine, in another folder."""
    folder = tmp_path / "other"
    folder.mkdir()
    application = App(folder)
    yield application
    application.end()


def lines(process: Command, count: int) -> list[str]:
    """What it prints next."""
    assert process.stdout is not None
    return [process.stdout.readline().strip() for _ in range(count)]


@pytest.mark.parametrize("key", ["measurement", "signer", "shared"])
def test_an_old_file_put_back_between_runs(app: App, key: str) -> None:
    """The enclave does not start, and says why; with the newest file it does."""
    app.write(ONCE, "Keep:1", STORE.format(f'key="{key}"'))
    file = app.folder / "memory.store"
    copies = []
    for run in range(2):
        assert app.run().stdout == f"{run + 1}\n"
        copies.append(file.read_bytes())
    file.write_bytes(copies[0])
    done = app.run()
    assert (done.returncode, done.stdout) == (1, "")
    assert "error: enclave 1 does not start: RollbackDetected: store 'memory': version " in done.stderr
    assert "hint: use the newest copy" in done.stderr
    file.write_bytes(copies[1])
    assert app.run().stdout == "3\n"


def test_old_bytes_put_back_under_a_running_application(app: App) -> None:
    """Its next use of the store fails."""
    process = app.write(STAY, "Keep:1", STORE.format("")).start()
    assert lines(process, 2) == ["1", "1"]
    file = app.folder / "memory.store"
    old = file.read_bytes()
    root = old[2048:2056]
    assert app.wait_until(lambda: file.read_bytes()[2048:2056] != root)
    with file.open("r+b") as memory:
        memory.write(old)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 1
    assert stderr.count("RollbackDetected: store 'memory' is older than it has been, or has become two") == 1


def test_two_copies_used_at_once(app: App, other: App) -> None:
    """The one that was opened first notices, within a second or so."""
    for application in (app, other):
        application.write(STAY, "Keep:1", STORE.format(""))
    first = app.start()
    assert lines(first, 2) == ["1", "1"]
    shutil.copyfile(app.folder / "memory.store", other.folder / "memory.store")
    second = other.start()
    assert lines(second, 1) == ["2"]
    _, stderr = first.communicate(timeout=20)
    assert first.returncode == 1
    assert "error: actor 'Keep' failed: RollbackDetected: store 'memory': version " in stderr
    assert "or another is in use" in stderr
    assert second.poll() is None


def test_an_application_that_is_killed_starts_again(app: App) -> None:
    """Wherever it was with its counter."""
    app.write(STAY, "Keep:1", STORE.format(""))
    for run in range(4):
        process = app.start()
        assert lines(process, 1 + run)[0] == str(run + 1)
        os.kill(process.pid, signal.SIGKILL)
        assert app.wait_until(lambda launcher=process.pid: not app.left_behind(launcher))  # type: ignore[misc]


def test_a_counter_that_was_deleted(app: App) -> None:
    """The error says what to bring back; when it is there again, all is well."""
    app.write(ONCE, "Keep:1", STORE.format(""))
    assert app.run().returncode == 0
    folder = Path(os.environ["XDG_STATE_HOME"]) / "eactors" / "counters"
    folder.rename(folder.with_name("elsewhere"))
    try:
        done = app.run()
        assert (done.returncode, done.stdout) == (1, "")
        assert "enclave 1 does not start: StoreCounterLost: store 'memory' has made 2 steps, " in done.stderr
        assert "bring back the folder `counters` of that machine's state directory" in done.stderr
    finally:
        folder.with_name("elsewhere").rename(folder)
    assert app.run().stdout == "2\n"


def test_a_public_store(app: App) -> None:
    """Its counter is advanced without any sync, by enclaves that do not disturb each other."""
    source = """
    class Count(Actor):
        numbers = Store("numbers")

        def body(self):
            if self.numbers.add(self.name.encode()) == 2000:
                self.stop()
    """
    classes = {"One": "Count", "Two": "Count"}
    extra = '<store name="numbers" kind="public" rollback="detect"/>'
    done = app.write(source, "One:1 | Two:2", extra, classes).run()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
