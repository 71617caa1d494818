"""The cut inside one file: which module-level statements an actor keeps, and which go."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest
from tests.reaching import actor, reached, text

from eactors.build.reach import reach

if TYPE_CHECKING:
    from pathlib import Path

# Each case: a source whose class A keeps every line with "keep" and loses every line with "drop".
CASES = {
    "what another class alone uses goes": """
        drop = b"of B"
        keep = 1
        class A:
            x = keep
        class B:
            x = drop
    """,
    "a name reaches names": """
        keep1 = 1
        def keep2(): return keep1
        class keep3: x = staticmethod(keep2)
        class A(keep3): pass
    """,
    "decorators, defaults, bases and keywords are uses": """
        def keep1(f): return f
        keep2 = 3
        keep3 = 4
        class A:
            @keep1
            def f(self, a=keep2, *, b=keep3): pass
        def drop(): pass
    """,
    "annotations are uses, as strings too": """
        from __future__ import annotations  # keep
        class keep1: pass
        class keep2: pass
        class keep3: pass
        class drop: pass
        class A:
            x: keep1
            y: "list[keep2]"
            def f(self, z: keep3):
                local: drop_is_never_evaluated = 1
    """,
    "words in Literal are no names": """
        from typing import Literal  # keep
        drop = "s"
        class A:
            x: Literal["drop"]  # keep
    """,
    "nested functions, lambdas and comprehensions are looked into": """
        keep1 = keep2 = keep3 = keep4 = 1
        class A:
            def f(self):
                def g(): return lambda: keep1
                return [keep2 for _ in range(keep3) if keep4], g
    """,
    "what a function binds itself is not the module's name": """
        drop1 = drop2 = drop3 = drop4 = drop5 = "secret"
        class A:
            def f(self, drop1, *drop2):
                drop3 = drop1, drop2
                for drop4 in drop3: pass
                return [drop5 for drop5 in drop3]
    """,
    "what a class body has bound is not the module's name": """
        gone = "drop"
        class A:
            gone = 1
            def keep(self): pass
            y = gone
    """,
    "before that it is": """
        keep = 1
        class A:
            keep = keep
    """,
    "methods do not see the names of their class": """
        keep = 1
        class A:
            keep = 2
            def f(self): return keep
    """,
    "a function that assigns a global belongs to it": """
        keep = None
        def setup_keep():
            global keep
            keep = 1
        setup_keep()
        class A:
            def f(self): return keep
        def drop(): pass
    """,
    "augmented assignment and del belong to their name": """
        keep = 1
        keep += 1
        drop = 1
        drop += 1
        del drop
        class A: x = keep
    """,
    "walrus, match, try, if, with, for and while bind what is bound in them": """
        (keep1 := 1)
        match 5:
            case keep2: pass
        try: keep3 = 1
        except ValueError: keep3 = 2
        if keep1: keep4 = 1
        else: keep4 = 2
        import contextlib as keep_module
        with keep_module.nullcontext(1) as keep5: pass
        for keep6 in [1]: pass
        while True:
            keep7 = 1
            break
        (drop1 := 2)
        for drop2 in (1, 2): pass
        class A: x = keep1, keep2, keep3, keep4, keep5, keep6, keep7
    """,
    "statements that bind nothing belong to the root of their target": """
        keep = {}
        keep["a"] = 1
        keep.update(b=2)
        keep["c"] = print
        keep["d"] = type("D", (), {})
        keep["d"].e = keep.get("c")
        drop = {}
        drop["a"] = b"secret"
        drop.update(b=2)
        for x in (): drop[x] = 1
        class A: x = keep
    """,
    "a call belongs to the function called": """
        found = []  # keep
        def register(cls): found.append(cls)  # keep
        def other(cls): pass  # drop
        class keep: pass
        class drop: pass
        register(keep)
        other(drop)
        class A: all = register
    """,
    "calls of builtins go, though their name is used": """
        print("drop")
        class A:
            def f(self): print(1)
    """,
    "loops belong to what they fill": """
        keep = {}
        for keep_i in range(3):
            keep[keep_i] = 1
        class A: x = keep
    """,
    "what runs as a script goes": """
        class A: pass
        if __name__ == "__main__":
            drop()
    """,
    "what stands beside it on a line goes by column": """
        keep1 = 1; drop1 = "secret"; keep2 = [
            1]; drop2 = "secret"
        class A: x = keep1, keep2
    """,
    "a peer's name is no use of its class": """
        from eactors import Connector  # keep
        class drop: pass
        class A: x = Connector("dr" "op")
    """,
    "imports keep the names that are used": """
        import json, socket
        from os import (
            path,
            sep as drop,  # drop
        )
        class A: x = json, path
    """,
    "blocks for type checkers stay if a name of theirs is used": """
        from typing import TYPE_CHECKING  # keep
        if TYPE_CHECKING:
            from nowhere import keep
        if TYPE_CHECKING:
            from nowhere import drop
        class A:
            def f(self, x: "keep"): pass
    """,
    "getattr of a literal is a use": """
        class keep: y = 1
        class A:
            def f(self): return getattr(keep, "y")
    """,
    "comments between definitions go": """
        # drop: about B
        class A:
            # keep: about A
            x = 1
        # drop: about C
    """,
    "the docstring goes": '''
        """drop"""
        class A: pass
    ''',
    "unless it is used": '''
        """keep"""
        class A: x = __doc__
    ''',
}


@pytest.mark.parametrize("source", CASES.values(), ids=CASES.keys())
def test_what_stays_and_what_goes(tmp_path: Path, source: str) -> None:
    """A line stays where its word says so, under its number, and the rest is a program."""
    found = reached(tmp_path, source)
    before = (tmp_path / "app.py").read_text(encoding="utf-8").split("\n")
    after = found.files["app/app.py"].decode().split("\n")
    ast.parse(found.files["app/app.py"])
    for number, line in enumerate(before):
        now = after[number] if number < len(after) else ""
        if "class A" in line or ("keep" in line and "drop" not in line):
            assert now.strip(), line
        if "drop" in line and "keep" not in line and "def f" not in line and not line.startswith("     "):
            assert "drop" not in now, line
    namespace = {"__name__": "app"}
    exec(compile(found.files["app/app.py"], "app.py", "exec"), namespace)
    assert "A" in namespace


def test_columns(tmp_path: Path) -> None:
    """What stays of a line is joined; what goes leaves nothing, not even its separator."""
    found = reached(tmp_path, 'x = 1; y = "secret"; z = """\n"""; k = 3\nclass A: u = x, z\n')
    assert found.files["app/app.py"] == b'x = 1; z = """\n"""\nclass A: u = x, z\n'


def test_other_encodings_and_line_ends(tmp_path: Path) -> None:
    """Columns are counted in bytes of UTF-8, whatever the file is written in."""
    source = "# -*- coding: latin-1 -*-\r\nä = 'ü'; b = 'ö'\r\nclass A:\r\n    x = b\r\n"
    (tmp_path / "app.py").write_bytes(source.encode("latin-1"))

    found = reach(tmp_path / "app.py", [actor("A")])
    assert found.files["app/app.py"].decode() == "\nb = 'ö'\nclass A:\n    x = b\n"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("globals()['x']", "globals()"),
        ("eval('x')", "eval()"),
        ("exec('x')", "exec()"),
        ("vars()", "vars()"),
        ("vars(sys)", "vars()"),
        ("__import__('j' + 's')", "__import__() of a name that is computed"),
        ("importlib.import_module(n)", "import_module() of a name that is computed"),
        ("sys.modules['x']", "sys.modules"),
        ("getattr(sys, n)", "getattr(sys, ...) of a name that is computed"),
    ],
)
def test_what_cannot_be_seen_is_remarked(tmp_path: Path, code: str, words: str) -> None:
    """With file and line, and only where the enclave has that code."""
    source = f"import sys, importlib\nclass A:\n    def f(self, n):\n        return {code}\nclass B: pass\n"
    (remark,) = reached(tmp_path, source).remarks
    assert (remark.line, remark.what) == (4, words)
    assert "requires" in str(remark)
    assert str(remark).startswith(f"{tmp_path}/app.py:4: ")
    assert reached(tmp_path, source, "B").remarks == ()


def test_what_is_left_out_is_listed(tmp_path: Path) -> None:
    """Definitions by module, name and line; imports are not worth a line."""
    source = "import json\nKEY = 1\nclass A: pass\nclass B:\n    x = KEY, json\n"
    found = reached(tmp_path, source)
    assert [(one.module, one.name, one.line) for one in found.left_out] == [
        ("app", "KEY", 2),
        ("app", "B", 4),
    ]
    assert text(found) == "class A: pass"
