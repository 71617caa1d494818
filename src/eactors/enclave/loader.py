"""Loading an application's source file, and the modules beside it.

In an enclave their code is called by its place in the image, such as ``app/pingpong.py``:
where the run keeps its copy is nothing to show, while the host knows which of the
user's files each place means.
"""

from __future__ import annotations

import sys
from _frozen_importlib_external import FileFinder, SourceFileLoader
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import Any


def load(folder: str, file: str, name: str) -> ModuleType:
    """Execute the application's source in an enclave.

    Args:
        folder: The image.
        file: The source file's place in it.
        name: The module's name.

    Raises:
        Exception: Whatever the file raises, and SyntaxError.
    """
    place = f"{folder}/{file.partition('/')[0]}"
    sys.path_hooks.insert(0, _finder(folder, place))
    sys.path_importer_cache.pop(place, None)
    return execute(f"{folder}/{file}", name, file)


def execute(path: str, name: str, shown: str) -> ModuleType:
    """Execute a source file as module ``name``.

    Args:
        path: The file to read.
        name: The module's name.
        shown: The path that tracebacks show.

    Raises:
        Exception: Whatever the file raises, and SyntaxError.
    """
    with open(path, "rb") as file:  # noqa: PTH123 - pathlib would cost every enclave its memory
        code = compile(file.read(), shown, "exec", dont_inherit=True)
    module = ModuleType(name)
    module.__file__ = shown
    # Typed messages look their annotations up in the module by its name.
    sys.modules[name] = module
    exec(code, module.__dict__)  # noqa: S102 - this is what running an application is
    return module


def _finder(folder: str, place: str) -> Callable[[str], FileFinder]:
    """What finds the modules beside the source; the hook of ``sys.path_hooks`` for them."""

    class Loader(SourceFileLoader):
        def source_to_code(self, data: Any, path: Any, **options: Any) -> CodeType:  # type: ignore[override]
            return super().source_to_code(data, path[len(folder) + 1 :], **options)

    def hook(path: str) -> FileFinder:
        if path != place and not path.startswith(f"{place}/"):
            raise ImportError(path)
        return FileFinder(path, (Loader, [".py"]))

    return hook
