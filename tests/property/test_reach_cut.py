"""Random programs, cut for some of their classes: these behave as before, and nothing else is there."""

from __future__ import annotations

import ast
from pathlib import Path
from tempfile import TemporaryDirectory
from types import CodeType
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st
from tests.reaching import actor

from eactors.build.reach import reach

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = ("constant", "function", "class", "pair", "table", "block", "joined", "comment")


@st.composite
def programs(draw: st.DrawFn) -> tuple[str, dict[str, set[int]], int]:
    """Draw a program of definitions that use earlier ones; its text, who needs which, and how many.

    Definition ``i`` has the mark ``<i>`` in its text, and its value is a tuple of its own mark
    and the values of what it uses.
    """
    # No more: values share what they use, and comparing them visits every path to it.
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=7))
    lines: list[str] = []
    needs: dict[str, set[int]] = {}
    names: list[list[str]] = []
    for number, kind in enumerate(kinds):
        earlier = [name for group in names for name in group]
        used = draw(st.lists(st.sampled_from(earlier), max_size=3)) if earlier else []
        own = [f"n{number}", f"m{number}"] if kind == "pair" else [f"n{number}"]
        value = ", ".join([f"'<{number}>'", *(f"{name}" for name in used)])
        lines += draw(st.sampled_from([[], [""], [f"# <{number}> a comment"]]))
        last = (
            lines[-1] if lines and lines[-1] and lines[-1][0] not in " #" and "\n" not in lines[-1] else None
        )
        text = _definition(kind, number, value)
        if kind == "joined" and last is not None and not last.startswith(("def", "class", "@", "if", ")")):
            lines[-1] += "; " + text
        else:
            lines += text.split("\n")
        names.append(own)
        needed = {number}.union(*(needs[name] for name in used))
        needs |= dict.fromkeys(own, needed)
    for end in range(2):
        used = draw(st.lists(st.sampled_from([name for group in names for name in group]), max_size=4))
        class_name = "AB"[end]
        lines += [
            f"class {class_name}:",
            f"    marks = [{', '.join(used)}]",
            "    def f(self): return self.marks",
        ]
        needs[class_name] = set().union(*(needs[name] for name in used))
    return "\n".join(lines) + "\n", needs, len(kinds)


def _definition(kind: str, number: int, value: str) -> str:
    name = f"n{number}"
    return {
        "constant": f"{name} = ({value},)",
        "joined": f"{name} = ({value},)",
        "comment": f"{name} = (  # <{number}>\n    {value},\n)  # <{number}>",
        "pair": f"{name}, m{number} = ({value},), [{value}]",
        "function": f"def {name}(x=({value},)):\n    return x, '<{number}>'\n{name} = {name}()",
        "class": f"class {name}:\n    x = ({value},)\n    def f(s): return '<{number}>'\n{name} = {name}.x",
        "table": f"{name} = {{}}\n{name}['k'] = ({value},)\n{name}.update(l=2)",
        "block": f"if True:\n    {name} = ({value},)\nelse:\n    {name} = '<{number}>'",
    }[kind]


def _run(text: str | bytes) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": "app"}
    exec(compile(text, "app.py", "exec"), namespace)
    return namespace


def _functions(code: CodeType) -> Iterator[tuple[str, int]]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant.co_qualname, constant.co_firstlineno
            yield from _functions(constant)


@given(programs())
def test_a_cut_program_does_what_it_did(program: tuple[str, dict[str, set[int]], int]) -> None:
    """For either class and for both: same values, same line numbers, and no mark of what it does not need."""
    text, needs, count = program
    whole = _run(text)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "app.py"
        path.write_text(text, encoding="utf-8")
        for classes in ("A", "B", "AB"):
            cut = reach(path, [actor(name) for name in classes]).files["app/app.py"]
            here = _run(cut)
            for name in classes:
                assert here[name]().f() == whole[name]().f()
            needed = set().union(*(needs[name] for name in classes))
            for number in set(range(count)) - needed:
                assert f"<{number}>".encode() not in cut
            lines = set(_functions(compile(text, "app.py", "exec")))
            assert set(_functions(compile(cut, "app.py", "exec"))) <= lines
            assert len(cut.split(b"\n")) <= len(text.split("\n"))
            ast.parse(cut)
