"""The source files of an application: the one that was named, and those beside it.

A module is local if a file or package of its name lies beside the application's source. What
of `eactors` may be in an enclave counts as local, too, but only its lists of public names
are ever cut: its modules are read by whoever audits the framework, and stay whole.
"""

from __future__ import annotations

import ast
import builtins
import io
import sys
import tokenize
from functools import cached_property
from typing import TYPE_CHECKING

from eactors.build import framework
from eactors.build.statements import Statement, listed, statements
from eactors.errors import SourceError

if TYPE_CHECKING:
    from pathlib import Path

    from eactors.build.bindings import Imported


class Module:
    """One module of the application, or of the framework.

    Args:
        name: Its full name.
        path: Its file; None: a folder without ``__init__.py``.
        place: Where its file lies in an image.
        is_package: Whether it has submodules.
        whole: It is not cut, and nothing in it is looked at.

    Raises:
        SourceError: The file cannot be read or parsed.
    """

    def __init__(
        self, name: str, path: Path | None, place: str, *, is_package: bool, whole: bool = False
    ) -> None:
        self.name = name
        self.path = path
        self.place = place
        self.is_package = is_package
        self.whole = whole
        self.text = "" if path is None or whole else _read(path)
        try:
            self._tree = ast.parse(self.text)
        except (SyntaxError, ValueError, RecursionError) as error:
            line = getattr(error, "lineno", None)
            where = f"{path}:{line}" if line else str(path)
            raise SourceError(f"{where}: this module of the application cannot be parsed: {error}") from error

    @property
    def package(self) -> str:
        """What its relative imports are relative to."""
        return self.name if self.is_package else self.name.rpartition(".")[0]

    @cached_property
    def statements(self) -> list[Statement]:
        """Its statements, in their order."""
        return statements(self._tree, self.package)

    @cached_property
    def by_name(self) -> dict[str, list[Statement]]:
        """The statements that belong to each name."""
        found: dict[str, list[Statement]] = {}
        for statement in self.statements:
            for name in statement.names:
                # A statement that only calls print() belongs to nobody.
                if name in self.bindings or not hasattr(builtins, name):
                    found.setdefault(name, []).append(statement)
        return found

    @cached_property
    def bindings(self) -> dict[str, list[Imported | None]]:
        """All that each name is bound to."""
        found: dict[str, list[Imported | None]] = {}
        for statement in self.statements:
            for name, values in statement.bound.names.items():
                found.setdefault(name, []).extend(values)
            for name in statement.uses.stores:
                found.setdefault(name, []).append(None)
        return found

    @cached_property
    def exports(self) -> list[str] | None:
        """What ``__all__`` lists; None if there is none, or it is computed."""
        lists = [listed(statement.node) for statement in self.by_name.get("__all__", ())]
        return lists[0] if len(lists) == 1 else None


class Modules:
    """The modules of one application, read when first asked for.

    Args:
        source: The application's source file.
        name: What it is called as a module.
    """

    def __init__(self, source: Path, name: str) -> None:
        self.source = source
        self._folder = source.parent
        self.main = Module(name, source, f"app/{source.name}", is_package=False)
        self._known: dict[str, Module | None] = {name: self.main}

    def find(self, name: str) -> Module | None:
        """The module of that name; None if it belongs neither to the application nor to the framework."""
        if name not in self._known:
            parent = name.rpartition(".")[0]
            self._known[name] = None if parent and self.find(parent) is None else self._open(name)
        return self._known[name]

    def _open(self, name: str) -> Module | None:
        top, _, below = name.partition(".")
        if top == framework.PACKAGE:
            return _of_framework(name, below)
        if top in sys.builtin_module_names or top in framework.FROZEN:
            return None
        relative = name.replace(".", "/")
        package = self._folder / relative / "__init__.py"
        if package.is_file():
            return Module(name, package, f"app/{relative}/__init__.py", is_package=True)
        file = self._folder / f"{relative}.py"
        if file.is_file() and file != self.source:
            return Module(name, file, f"app/{relative}.py", is_package=False)
        folder = self._folder / relative
        if folder.is_dir() and any(folder.glob("*.py")) and not _is_installed(top):
            return Module(name, None, f"app/{relative}", is_package=True)
        return None


def _of_framework(name: str, below: str) -> Module | None:
    found = framework.file_of(below)
    if found is None:
        return None
    return Module(
        name,
        found,
        f"eactors/{found.relative_to(framework.FOLDER)}",
        is_package=found.name == "__init__.py",
        whole=below not in framework.LISTS,
    )


def _is_installed(name: str) -> bool:
    # Python prefers any real module to a folder without __init__.py.
    loaded = sys.modules.get(name)
    return name in sys.stdlib_module_names or getattr(loaded, "__file__", None) is not None


def _read(path: Path) -> str:
    try:
        data = path.read_bytes()
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
    except (OSError, SyntaxError, ValueError) as error:
        raise SourceError(f"{path} cannot be read: {error}") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")
