"""The tutorial does what it says: its files are written, its commands run, its outputs compared."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from tests.conftest import NOTICE

if TYPE_CHECKING:
    from collections.abc import Iterator

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial.md"
HOME = "/home/you"
"""What the page calls the directory that its reader works in."""

_FENCE = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block; a block with a file is that file's contents."""

    language: str
    file: str | None
    text: str


def blocks() -> list[Block]:
    """All blocks of the page, in order."""
    page = TUTORIAL.read_text(encoding="utf-8")
    found = [Block(language, file or None, text) for language, file, text in _FENCE.findall(page)]
    assert page.count("```") == 2 * len(found)
    return found


def steps(console: str) -> list[tuple[str, str]]:
    """The commands of a console block, each with the output shown below it."""
    parts = re.split(r"^\$ (.*)\n", console, flags=re.MULTILINE)
    assert parts[0] == ""
    return list(zip(parts[1::2], parts[2::2], strict=True))


def test_every_block_is_a_file_or_a_console() -> None:
    """Nothing on the page goes unchecked."""
    assert {block.language for block in blocks() if block.file is None} == {"console"}
    assert {block.language for block in blocks() if block.file is not None} == {"python", "xml"}


@pytest.fixture
def background(tmp_path: Path) -> Iterator[None]:
    """Whatever the page leaves running when a test has failed ends with the test."""
    yield
    for file in tmp_path.glob("*.pid"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(file.read_text(encoding="ascii")), signal.SIGTERM)


@pytest.mark.usefixtures("background")
def test_everything_happens_as_shown(tmp_path: Path) -> None:
    """From the first command to the last, in one directory."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    status = 0
    ran = 0
    for block in blocks():
        if block.file is not None:
            file = tmp_path / block.file
            if file.exists():  # made by "eactors new"
                assert file.read_text(encoding="utf-8") == block.text
            file.write_text(block.text, encoding="utf-8")
            continue
        for command, shown in steps(block.text):
            done = subprocess.run(
                ["sh", "-c", f"(exit {status}); {command}"],
                cwd=tmp_path,
                env=dict(os.environ, PATH=path),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                timeout=60,
                check=False,
            )
            lines = done.stdout.replace(str(tmp_path), HOME).splitlines(keepends=True)
            output = "".join(line for line in lines if "this machine has no CPU" not in line)
            output = re.sub(r" \(not on this machine: [\d, ]+\)", "", output)
            # Said once on the page, at the first run; and every installation has other keys.
            output = output if NOTICE in shown else output.replace(NOTICE, "")
            output = re.sub(
                r"\b[0-9a-f]{64}\b", "HASH", re.sub(r"signature of [0-9a-f]{16}", "signature of ID", output)
            )
            assert output == shown, command
            status = done.returncode
            ran += 1
    assert ran > 10
