"""What counts as a line of code, in Python and in C."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from eactors.build import framework, lines
from eactors.errors import ImageError

ROOT = Path(__file__).parents[2]
_SPEC = importlib.util.spec_from_file_location("count_lines", ROOT / "tools/count_lines.py")
assert _SPEC is not None
assert _SPEC.loader is not None
count_lines = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(count_lines)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"""Doc\nstring."""\n\n# comment\nx = 1  # 1\n', 1),
        ("class A:\n    'Doc.'\n    if x:\n        def f():\n            '''Doc.\n\n            '''\n", 3),
        ('x = """\n\ntext\n"""\n', 3),
        ("no python at all", 0),
    ],
)
def test_lines_of_python(text: str, expected: int) -> None:
    """Neither blank lines nor comments nor docstrings, wherever they stand."""
    assert lines.python_lines(text.encode()) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/* one\n two */\n\nint x; // three\n// four\n", 1),
        ('char *s = "/* no comment";\nchar c = \'"\'; /* one */\n/* two */ int y;\n', 3),
        ("// goes on \\\n here\nint x;\n", 1),
    ],
)
def test_lines_of_c(text: str, expected: int) -> None:
    """What looks like a comment inside a string is none."""
    assert count_lines.code_lines(text) == expected


def test_the_native_module_is_counted_when_it_is_built(tmp_path: Path) -> None:
    """Both folders, without the tests of the core."""
    output = tmp_path / "lines.json"
    assert count_lines.main([str(output), str(ROOT), "native", "src/eactors/_native"]) == 0
    files = json.loads(output.read_bytes())["files"]
    assert files["native/pool.c"] > 10
    assert files["src/eactors/_native/module.c"] > 10
    assert not any("tests" in name for name in files)
    assert count_lines.main([str(output), str(tmp_path), "native"]) == 1


def test_counts_that_are_not_installed_are_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown number of lines is no small number."""
    monkeypatch.setattr(framework, "FOLDER", tmp_path)
    monkeypatch.setattr(framework, "NATIVE", tmp_path / "native.so")
    with pytest.raises(ImageError, match=r"native_lines\.json.* cannot be read"):
        lines.native_lines()
