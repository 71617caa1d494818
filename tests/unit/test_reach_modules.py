"""Reach across files: modules beside the source, packages, the framework, and what is declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.reaching import actor, reached, text, write

from eactors.build.reach import reach
from eactors.errors import SourceError

if TYPE_CHECKING:
    from pathlib import Path

HELPERS = {"helpers.py": "ONE = 1\nTWO = ONE + 1\nSECRET = 'secret'\ndef f(): return TWO\n"}


def test_a_name_of_a_module_reaches_that_name(tmp_path: Path) -> None:
    """And not the secret that another enclave takes from the same module."""
    found = reached(
        tmp_path, "from helpers import f, SECRET\nclass A: x = f\nclass B: x = SECRET\n", files=HELPERS
    )
    assert text(found) == "from helpers import f\nclass A: x = f"
    assert found.files["app/helpers.py"] == b"ONE = 1\nTWO = ONE + 1\n\ndef f(): return TWO\n"
    assert found.origins["app/helpers.py"] == tmp_path / "helpers.py"


@pytest.mark.parametrize(
    "source",
    [
        "import helpers\nclass A: x = helpers.ONE\n",
        "class A:\n    def f(self):\n        import helpers as h\n        return h.ONE\n",
    ],
)
def test_an_attribute_of_a_module_reaches_that_name(tmp_path: Path, source: str) -> None:
    """In a function's own import, too."""
    assert text(reached(tmp_path, source, files=HELPERS), "app/helpers.py") == "ONE = 1"


def test_a_module_as_a_value_is_reached_whole(tmp_path: Path) -> None:
    """Nobody knows what will be taken of it."""
    found = reached(tmp_path, "import helpers\nclass A: x = [helpers]\n", files=HELPERS)
    assert "SECRET" in text(found, "app/helpers.py")


def test_a_module_that_nobody_reaches_is_not_there(tmp_path: Path) -> None:
    """It is listed as left out, whole."""
    found = reached(tmp_path, "import helpers\nclass A: pass\nclass B: x = helpers.f()\n", files=HELPERS)
    assert "app/helpers.py" not in found.files
    assert [one.name for one in found.left_out if one.module == "helpers"] == [None]


PACKAGE = {
    "pkg/__init__.py": "from .sub import f\nfrom . import other\nUNUSED = 'secret'\n",
    "pkg/sub.py": "from ..pkg.other import Y\ndef f(): return Y\ndef g(): return 'secret'\n",
    "pkg/other.py": "Y = 1\nZ = 2\nUNUSED = 'secret'\n",
    "pkg/deep/__init__.py": "",
    "pkg/deep/leaf.py": "LEAF = 1\nUNUSED = 'secret'\n",
}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import pkg\nclass A: x = pkg.f", {"__init__": "from .sub import f", "sub": "f", "other": "Y"}),
        ("from pkg import f\nclass A: x = f", {"__init__": "from .sub import f", "sub": "f", "other": "Y"}),
        ("import pkg.other\nclass A: x = pkg.other.Z", {"__init__": "from . import other", "other": "Z"}),
        ("from pkg import other as o\nclass A: x = o.Z", {"__init__": "from . import other", "other": "Z"}),
        ("import pkg.deep.leaf\nclass A: x = pkg.deep.leaf.LEAF", {"__init__": "", "deep/leaf": "LEAF"}),
        ("from pkg.deep.leaf import LEAF\nclass A: x = LEAF", {"__init__": "", "deep/leaf": "LEAF"}),
        (
            "import importlib\nclass A:\n    x = importlib.import_module('pkg.deep.leaf').LEAF",
            {"__init__": "", "deep/leaf": "LEAF"},
        ),
    ],
)
def test_packages(tmp_path: Path, source: str, expected: dict[str, str]) -> None:
    """What is reached through ``__init__`` and relative imports, and what around it has to be there."""
    found = reached(tmp_path, source, files=PACKAGE)
    for name, words in expected.items():
        assert words in text(found, f"app/pkg/{name}.py")
    rest = b"".join(content for place, content in found.files.items() if place != "app/pkg/deep/leaf.py")
    assert b"secret" not in rest


@pytest.mark.parametrize(
    "listing", ["", "__all__ = ['ONE', 'f', 'SECRET']\n", "__all__ = (\n    'f',\n    'SECRET',\n)\n"]
)
def test_star_imports(tmp_path: Path, listing: str) -> None:
    """A star brings what is used of it; ``__all__`` lists no more than what is there."""
    files = {"helpers.py": listing + HELPERS["helpers.py"]}
    found = reached(tmp_path, "from helpers import *\nclass A: x = f\n", files=files)
    cut = found.files["app/helpers.py"].decode()
    assert "SECRET" not in cut
    assert "secret" not in cut
    namespace: dict[str, object] = {}
    exec(cut, namespace)
    assert set(namespace.get("__all__", ["f"])) <= {"ONE", "f"}  # type: ignore[call-overload]
    assert cut.split("\n").index("def f(): return TWO") == files["helpers.py"].split("\n").index(
        "def f(): return TWO"
    )


def test_alternatives_are_both_reached(tmp_path: Path) -> None:
    """Which of two modules there is shows when it runs."""
    source = """
    try: import fast as impl
    except ImportError: import helpers as impl
    class A: x = impl.ONE
    """
    assert text(reached(tmp_path, source, files=HELPERS), "app/helpers.py") == "ONE = 1"


def test_modules_that_import_each_other(tmp_path: Path) -> None:
    """Ends."""
    files = {
        "one.py": "import two\nX = 1\ndef f(): return two.g\n",
        "two.py": "import one\ndef g(): return one.X\n",
    }
    found = reached(tmp_path, "import one\nclass A: x = one.f\n", files=files)
    assert text(found, "app/one.py") == files["one.py"].rstrip()


def test_late_imports_are_known(tmp_path: Path) -> None:
    """Those in functions that are reached, and literal ones; not those for type checkers."""
    source = """
    from typing import TYPE_CHECKING
    class A:
        def f(self):
            import decimal
            from os import path
            if TYPE_CHECKING:
                import nothing
            __import__("fractions")
    class B:
        def f(self): import socket
    """
    late = reached(tmp_path, source).late
    assert [(one.module, one.name) for one in late] == [
        ("decimal", None),
        ("fractions", None),
        ("os", "path"),
    ]
    assert not any(one.required for one in late)


def test_attributes_of_packages_may_be_modules(tmp_path: Path) -> None:
    """Some packages load a submodule when it is first asked for."""
    late = reached(tmp_path, "import json as j\nclass A:\n    def f(self): return j.tool.main\n").late
    assert [(one.module, one.name, one.required) for one in late] == [("json", "tool", False)]


def test_requires(tmp_path: Path) -> None:
    """From the class and from the deployment: modules, and definitions of the application's own."""
    path = write(
        tmp_path,
        {"app.py": "class A: pass\nHERE = 1\nREST = 'secret'\n", **HELPERS, "all.py": "X = 1\nY = 2\n"},
    )
    found = reach(path, [actor("A", ("json.tool", "helpers:ONE"))], ["app:HERE", "all"])
    assert text(found) == "class A: pass\nHERE = 1"
    assert text(found, "app/helpers.py") == "ONE = 1"
    assert text(found, "app/all.py") == "X = 1\nY = 2"
    assert [(late.module, late.name) for late in found.late if late.required] == [
        ("all", None),
        ("app", "HERE"),
        ("helpers", "ONE"),
        ("json.tool", None),
    ]


@pytest.mark.parametrize(
    ("requires", "words"),
    [
        ("json", "not a tuple of strings"),
        ((1,), "not a tuple of strings"),
        (("a b",), "neither a module nor a definition"),
        (("helpers:NONE",), "defines no NONE"),
        (("eactors.host",), "does not run inside an enclave"),
    ],
)
def test_wrong_requires(tmp_path: Path, requires: object, words: str) -> None:
    """Each says what is wrong with it."""
    path = write(tmp_path, {"app.py": "class A: pass\n", **HELPERS})
    with pytest.raises(SourceError, match=words):
        reach(path, [actor("A", requires=requires)])


def test_public_names_are_cut_to_those_used(tmp_path: Path) -> None:
    """The list of the framework's names imports no more of it than the application does."""
    found = reached(tmp_path, "from eactors import Actor, Mbox\nclass A(Actor): pass\n")
    assert text(found, "eactors/__init__.py") == "from eactors.actor import Actor"
    star = reached(tmp_path, "from eactors import *\nclass A(Actor): pass\n")
    assert text(star, "eactors/__init__.py") == "from eactors.actor import Actor\n__all__ = ['Actor']"


@pytest.mark.parametrize(
    "source",
    [
        "from eactors.host.application import Application\nclass A: x = Application\n",
        "import eactors.cli\nclass A: x = eactors.cli\n",
        "class A:\n    def f(self):\n        import eactors.build.source\n",
    ],
)
def test_what_runs_outside_cannot_be_imported(tmp_path: Path, source: str) -> None:
    """The error names the line that does."""
    line = next(number for number, line in enumerate(source.split("\n"), 1) if "import" in line)
    with pytest.raises(SourceError, match=f"app.py:{line}: eactors.* does not run inside an enclave"):
        reached(tmp_path, source)


def test_a_class_without_a_statement(tmp_path: Path) -> None:
    """A class that some function made cannot be cut out."""
    with pytest.raises(SourceError, match="actor class A is not defined by a statement"):
        reached(tmp_path, "globals()['A'] = type('A', (), {})\n")


def test_a_module_that_is_no_python(tmp_path: Path) -> None:
    """A file that only a function imports is first seen here."""
    with pytest.raises(SourceError, match=r"helpers.py:2: .*cannot be parsed"):
        reached(
            tmp_path, "class A:\n    def f(self): import helpers\n", files={"helpers.py": "x = 1\ny = = 2\n"}
        )
