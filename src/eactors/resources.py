"""Reading resources: files beside the source that an image has, measured like its code.

An actor class declares them, ``resources = ("site/*",)``, and reads them in ``constructor()``:
afterwards its enclave is sealed, and there are no files.
"""

from __future__ import annotations

import os
import sys

from eactors.errors import EActorsError, SandboxViolation

__all__ = ["ResourceNotInImage", "read_resource", "resource_names"]

_FOLDER = os.path.join(sys.path[0], "resources")  # noqa: PTH118 - no pathlib here; the image comes first


class ResourceNotInImage(EActorsError, LookupError):  # noqa: N818 - it names what is wrong
    """A resource was asked for that the image does not have."""


def read_resource(name: str) -> bytes:
    """The content of a resource.

    Args:
        name: Its path relative to the source: ``"site/index.html"``.

    Raises:
        ResourceNotInImage: There is none of that name.
        SandboxViolation: The enclave is sealed already.
    """
    # Only names as they were declared: nothing that leads out, nothing said in two ways.
    if name not in _known:
        raise ResourceNotInImage(
            f"this enclave has no resource {name!r}",
            hint=f"declare it in the actor's class: resources = ({name!r},)",
        )
    try:
        with open(os.path.join(_FOLDER, name), "rb") as file:  # noqa: PTH118, PTH123
            return file.read()
    except PermissionError as error:
        raise SandboxViolation(
            f"the resource {name!r} cannot be read once the enclave is sealed",
            hint="read it in constructor(), and keep it",
        ) from error


def resource_names(below: str = "") -> tuple[str, ...]:
    """The names of all resources that begin with ``below``, sorted."""
    return tuple(sorted(name for name in _known if name.startswith(below)))


_known = {
    os.path.join(folder, file)[len(_FOLDER) + 1 :]  # noqa: PTH118
    for folder, _, files in os.walk(_FOLDER)
    for file in files
}
