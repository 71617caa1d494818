"""``eactors new``: a hello-world application that runs at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import NOTICE, environment

COMMAND = Path(sys.executable).with_name("eactors")


def eactors(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder."""
    done = subprocess.run(
        [COMMAND, *arguments],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    done.stderr = done.stderr.replace(NOTICE, "")
    return done


def test_a_new_application_runs_at_once(tmp_path: Path) -> None:
    """The lines that ``new`` prints are the commands that run it."""
    made = eactors(tmp_path, "new", "hello")
    assert (made.returncode, made.stderr) == (0, "")
    first, command = made.stdout.splitlines()
    assert first == "made hello; now run"
    program, *arguments = command.split()
    assert program == "eactors"
    done = eactors(tmp_path, *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello, world\n", "")
    greeted = eactors(tmp_path, *arguments, "--param", "Hello.greeting=good day")
    assert greeted.stdout == "good day, world\n"
    assert eactors(tmp_path, "check", *arguments[1:]).returncode == 0


@pytest.mark.parametrize("name", ["class", "2nd", "with-dash", "with space", "..", ""])
def test_a_name_must_be_that_of_a_python_file(tmp_path: Path, name: str) -> None:
    """Anything else is refused before a folder is made."""
    done = eactors(tmp_path, "new", name)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert "cannot be the name of a Python file\nhint: use letters, digits and _\n" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_is_not_touched(tmp_path: Path) -> None:
    """Nothing is overwritten."""
    (tmp_path / "hello").mkdir()
    done = eactors(tmp_path, "new", "hello")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: hello is there already\nhint: choose another name, or remove it\n"
    assert list((tmp_path / "hello").iterdir()) == []


@pytest.mark.parametrize("name", ["eactors", "json", "sys", "msgspec"])
def test_a_name_that_would_hide_a_module(tmp_path: Path, name: str) -> None:
    """An application called like a module that it imports is refused, or runs all the same."""
    made = eactors(tmp_path, "new", name)
    if made.returncode == 2:
        assert made.stderr.startswith("error: ")
        return
    done = eactors(tmp_path, "run", f"{name}/{name}.py", f"{name}/{name}.xml")
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello, world\n", "")


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["check", "-h"], ["new", "-h"], ["--version"]]
)
def test_help(tmp_path: Path, arguments: list[str]) -> None:
    """Help and version go to stdout, with status 0."""
    done = eactors(tmp_path, *arguments)
    assert done.returncode == 0
    assert done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    "arguments", [["walk"], ["run"], ["run", "a.py"], ["run", "--fast", "a.py", "a.xml"], ["new"]]
)
def test_wrong_use(tmp_path: Path, arguments: list[str]) -> None:
    """An unknown command or option, or too few arguments: error, hint, status 2."""
    done = eactors(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert "hint: " in done.stderr
    assert "Traceback" not in done.stderr
