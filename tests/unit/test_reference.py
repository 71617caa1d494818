"""docs/reference.md is what the docstrings say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import eactors

ROOT = Path(__file__).parents[2]


def test_the_committed_page_is_up_to_date() -> None:
    """A changed docstring needs `make docs`."""
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "reference.py", "--check"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_every_public_name_is_in_it() -> None:
    """Whoever adds a public name documents it."""
    page = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    for name in eactors.__all__:
        assert f"## {name}\n" in page or f"**`{name}`**" in page
