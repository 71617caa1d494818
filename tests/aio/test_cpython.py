"""CPython's own tests of asyncio, on an enclave's loop: those that apply pass, the others are listed."""

from __future__ import annotations

import fnmatch
import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.aio.skips import FAIL, LEFT_OUT, MODULES, NEVER

if TYPE_CHECKING:
    from collections.abc import Iterable

RUNNER = Path(__file__).with_name("cpython.py")


def suite() -> Path | None:
    """Where CPython's tests lie; some distributions leave them out."""
    try:
        found = find_spec("test.test_asyncio")
    except ModuleNotFoundError:
        return None
    return None if found is None or found.origin is None else Path(found.origin).parent


SUITE = suite()
needs_suite = pytest.mark.skipif(SUITE is None, reason="this Python came without its own tests")


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether a test is named by one of the patterns."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


@needs_suite
@pytest.mark.parametrize("module", MODULES)
@pytest.mark.timeout(300)
def test_what_applies_passes_and_what_does_not_is_listed(module: str, tmp_path: Path) -> None:
    """A test that fails, or passes although it is listed, is a fault of the loop or of the list."""
    assert SUITE is not None
    if not (SUITE / f"{module}.py").exists():
        pytest.skip("this version of CPython has no such module")
    output = tmp_path / "outcomes.json"
    done = subprocess.run(
        [sys.executable, RUNNER, output, module, *NEVER.get(module, {})],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    outcomes: dict[str, str] = json.loads(output.read_text(encoding="utf-8"))
    assert outcomes
    listed = FAIL.get(module, {})
    wrong = {name: outcome for name, outcome in outcomes.items() if outcome not in {"passed", "skipped"}}
    failed = {name: outcome for name, outcome in wrong.items() if not matches(name, listed)}
    assert not failed, "\n\n".join(f"{name}: {outcome}" for name, outcome in failed.items())
    passed = [name for name, outcome in outcomes.items() if outcome == "passed" and matches(name, listed)]
    assert passed == [], "they pass, so they need not be listed"


@needs_suite
def test_every_module_of_the_suite_is_run_or_left_out_with_a_reason() -> None:
    """What a later CPython adds is noticed."""
    assert SUITE is not None
    found = {file.stem for file in SUITE.glob("test_*.py")}
    assert found <= set(MODULES) | set(LEFT_OUT)
