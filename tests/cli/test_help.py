"""What ``--help`` says."""

from __future__ import annotations

import re
import subprocess

import pytest
from tests.conftest import COMMAND

COMMANDS = ("attest", "new", "check", "build", "run", "measure", "verify", "sign", "provision")
STORE = [f"store {name}" for name in ("info", "get", "put", "list", "export", "import", "verify", "compact")]


@pytest.mark.parametrize("command", [*COMMANDS, "key new", "key public", *STORE])
def test_an_example_is_a_line_to_copy(command: str) -> None:
    """Usage, options, and an example that stands in lines of its own."""
    said = subprocess.run(
        [COMMAND, *command.split(), "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert said.startswith(f"Usage: eactors {command} ")
    assert "\\b" not in said
    assert "\b" not in said
    assert re.search(rf"\n  Examples?:\n(      eactors [^\n]*\n)*      eactors {command} ", said), said


@pytest.mark.parametrize(
    ("line", "command"), [("store export --bla", "store export"), ("store bla", "store"), ("run", "run")]
)
def test_a_mistake_leads_to_the_help_of_that_command(line: str, command: str) -> None:
    """Not to the list of all commands."""
    done = subprocess.run([COMMAND, *line.split()], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert re.fullmatch(rf"error: [^\n]+\nhint: see 'eactors {command} --help'\n", done.stderr), done.stderr
