"""Following names from the actors of one enclave through the application's modules.

A name reaches every statement that binds it or belongs to it; a statement reaches all that
it uses. A module reached as a value (passed on, stored, listed) is reached whole, for
nobody can tell what will be taken of it.
"""

from __future__ import annotations

import builtins
from collections import deque
from typing import TYPE_CHECKING

from eactors.build.bindings import Imported
from eactors.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from eactors.build.modules import Module, Modules
    from eactors.build.names import Use
    from eactors.build.statements import Statement


class Walk:
    """What has been reached so far.

    Args:
        modules: The application's modules.

    Attributes:
        names: The names reached, by module.
        kept: The statements reached, by module.
        late: What has to be there without an import that runs when a module is loaded.
        remarks: File, line and words of what could not be seen.
    """

    def __init__(self, modules: Modules) -> None:
        self._modules = modules
        self._todo: deque[Callable[[], None]] = deque()
        self._followed: set[tuple[str, str | None, tuple[str, ...], bool]] = set()
        self._whole: set[str] = set()
        self.names: dict[str, set[str]] = {}
        self.kept: dict[str, set[int]] = {}
        self.late: set[tuple[str, str | None]] = set()
        self.remarks: set[tuple[str, int, str]] = set()

    def run(self) -> None:
        """Follow everything to its end."""
        while self._todo:
            self._todo.popleft()()

    def load(self, wanted: Imported, importer: Module | None) -> Module | None:
        """Reach a module with the packages around it, and nothing in them.

        Raises:
            SourceError: It is a part of the framework that does not run in enclaves.
        """
        try:
            module = self._modules.find(wanted.module)
        except SourceError as error:
            if importer is None or str(importer.path) in str(error):
                raise
            raise SourceError(f"{importer.path}:{wanted.line}: {error}", hint=error.hint) from error
        if module is not None and module.name not in self.kept:
            self.kept[module.name] = set()
            self.names[module.name] = set()
            above = module.name.rpartition(".")[0]
            if above:
                self.load(Imported(above, None, wanted.line), importer)
            for statement in module.statements:
                if statement.always:
                    self._statement(module, statement)
        return module

    def name(self, module: Module, name: str) -> None:
        """Reach a name of a module."""
        self.load(Imported(module.name, None, 0), module)
        if name in self.names[module.name]:
            return
        self.names[module.name].add(name)
        statements = module.by_name.get(name, [])
        for statement in statements:
            self._statement(module, statement)
            if name in statement.uses.stores:  # a function that sets it does so when it is called
                for function in statement.bound.names:
                    self.name(module, function)
        if name not in module.bindings:
            self._through_stars(module, name)
            self._later(lambda: self.name(module, "__getattr__"), needed=name != "__getattr__")

    def everything(self, module: Module) -> None:
        """Reach a whole module."""
        if module.name not in self._whole:
            self._whole.add(module.name)
            for name in module.by_name:
                self.name(module, name)
            for statement in module.statements:
                if not statement.never:
                    self._statement(module, statement)

    def follow(self, root: Imported, chain: tuple[str, ...], importer: Module, *, value: bool = True) -> None:
        """Reach what an import means, and the attributes that are taken of it.

        Args:
            root: The import.
            chain: Attributes, taken one of the other.
            importer: Who does.
            value: Whether what is found at the end is used, and not only imported.
        """
        key = (root.module, root.name, chain, value)
        if key in self._followed:
            return
        self._followed.add(key)
        module = self.load(root, importer)
        if module is None and root.name is None and chain:
            # It may be a submodule that the package loads when it is first asked for it.
            self.late.add((root.module, chain[0]))
        path = chain if root.name is None else (root.name, *chain)
        while module is not None and path:
            part, path = path[0], path[1:]
            below = None if part in module.bindings else self._below(module, part, root.line, importer)
            if below is None:
                self.name(module, part)
                self._through(module, part, path, value=value)
                return
            module = below
        if module is not None and value:
            self.everything(module)

    def _below(self, module: Module, name: str, line: int, importer: Module) -> Module | None:
        return (
            self.load(Imported(f"{module.name}.{name}", None, line), importer) if module.is_package else None
        )

    def _through(self, module: Module, name: str, rest: tuple[str, ...], *, value: bool) -> None:
        """Go on where ``name`` itself is something imported."""
        for root in module.bindings.get(name, ()):
            if root == Imported(module.name, name, getattr(root, "line", 0)):  # from . import name
                self.follow(Imported(f"{module.name}.{name}", None, root.line), rest, module, value=value)
            elif root is not None:
                self.follow(root, rest, module, value=value)

    def _through_stars(self, module: Module, name: str) -> None:
        """Look for a name that only ``from other import *`` can have brought."""
        if module.whole or hasattr(builtins, name) or name.startswith("__"):
            return
        for statement in module.statements:
            for star in statement.bound.stars:
                other = self.load(star, module)
                if other is None:
                    self._statement(module, statement)
                elif name in self._exports(other):
                    self._statement(module, statement)
                    self.name(other, "__all__")
                    self.follow(Imported(other.name, name, star.line), (), module)

    def _exports(self, module: Module) -> set[str]:
        if module.exports is not None:
            return set(module.exports)
        if "__all__" in module.bindings:  # computed: take it as it is
            self.everything(module)
            return set(module.bindings)
        names = {name for name in module.bindings if not name.startswith("_")}
        for statement in module.statements:
            for star in statement.bound.stars:
                other = self._modules.find(star.module)
                names |= set() if other is None else self._exports(other)
        return names

    def _statement(self, module: Module, statement: Statement) -> None:
        key = id(statement)
        if key in self.kept[module.name]:
            return
        self.kept[module.name].add(key)
        self._later(lambda: self._used_by(module, statement))

    def _used_by(self, module: Module, statement: Statement) -> None:
        for load in statement.bound.loads:
            self.follow(load, (), module, value=False)
        for star in statement.bound.stars:
            self.load(star, module)
        for use in statement.uses.uses:
            self._use(module, use)
        self.late |= {(late.module, late.name) for late in statement.uses.late}
        self.remarks |= {(str(module.path), line, words) for line, words in statement.uses.remarks}

    def _use(self, module: Module, use: Use) -> None:
        if use.root is not None:
            self.follow(use.root, use.chain, module, value=use.value)
            return
        name, rest = use.chain[0], use.chain[1:]
        self.name(module, name)
        self._through(module, name, rest, value=True)

    def _later(self, step: Callable[[], None], *, needed: bool = True) -> None:
        if needed:
            self._todo.append(step)
