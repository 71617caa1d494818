"""The module-level names that a piece of a source file uses.

A use is a name with the attributes that follow it, ``helpers.table.get``, since of an
imported module only what is used of it counts. Scopes are Python's: what a function
binds itself is no use of the module's name. Annotations count, as strings too: typed
messages look theirs up. What cannot be seen without running the code becomes a remark.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from eactors.build.bindings import COMPREHENSIONS, Bound, Imported, bound

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_UNSEEN = ("globals", "eval", "exec")
_IMPORTERS = ("__import__", "import_module")


@dataclass(frozen=True, slots=True)
class Use:
    """A name that is used.

    Attributes:
        chain: The name, and the attributes that are taken of it.
        root: What an import bound the name to, in a function; then ``chain`` has only the
            attributes. None: it is a name of the module.
        line: Where.
        value: False: no more than an import, which by itself uses nothing of a module.
    """

    chain: tuple[str, ...]
    root: Imported | None
    line: int
    value: bool = True


@dataclass(slots=True)
class Uses:
    """All that some statements use.

    Attributes:
        uses: Names, in the order of the text.
        late: Imports inside functions.
        stores: Names of the module that functions assign.
        remarks: Line and words of what cannot be seen.
    """

    uses: list[Use] = field(default_factory=list)
    late: list[Imported] = field(default_factory=list)
    stores: set[str] = field(default_factory=set)
    remarks: list[tuple[int, str]] = field(default_factory=list)


class _Scope:
    def __init__(self, parent: _Scope | None, own: Bound, *, is_class: bool = False) -> None:
        self.parent = parent
        self.own = own
        self.is_class = is_class
        # Of a class body: before its assignment a name still is the module's.
        self.known: dict[str, list[Imported | None]] = {} if is_class else own.names


def uses(nodes: Iterable[ast.AST], package: str, modules: Collection[str]) -> Uses:
    """What statements at the level of a module use.

    Args:
        nodes: The statements.
        package: What relative imports are relative to.
        modules: The module's names that are imported modules.
    """
    visitor = _Visitor(package, modules)
    for node in nodes:
        visitor.visit(node)
    return visitor.found


class _Visitor(ast.NodeVisitor):
    def __init__(self, package: str, modules: Collection[str]) -> None:
        self.found = Uses()
        self._package = package
        self._modules = modules
        self._scope: _Scope | None = None
        self._in_annotation = False

    # Names

    def _use(self, name: str, attributes: tuple[str, ...], line: int) -> None:
        scope = self._scope
        while scope is not None:
            if scope.own.shared.get(name):
                break
            if name in scope.known and (scope is self._scope or not scope.is_class):
                for root in scope.known[name]:
                    if root is not None:
                        self.found.uses.append(Use(attributes, root, line))
                return
            scope = scope.parent
        self.found.uses.append(Use((name, *attributes), None, line))

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load | ast.Del):
            self._use(node.id, (), node.lineno)
        elif self._scope is not None and self._scope.own.shared.get(node.id):
            self.found.stores.add(node.id)
            self._use(node.id, (), node.lineno)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        chain = _chain(node)
        if chain is None:
            self.generic_visit(node)
            return
        if chain[:2] == ("sys", "modules"):
            self._remark(node, "sys.modules")
        self._use(chain[0], chain[1:], node.lineno)

    def visit_Constant(self, node: ast.Constant) -> None:
        if self._in_annotation and isinstance(node.value, str):
            try:
                parsed = ast.parse(node.value.strip(), mode="eval")
            except (SyntaxError, ValueError):
                return
            for inner in ast.walk(parsed):
                if isinstance(inner, ast.expr):
                    inner.lineno = node.lineno
            self.visit(parsed.body)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self.visit(node.value)
        chain = _chain(node.value)
        if not (self._in_annotation and chain is not None and chain[-1] == "Literal"):
            self.visit(node.slice)

    def _annotation(self, node: ast.expr | None) -> None:
        if node is not None:
            before, self._in_annotation = self._in_annotation, True
            self.visit(node)
            self._in_annotation = before

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        is_local = self._scope is not None and not self._scope.is_class and isinstance(node.target, ast.Name)
        if not is_local:  # Python never evaluates the annotation of a local variable
            self._annotation(node.annotation)
        self.visit(node.target)
        if node.value is not None:
            self.visit(node.value)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self._use(node.target.id, (), node.lineno)
        self.generic_visit(node)

    def visit_If(self, node: ast.If) -> None:
        parts = [node.test, *node.orelse] if is_type_checking(node) else ast.iter_child_nodes(node)
        for part in parts:
            self.visit(part)

    # What cannot be seen, and what can though it is dynamic

    def visit_Call(self, node: ast.Call) -> None:
        chain = _chain(node.func)
        name = None if chain is None else chain[-1]
        first = node.args[0] if node.args else None
        literal = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None
        if chain == (name,) and name in _UNSEEN:
            self._remark(node, f"{name}()")
        elif chain == ("vars",) and (first is None or self._is_module(first)):
            self._remark(node, "vars()")
        elif name in _IMPORTERS:
            if literal and not literal.startswith("."):
                self._late(Imported(literal, None, node.lineno))
                self.found.uses.append(Use((), Imported(literal, None, node.lineno), node.lineno))
            else:
                self._remark(node, f"{name}() of a name that is computed")
        elif chain == ("getattr",) and first is not None and len(node.args) > 1:
            self._getattr(node, first, node.args[1])
            return
        self.generic_visit(node)

    def _getattr(self, node: ast.Call, of: ast.expr, name: ast.expr) -> None:
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            self.visit(ast.copy_location(ast.Attribute(of, name.value, ast.Load()), node))
            rest = node.args[2:]
        else:
            if self._is_module(of):
                self._remark(node, f"getattr({ast.unparse(of)}, ...) of a name that is computed")
            rest = node.args
        for part in (node.func, *rest):
            self.visit(part)

    def _is_module(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id in self._modules

    def _remark(self, node: ast.expr, what: str) -> None:
        self.found.remarks.append((node.lineno, what))

    # Imports inside functions and classes

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        if self._scope is None:
            return
        inner = bound([node], self._package)
        for load in inner.loads:
            self._late(load)
            self.found.uses.append(Use((), load, node.lineno, value=False))
        if self._scope.is_class:
            self._scope.known.update(inner.names)

    visit_ImportFrom = visit_Import  # noqa: N815

    def _late(self, what: Imported) -> None:
        self.found.late.append(what)

    # Scopes

    def _inside(self, own: Bound, nodes: Iterable[ast.AST], *, is_class: bool = False) -> None:
        outer = self._scope
        self._scope = scope = _Scope(outer, own, is_class=is_class)
        for node in nodes:
            self.visit(node)
            if is_class and isinstance(node, _SURE) and getattr(node, "value", node) is not None:
                scope.known.update(
                    {name: own.names[name] for name in bound([node], "").names if name in own.names}
                )
        self._scope = outer

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for decorator in node.decorator_list:
            self.visit(decorator)
        self._function(node, node.body, getattr(node, "type_params", []))

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._function(node, [node.body], [])

    def _function(
        self,
        node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda,
        body: list[ast.stmt] | list[ast.expr],
        generic: list[ast.AST],
    ) -> None:
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        arguments += [one for one in (node.args.vararg, node.args.kwarg) if one is not None]
        for default in (*node.args.defaults, *node.args.kw_defaults):
            if default is not None:
                self.visit(default)
        kinds = self._generic(generic)
        for annotation in (*(one.annotation for one in arguments), getattr(node, "returns", None)):
            self._annotation(annotation)
        own = bound(body, self._package)
        for argument in arguments:
            own.add(argument.arg)
        self._inside(own, body)
        self._scope = kinds

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for decorator in node.decorator_list:
            self.visit(decorator)
        outer = self._generic(getattr(node, "type_params", []))
        for part in (*node.bases, *node.keywords):
            self.visit(part)
        self._inside(bound(node.body, self._package), node.body, is_class=True)
        self._scope = outer

    def _generic(self, parameters: list[ast.AST]) -> _Scope | None:
        """Enter the scope of type parameters, if there are any; the scope to go back to."""
        outer = self._scope
        if parameters:
            own = Bound({str(getattr(one, "name", "")): [None] for one in parameters})
            self._scope = _Scope(outer, own)
            for one in parameters:
                self.visit(one)
        return outer

    def generic_visit(self, node: ast.AST) -> None:
        if not isinstance(node, COMPREHENSIONS):
            super().generic_visit(node)
            return
        self.visit(node.generators[0].iter)  # in the scope around
        own = bound((generator.target for generator in node.generators), "")
        results = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        inner: list[ast.AST] = [*node.generators[0].ifs]
        for generator in node.generators[1:]:
            inner += [generator.iter, *generator.ifs]
        self._inside(own, [*inner, *results])


_SURE = (ast.Assign, ast.AnnAssign, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def is_type_checking(node: ast.If) -> bool:
    """Whether the block below an ``if`` is for type checkers only, and never runs."""
    match node.test:
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return True
    return False


def _chain(node: ast.expr) -> tuple[str, ...] | None:
    """``a.b.c`` as its parts; None if it does not begin with a name."""
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    return (node.id, *reversed(attributes)) if isinstance(node, ast.Name) else None
