"""Resources: files that are no code, declared in an actor's class, and measured with its image.

    class Shop(AsyncActor):
        resources = ("site/*", "site/images/*")

Patterns are relative to the folder of the source file, and lead nowhere out of it: what an
image holds must be there for whoever builds it again.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from eactors.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from eactors.actor import Actor

FOLDER = "resources"
"""Where they lie in an image."""


def resources_of(source: Path, classes: Iterable[type[Actor]]) -> dict[str, Path]:
    """The resources of the actors of one enclave: files by their place in the image.

    Args:
        source: The application's source file.
        classes: The actors' classes.

    Raises:
        SourceError: A pattern is none, leads out of the source's folder, or matches no file.
    """
    folder = source.parent.resolve()
    found: dict[str, Path] = {}
    for cls in classes:
        for pattern in _patterns(cls):
            where = f"{cls.__name__}.resources: {pattern!r}"
            files = dict(_matching(folder, pattern, where))
            if not files:
                raise SourceError(
                    f"{where} is no file in {folder}", hint="patterns are those of glob: site/*"
                )
            found |= files
    return dict(sorted(found.items()))


def _patterns(cls: type[Actor]) -> tuple[str, ...]:
    patterns: object = getattr(cls, "resources", ())
    if not isinstance(patterns, tuple | list) or not all(isinstance(one, str) and one for one in patterns):
        raise SourceError(
            f"{cls.__name__}.resources is {patterns!r}, and not a tuple of strings",
            hint='write resources = ("site/*",)',
        )
    return tuple(patterns)


def _matching(folder: Path, pattern: str, where: str) -> Iterator[tuple[str, Path]]:
    parts = PurePosixPath(pattern).parts
    if pattern.startswith("/") or ".." in parts:
        raise SourceError(
            f"{where} leads out of the source's folder", hint="keep resources beside or below the source"
        )
    for path in folder.glob(pattern):
        if not path.is_file():
            continue
        name = path.relative_to(folder).as_posix()
        if not path.resolve().is_relative_to(folder):
            raise SourceError(f"{where}: {name} is a link that leads out of {folder}", hint="copy the file")
        if not name.isprintable() or "\\" in name:
            raise SourceError(f"{where}: {name!r} cannot be the name of a file in an image", hint="rename it")
        yield f"{FOLDER}/{name}", path
