"""Reading resources: files of the image that are no code. Only before the enclave is sealed."""

from __future__ import annotations

import os
import sys

from eactors.errors import EActorsError, SandboxViolation

_FOLDER = os.path.join(sys.path[0], "resources")  # noqa: PTH118 - no pathlib here; the image comes first


class ResourceNotInImage(EActorsError, LookupError):  # noqa: N818 - it names what is wrong
    """An actor asked for a resource that its image does not have."""


def read(actor: str, name: str) -> bytes:
    """The content of a resource.

    Raises:
        ResourceNotInImage: There is none of that name.
        SandboxViolation: The enclave is sealed.
    """
    # Only names as they were declared: nothing that leads out, nothing said in two ways.
    if name not in _names():
        raise ResourceNotInImage(
            f"actor {actor!r} has no resource {name!r}",
            hint=f"declare it in the actor's class: resources = ({name!r},)",
        )
    try:
        with open(os.path.join(_FOLDER, name), "rb") as file:  # noqa: PTH118, PTH123
            return file.read()
    except PermissionError as error:
        raise SandboxViolation(
            f"actor {actor!r} cannot read the resource {name!r} once its enclave is sealed",
            actor=actor,
            hint="read it in constructor(), and keep it",
        ) from error


def names(pattern: str) -> tuple[str, ...]:
    """Those that begin so, sorted."""
    return tuple(sorted(name for name in _names() if name.startswith(pattern)))


_known: set[str] = set()


def _names() -> set[str]:
    if not _known:
        for folder, _, files in os.walk(_FOLDER):
            below = folder[len(_FOLDER) + 1 :]
            _known.update(f"{below}/{file}" if below else file for file in files)
    return _known
