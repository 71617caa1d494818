"""Which modules of the standard library and of installed packages an enclave loads: by looking.

A fresh interpreter takes an enclave's first steps with the cut source, and tells what files
it has loaded. To compute that from sources would mean to guess at what C code imports and
what packages choose at run time. See docs/design/reach.md.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from eactors.build import framework
from eactors.build.interpreter import mapped
from eactors.build.observer import PROGRAM
from eactors.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from eactors.build.reach import Reach

LIBRARY = f"{sys.platlibdir}/python{sys.version_info[0]}.{sys.version_info[1]}"
"""Where the standard library lies in an image."""

_ENTRY = ("eactors.enclave.entry", "encodings.ascii")  # the kernel's files are read as ASCII

_LATER = (("random", "_sha2"),)
"""What a module of the standard library imports only when it is used, and is often used for: since
Python 3.13 ``random`` to seed with text. Everything else of this kind has to be declared."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What the machine adds to the application's own source.

    Attributes:
        files: Files by their place in the image.
        interpreter: Files that stay outside of it, by name.
    """

    files: dict[str, Path]
    interpreter: dict[str, Path]


class Observation:
    """An observation under way; several may be at once. Made by `start`."""

    def __init__(
        self,
        reach: Reach,
        parts: framework.Parts,
        folder: tempfile.TemporaryDirectory[str],
        process: subprocess.Popen[bytes],
    ) -> None:
        self._reach = reach
        self._parts = parts
        self._folder = folder
        self._process = process

    @classmethod
    def start(cls, reach: Reach, scratch: Path, parts: framework.Parts = framework.BARE) -> Observation:
        """Start the interpreter, and return at once.

        Args:
            reach: The cut source of the enclave.
            scratch: A folder that may be written to; nothing is left in it.
            parts: What the enclave's plan asks for of the framework.
        """
        folder = tempfile.TemporaryDirectory(prefix="observe-", dir=scratch)
        home = Path(folder.name)
        for place, content in reach.files.items():
            file = home / place
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        for name in (*framework.TRUSTED, "__pycache__"):
            if name != "__init__.py" and (framework.FOLDER / name).exists():
                _link(home / "eactors" / name, framework.FOLDER / name)
        for compiled in parts.compiled():
            (home / "eactors" / compiled.name).symlink_to(compiled)
        settings = {
            "parent": os.getpid(),
            "framework": (*_ENTRY, *parts.modules),
            "paths": [str(path) for path in _site()],
            "file": f"app/{reach.source.name}",
            "module": reach.module,
            "beside": reach.beside,
            "classes": reach.classes,
            "later": _LATER,
            "late": [(late.module, late.name, late.required) for late in reach.late],
        }
        (home / "__main__.py").write_text(PROGRAM.format(settings=settings), encoding="utf-8")
        process = subprocess.Popen(  # noqa: S603 - our own interpreter on our own folder
            [str(Path(sys.executable).resolve()), "-P", "-s", "-S", "-B", str(home)],
            env={"PYTHONHASHSEED": "0"},
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return cls(reach, parts, folder, process)

    def collect(self) -> Observed:
        """Wait for the end, and tell what was seen.

        Raises:
            SourceError: The cut source cannot be loaded alone, or what it loads is no file
                that an image could hold.
        """
        home = Path(self._folder.name)
        try:
            status = self._process.wait()
            try:
                text = (home / "result").read_text(encoding="utf-8", errors="surrogateescape")
            except FileNotFoundError:
                raise SourceError(
                    f"{self._reach.source}: loading it for {self._who()} has ended the interpreter"
                    f" with status {status}"
                ) from None
            failure, origins, maps = ast.literal_eval(text)
        finally:
            self.cancel()
        if failure is not None:
            raise self._failed(home, *failure)
        files = {_place(home, name, Path(origin)): Path(origin) for name, origin in origins}
        compiled = {f"eactors/{path.name}": path for path in self._parts.compiled()}
        own = ("app/", "__main__.py", *compiled)
        files = {place: _real(place, path) for place, path in files.items() if not place.startswith(own)}
        files |= compiled
        # Python reads it before it has a list of modules to put it on.
        files["eactors/__init__.py"] = framework.FOLDER / "__init__.py"
        return _with_libraries(files, maps)

    def cancel(self) -> None:
        """End the interpreter if it still runs, and remove its folder."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    def _who(self) -> str:
        return ", ".join(self._reach.classes)

    def _failed(
        self, home: Path, kind: str, message: str, frames: Iterable[tuple[str, int, str]]
    ) -> SourceError:
        origins = self._reach.origins
        own = [
            (origins[place], line, name)
            for file, line, name in frames
            if (place := file.removeprefix(f"{home}/")) in origins
        ]
        where = f"{own[-1][0]}:{own[-1][1]}" if own else str(self._reach.source)
        error = SourceError(
            f"{where}: what {self._who()} need does not load by itself: {kind}: {message}",
            hint="an enclave has the standard library, installed packages, and what its actors use of the"
            " source; what is used in a way that cannot be seen is declared in the actor's class:"
            ' requires = ("package.module", "module:NAME")',
        )
        if own:
            shown = [f'  File "{file}", line {line}, in {name}' for file, line, name in own]
            error.add_note("\n".join(["Traceback (most recent call last):", *shown, f"{kind}: {message}"]))
        return error


def _link(place: Path, origin: Path) -> None:
    """Show the framework's file or folder in a place; of a folder with cut files, what it lacks."""
    if not place.exists():
        place.symlink_to(origin)
    elif place.is_dir():
        for inner in origin.iterdir():
            _link(place / inner.name, inner)


def _place(home: Path, module: str, path: Path) -> str:
    """Where a loaded file belongs in an image."""
    if path.is_relative_to(home):
        return str(path.relative_to(home))
    for root, place in _roots():
        if path.is_relative_to(root):
            return f"{place}/{path.relative_to(root)}"
    raise SourceError(
        f"the module {module} is loaded from {path}, which is neither installed nor beside the source",
        hint="install it into the Python environment that runs eactors",
    )


def _real(place: str, path: Path) -> Path:
    path = framework.FOLDER / place.removeprefix("eactors/") if place.startswith("eactors/") else path
    if not path.is_file():
        raise SourceError(
            f"{path} is not a file: an image cannot hold modules from archives", hint="install it unpacked"
        )
    return path


def _with_libraries(files: dict[str, Path], maps: Iterable[str]) -> Observed:
    """Add the shared libraries: those in packages to the image, the others to the interpreter."""
    known = {path.resolve() for path in files.values()}
    outside: dict[str, Path] = {}
    for path in mapped(maps):
        if path in known:
            continue
        place = next((place for root, place in _roots() if path.is_relative_to(root.resolve())), None)
        if place is not None:
            root = next(root for root, _ in _roots() if path.is_relative_to(root.resolve()))
            files[f"{place}/{path.relative_to(root.resolve())}"] = path
        elif outside.setdefault(path.name, path) != path:
            raise SourceError(f"two libraries are called {path.name}: {outside[path.name]} and {path}")
    return Observed(files, outside)


def _site() -> list[Path]:
    return sorted({Path(sysconfig.get_path(kind)) for kind in ("purelib", "platlib")})


@cache
def _roots() -> tuple[tuple[Path, str], ...]:
    # Packages first: they may lie within the folder of the standard library.
    library = {Path(sysconfig.get_path(kind)) for kind in ("stdlib", "platstdlib")}
    return (*((path, "site") for path in _site()), *((path, LIBRARY) for path in sorted(library)))
