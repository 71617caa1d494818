"""What was recorded stays secret: an enclave that has its keys has forgotten what they came from."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from tests.conftest import App, environment
from tests.handshakes import ROOT, SOURCE


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can read the memory of enclaves")
def test_private_keys_and_shared_secrets_are_forgotten(app: App) -> None:
    """They are found where they have to be, and as soon as there are keys nowhere."""
    hold, built = app.folder / "hold", app.folder / "built"
    os.mkfifo(hold)
    settings = f'<channel between="Alice Bob" node-size="512"/><param actor="Bob" name="hold">{hold}</param>'
    app.write(SOURCE, "Alice:1 | Bob:2", settings)
    assert app.run("-o", str(built), command="build").returncode == 0
    done = subprocess.run(
        [sys.executable, "-m", "tests.ephemeral", built, hold],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env=environment(app.temporary),
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stderr.splitlines()[-1]) == {
        "status": 3,
        "private keys": 1,
        # The control: while they are needed the search finds them.
        "answer": {"private key at 0": True, "secret at 1": True},
        "proof": {"private key at 0": False, "secret at 0": False, "secret at 1": True},
    }
