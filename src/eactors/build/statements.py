"""The statements of one source file: what each binds, uses, or does to what is bound elsewhere.

A statement that binds nothing, such as ``TABLE.update(...)`` or ``Table.entry = 1``, belongs
to the name that it starts from, and shares its fate. What stands below ``if``, ``try``,
``with`` or ``for`` is one statement. Of a plain import each name is a statement of its own.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from eactors.build.bindings import Bound, bound
from eactors.build.names import Uses, is_type_checking, uses

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMPOUND = (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.Match)


@dataclass(slots=True)
class Statement:
    """A statement at the level of a module, or one name of an import.

    Attributes:
        node: The statement in the text.
        alias: Which name of an import it is.
        bound: What it binds and imports.
        uses: What it uses.
        owners: The names that it belongs to besides.
        always: It stays whatever is reached.
        never: It goes, for an enclave has no use for it.
    """

    node: ast.stmt
    alias: int | None
    bound: Bound
    uses: Uses = field(default_factory=Uses)
    owners: frozenset[str] = frozenset()
    always: bool = False
    never: bool = False

    @property
    def names(self) -> set[str]:
        """All names that make it stay."""
        return {*self.bound.names, *self.owners, *self.uses.stores}


def statements(tree: ast.Module, package: str) -> list[Statement]:
    """The statements of a module, in their order.

    Args:
        tree: The parsed file.
        package: What its relative imports are relative to.
    """
    found = [part for node in tree.body for part in _parts(node, package)]
    modules = {
        name
        for one in found
        for name, roots in one.bound.names.items()
        if any(root and not root.name for root in roots)
    }
    for statement in found:
        if statement.alias is None and not statement.never:
            statement.uses = uses([statement.node], package, modules)
    if tree.body and ast.get_docstring(tree, clean=False) is not None:
        found[0].bound.add("__doc__")
    return found


def listed(node: ast.stmt) -> list[str] | None:
    """The names that an ``__all__`` lists, if the statement is a plain one."""
    match node:
        case (
            ast.Assign(targets=[ast.Name(id="__all__")], value=ast.List(elts=items) | ast.Tuple(elts=items))
            | ast.AnnAssign(target=ast.Name(id="__all__"), value=ast.List(elts=items) | ast.Tuple(elts=items))
        ):
            names = [
                item.value for item in items if isinstance(item, ast.Constant) and isinstance(item.value, str)
            ]
            return names if len(names) == len(items) else None
    return None


def _parts(node: ast.stmt, package: str) -> Iterator[Statement]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        for index, alias in enumerate(node.names):
            one = type(node)(**{**{name: getattr(node, name) for name in node._fields}, "names": [alias]})
            own = bound([ast.copy_location(one, node)], package)
            yield Statement(node, index, own, always=getattr(node, "module", None) == "__future__")
    elif _is_main(node):
        yield Statement(node, None, Bound(), never=True)
    else:
        names = bound([node], package)
        if isinstance(node, ast.If) and is_type_checking(node):
            otherwise = bound(node.orelse, package)
            names.loads, names.stars = otherwise.loads, otherwise.stars
            names.names = {name: otherwise.names.get(name, [None]) for name in names.names}
        yield Statement(node, None, names, owners=frozenset(_owners(node)))


def _is_main(node: ast.stmt) -> bool:
    match node:
        case ast.If(
            test=ast.Compare(
                left=ast.Name(id="__name__"), ops=[ast.Eq()], comparators=[ast.Constant(value="__main__")]
            )
            | ast.Compare(
                left=ast.Constant(value="__main__"), ops=[ast.Eq()], comparators=[ast.Name(id="__name__")]
            ),
            orelse=[],
        ):
            return True
    return False


def _owners(node: ast.AST) -> Iterator[str]:
    """The roots of what a statement calls and changes without binding it."""
    match node:
        case ast.Expr(value=value):
            root = _root(value)
            if root is not None:
                yield root
            else:
                calls = [inner for inner in ast.walk(value) if isinstance(inner, ast.Call)]
                yield from filter(None, map(_root, calls))
        case ast.Assign(targets=targets) | ast.Delete(targets=targets):
            yield from _targets(targets)
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target):
            yield from _targets([target])
        case _ if (
            isinstance(node, (*_COMPOUND, ast.ExceptHandler, ast.match_case))
            or type(node).__name__ == "TryStar"
        ):
            if isinstance(node, ast.For):
                yield from _targets([node.target])
            for inner in ast.iter_child_nodes(node):
                yield from _owners(inner)


def _targets(targets: list[ast.expr]) -> Iterator[str]:
    for target in targets:
        if isinstance(target, ast.Tuple | ast.List):
            yield from _targets(target.elts)
        elif isinstance(target, ast.Attribute | ast.Subscript):
            root = _root(target)
            if root is not None:
                yield root


def _root(node: ast.expr) -> str | None:
    while True:
        match node:
            case (
                ast.Attribute(value=inner)
                | ast.Subscript(value=inner)
                | ast.Call(func=inner)
                | ast.Starred(value=inner)
            ):
                node = inner
            case ast.Name(id=name):
                return name
            case _:
                return None
