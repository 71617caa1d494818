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


def test_the_variants_of_the_native_module_are_counted_when_it_is_built(tmp_path: Path) -> None:
    """The files of each, their headers, and what simulates hardware by itself."""
    output = tmp_path / "lines.json"
    few, more = "native/pool.c", "native/pool.c,native/mbox.c,src/eactors/_native/sandbox.c"
    assert count_lines.main([str(output), str(ROOT), f"few={few}", f"more={more}"]) == 0
    counts = json.loads(output.read_bytes())
    assert counts["few"]["simulation"] == 0
    assert counts["few"]["eactors"] > count_lines.code_lines((ROOT / few).read_text())
    assert counts["more"]["eactors"] > counts["few"]["eactors"]
    assert counts["more"]["simulation"] > 50


def test_an_enclave_has_no_more_of_the_native_module_than_it_needs() -> None:
    """Each variant's lines are known by its file."""
    plain, both = (framework.Parts((), name).native for name in ("plain", "mboxes-plain-private"))
    assert lines.native_lines(plain)["eactors"] < lines.native_lines(both)["eactors"]
    assert lines.native_lines(both)["eactors"] < lines.native_lines(framework.NATIVE)["eactors"]


def test_counts_that_are_not_installed_are_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown number of lines is no small number."""
    monkeypatch.setattr(framework, "FOLDER", tmp_path)
    monkeypatch.setattr(framework, "NATIVE", tmp_path / "native.so")
    with pytest.raises(ImageError, match=r"native_lines\.json.* cannot be used"):
        lines.native_lines(framework.NATIVE)
