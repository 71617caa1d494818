"""Reach: what the actors of one enclave can come to use of the application's source.

See docs/design/reach.md. The result is source text, cut at the level of module-level
definitions; what the standard library and installed packages add is observed, not
computed: `eactors.build.observe`.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eactors.build.bindings import Imported
from eactors.build.cut import all_of, cut, import_of
from eactors.build.framework import PACKAGE
from eactors.build.modules import Modules
from eactors.build.resources import resources_of
from eactors.build.source import module_name
from eactors.build.statements import listed
from eactors.build.walk import Walk
from eactors.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from eactors.actor import Actor
    from eactors.build.cut import Piece
    from eactors.build.modules import Module
    from eactors.build.statements import Statement


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that cannot be seen without running the code; ``requires`` has to declare what it uses."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        """One line to print."""
        return f"{self.file}:{self.line}: {self.what} can reach what cannot be seen; declare that as requires"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A definition that is not in the enclave; ``name`` None: a whole module, ``line`` 0."""

    module: str
    name: str | None
    line: int


@dataclass(frozen=True, slots=True)
class Late:
    """A module to have in the image though loading the application does not import it.

    Attributes:
        module: The full name.
        name: A name to take of it, that may be a submodule.
        required: It was declared: not to find it is an error.
    """

    module: str
    name: str | None
    required: bool


@dataclass(frozen=True, slots=True)
class Reach:
    """What one enclave has of the application's source.

    Attributes:
        source: The application's source file.
        module: What it is called as a module.
        classes: Names of the actor classes.
        files: The cut files by their place in the image; ``eactors/__init__.py`` is one.
        origins: The user's file of each.
        resources: Files that are no code, by their place in the image.
        late: Modules that functions import, and those declared.
        remarks: What could not be seen.
        left_out: What is not in the enclave, in the order of modules and lines.
    """

    source: Path
    module: str
    classes: tuple[str, ...]
    files: dict[str, bytes]
    origins: dict[str, Path]
    resources: dict[str, Path]
    late: tuple[Late, ...]
    remarks: tuple[Remark, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def beside(self) -> bool:
        """Whether there are modules beside the application's source file."""
        return sum(place.startswith("app/") for place in self.files) > 1


def reach(source: Path, classes: Sequence[type[Actor]], requires: Sequence[str] = ()) -> Reach:
    """Follow the names that the actors of one enclave use.

    Args:
        source: The application's source file, with its whole path.
        classes: Classes of the enclave's actors, each once or more.
        requires: What the deployment declares besides the classes' own ``requires``:
            modules as ``"package.module"``, definitions of local modules as ``"module:name"``.

    Raises:
        SourceError: A module cannot be parsed, does not run in enclaves, or what is
            required is not there.
    """
    modules = Modules(source, module_name(source))
    walk = Walk(modules)
    walk.load(Imported(modules.main.name, None, 0), None)
    names = sorted({cls.__name__ for cls in classes})
    for name in names:
        if name not in modules.main.bindings:
            raise SourceError(
                f"{source}: the actor class {name} is not defined by a statement of its own",
                hint="define actor classes with 'class' at the level of the module",
            )
        walk.name(modules.main, name)
    declared = _declared(modules, walk, [*requires, *_of_classes(classes)])
    walk.load(Imported(PACKAGE, None, 0), None)
    walk.run()
    kept = {name: modules.find(name) for name in walk.kept}
    files = [
        module
        for module in kept.values()
        if module is not None and module.path is not None and not module.whole
    ]
    late = {*declared, *(Late(module, name, required=False) for module, name in walk.late)}
    return Reach(
        source=source,
        module=modules.main.name,
        classes=tuple(names),
        files={module.place: cut(module.text, _pieces(module, walk)) for module in files},
        origins={module.place: module.path for module in files if module.path is not None},
        resources=resources_of(source, classes),
        late=tuple(sorted(late, key=lambda one: (one.module, one.name or "", one.required))),
        remarks=tuple(Remark(*remark) for remark in sorted(walk.remarks)),
        left_out=tuple(_left_out(modules, walk)),
    )


def _of_classes(classes: Iterable[type[Actor]]) -> Iterator[str]:
    for cls in classes:
        requires = getattr(cls, "requires", ())
        if not isinstance(requires, tuple | list) or not all(isinstance(one, str) for one in requires):
            raise SourceError(
                f"{cls.__name__}.requires is {requires!r}, and not a tuple of strings",
                hint='write requires = ("package.module", "module:NAME")',
            )
        yield from requires


def _declared(modules: Modules, walk: Walk, requires: Iterable[str]) -> Iterator[Late]:
    declared = []
    for one in requires:
        name, _, definition = one.partition(":")
        if not all(part.isidentifier() for part in (*name.split("."), definition or "x")):
            raise SourceError(
                f"requires {one!r}, which is neither a module nor a definition in one",
                hint='write "package.module" or "module:NAME"',
            )
        module = modules.find(name)
        if module is None:
            declared.append(Late(name, None, required=True))
            continue
        if definition and definition not in module.bindings:
            raise SourceError(
                f"requires {one!r}, but {module.path} defines no {definition}",
                hint="name something that the module defines at its level",
            )
        walk.load(Imported(name, None, 0), None)
        if definition:
            walk.name(module, definition)
        else:
            walk.everything(module)
        declared.append(Late(name, definition or None, required=True))
    return iter(declared)


def _pieces(module: Module, walk: Walk) -> Iterator[Piece]:
    """The statements of a module that stay, imports with those of their names that do."""
    kept = [statement for statement in module.statements if id(statement) in walk.kept[module.name]]
    imports: dict[int, list[Statement]] = {}
    for statement in kept:
        imports.setdefault(id(statement.node), []).append(statement)
    for same in imports.values():
        node = same[0].node
        exported = listed(node)
        if isinstance(node, ast.Import | ast.ImportFrom) and len(same) < len(node.names):
            yield node, import_of(node, [one.alias for one in same if one.alias is not None])
        elif exported is not None:
            there = [name for name in exported if _is_there(module, name, walk)]
            yield node, None if there == exported else all_of(there)
        else:
            yield node, None


def _is_there(module: Module, name: str, walk: Walk) -> bool:
    return name in walk.names[module.name] or f"{module.name}.{name}" in walk.kept


def _left_out(modules: Modules, walk: Walk) -> Iterator[LeftOut]:
    for module in sorted(_all(modules), key=lambda one: (one is not modules.main, one.name)):
        if module.name not in walk.kept:
            yield LeftOut(module.name, None, 0)
            continue
        reached = walk.names[module.name]
        for statement in module.statements:
            gone = id(statement) not in walk.kept[module.name] and statement.alias is None
            for name in sorted(statement.bound.names) if gone else ():
                if name not in reached and not (name.startswith("__") and name.endswith("__")):
                    yield LeftOut(module.name, name, statement.node.lineno)


def _all(modules: Modules) -> Iterator[Module]:
    """Every module of the application that its source can come to import."""
    todo, seen = [modules.main], set()
    while todo:
        module = todo.pop()
        if module.name in seen or module.whole or module.name == PACKAGE:
            continue
        seen.add(module.name)
        yield module
        for statement in module.statements:
            for one in (*statement.bound.loads, *statement.bound.stars, *statement.uses.late):
                parts = one.module.split(".")
                wanted = [".".join(parts[: end + 1]) for end in range(len(parts))]
                if one.name is not None:
                    wanted.append(f"{one.module}.{one.name}")
                todo += [
                    found
                    for name in wanted
                    if parts[0] != PACKAGE and (found := modules.find(name)) is not None
                ]
