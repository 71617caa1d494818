"""Modules beside the application's source file, called by their place in the image as it is."""

from __future__ import annotations

import sys
from _frozen_importlib_external import FileFinder, SourceFileLoader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import Any


def install(folder: str, place: str) -> None:
    """Find them so from now on.

    Args:
        folder: The image.
        place: The folder of the application in it.
    """
    path = f"{folder}/{place}"
    sys.path_hooks.insert(0, _finder(folder, path))
    sys.path_importer_cache.pop(path, None)


def _finder(folder: str, place: str) -> Callable[[str], FileFinder]:
    """The hook of ``sys.path_hooks`` for them."""

    class Loader(SourceFileLoader):
        def source_to_code(self, data: Any, path: Any, **options: Any) -> CodeType:  # type: ignore[override]
            return super().source_to_code(data, path[len(folder) + 1 :], **options)

    def hook(path: str) -> FileFinder:
        if path != place and not path.startswith(f"{place}/"):
            raise ImportError(path)
        return FileFinder(path, (Loader, [".py"]))

    return hook
