"""The folder of one enclave: the application's source, the trusted part of EActors, the plan."""

from __future__ import annotations

import contextlib
import json
import shutil
from modulefinder import ModuleFinder
from pathlib import Path
from typing import TYPE_CHECKING, Any

import eactors
from eactors import _native

if TYPE_CHECKING:
    from collections.abc import Iterator

TRUSTED = (
    "__init__.py",
    "actor.py",
    "connector.py",
    "enclave",
    "errors.py",
    "mbox.py",
    "placement.py",
    "platform",
    "private.py",
)
"""What of this package runs inside an enclave, besides the native module."""

_START = "import sys\n\nfrom eactors.enclave.entry import main\n\nmain(sys.path[0])\n"


def write_folder(folder: Path, source: Path, plan: dict[str, Any]) -> None:
    """Write the folder from which one enclave starts.

    Args:
        folder: Where; must not exist.
        source: The application's source file.
        plan: The enclave's plan.
    """
    application = folder / "app"
    application.mkdir(parents=True)
    for file in [source, *local_imports(source)]:
        target = application / file.relative_to(source.parent)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, target)
    package = folder / "eactors"
    package.mkdir()
    here = Path(eactors.__path__[0])
    for name in TRUSTED:
        # With their compiled forms, which stay valid as copy2 keeps the files' times.
        _copy(here / name, package / name)
        cached = here / "__pycache__"
        for compiled in cached.glob(f"{Path(name).stem}.*.pyc") if name.endswith(".py") else ():
            # They only save time; another Python may be replacing them right now.
            with contextlib.suppress(FileNotFoundError):
                _copy(compiled, package / "__pycache__" / compiled.name)
    native = Path(str(_native.__spec__.origin))
    shutil.copy2(native, package / native.name)
    (folder / "plan.json").write_text(json.dumps(plan, indent=1), encoding="utf-8")
    (folder / "__main__.py").write_text(_START, encoding="utf-8")


def _copy(origin: Path, target: Path) -> None:
    if origin.is_dir():
        shutil.copytree(origin, target)
    else:
        target.parent.mkdir(exist_ok=True)
        shutil.copy2(origin, target)


def local_imports(source: Path) -> Iterator[Path]:
    """The files beside ``source`` that it imports, directly or not."""
    finder = ModuleFinder(path=[str(source.parent)])
    finder.run_script(str(source))
    for name, module in finder.modules.items():
        file = getattr(module, "__file__", None)
        if name != "__main__" and file is not None:
            yield Path(file)
