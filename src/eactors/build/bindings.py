"""What statements bind in the scope that they stand in.

Python decides by scope, before anything runs: a name that a function assigns anywhere is
its own everywhere in it. Imports are remembered, since what is reached through an imported
module is only what is used of it.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import gives a name: a module, or one name of a module.

    Attributes:
        module: The full name.
        name: The name in the module; None: the module itself.
        line: Of the import.
    """

    module: str
    name: str | None
    line: int


@dataclass(slots=True)
class Bound:
    """The names that some statements bind.

    Attributes:
        names: Each with all that it is bound to: imports, or None for anything else.
        shared: Names declared ``global`` or ``nonlocal``.
        loads: What executing the statements imports.
        stars: Modules of ``from module import *``.
    """

    names: dict[str, list[Imported | None]] = field(default_factory=dict)
    shared: dict[str, bool] = field(default_factory=dict)
    loads: list[Imported] = field(default_factory=list)
    stars: list[Imported] = field(default_factory=list)

    def add(self, name: str, value: Imported | None = None) -> None:
        """One more binding."""
        self.names.setdefault(name, []).append(value)


def bound(nodes: Iterable[ast.AST], package: str) -> Bound:
    """What ``nodes`` bind in their own scope, not in the functions and classes in them.

    Args:
        nodes: Statements, expressions, or single aliases of an import.
        package: What relative imports are relative to.
    """
    collector = _Collector(package)
    for node in nodes:
        collector.visit(node)
    for name in collector.bound.shared:
        collector.bound.names.pop(name, None)
    return collector.bound


def imported(
    node: ast.Import | ast.ImportFrom, alias: ast.alias, package: str
) -> tuple[str, Imported, Imported]:
    """One alias of an import: the name that it binds, to what, and what it loads."""
    if isinstance(node, ast.Import):
        load = Imported(alias.name, None, node.lineno)
        if alias.asname:
            return alias.asname, load, load
        top = alias.name.partition(".")[0]
        return top, Imported(top, None, node.lineno), load
    module = node.module or ""
    if node.level:
        above = package.split(".")[: len(package.split(".")) - node.level + 1]
        module = ".".join([*above, module] if module else above)
    value = Imported(module, alias.name, node.lineno)
    return alias.asname or alias.name, value, value


class _Collector(ast.NodeVisitor):
    def __init__(self, package: str) -> None:
        self.package = package
        self.bound = Bound()

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            name, value, load = imported(node, alias, self.package)
            if name == "*":
                self.bound.stars.append(Imported(value.module, None, value.line))
            else:
                self.bound.add(name, value)
                self.bound.loads.append(load)

    visit_ImportFrom = visit_Import  # noqa: N815

    def visit_Name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.bound.add(node.id)

    def visit_Global(self, node: ast.Global) -> None:
        self.bound.shared.update(dict.fromkeys(node.names, True))

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        self.bound.shared.update(dict.fromkeys(node.names, False))

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.bound.add(node.name)
        self._outer(*node.decorator_list, *node.args.defaults, *node.args.kw_defaults)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.bound.add(node.name)
        self._outer(*node.decorator_list, *node.bases, *node.keywords)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._outer(*node.args.defaults, *node.args.kw_defaults)

    def _outer(self, *nodes: ast.AST | None) -> None:
        for node in nodes:
            if node is not None:
                self.visit(node)

    def generic_visit(self, node: ast.AST) -> None:
        if isinstance(node, COMPREHENSIONS):
            # Only what := binds leaves a comprehension.
            for inner in ast.walk(node):
                if isinstance(inner, ast.NamedExpr):
                    self.visit(inner.target)
            return
        match node:
            case (
                ast.ExceptHandler(name=str(name))
                | ast.MatchAs(name=str(name))
                | ast.MatchStar(name=str(name))
            ):
                self.bound.add(name)
            case ast.MatchMapping(rest=str(name)):
                self.bound.add(name)
        super().generic_visit(node)
