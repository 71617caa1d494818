"""Writing an image: cut source, the framework, what was observed, and the plan."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from eactors.build import framework, interpreter
from eactors.build.canonical import canonical
from eactors.build.compiled import compiled, place_of
from eactors.build.description import DESCRIPTION, PLAN, describe, origin_of
from eactors.build.image import Image
from eactors.build.observe import LIBRARY
from eactors.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from eactors.build.observe import Observed
    from eactors.build.reach import Reach

_CHUNK = 1 << 20
_COMPILED = ("eactors/", f"{LIBRARY}/", "site/")
"""Not the application's own, which is small, and loaded so that tracebacks name the user's files."""


def write_image(
    folder: Path,
    reach: Reach,
    observed: Observed | None,
    settings: Mapping[str, Any],
    plan: Mapping[str, Any],
) -> Image:
    """Write the image of one enclave.

    Args:
        folder: Where; must not exist, or be empty.
        reach: The application's source as far as the enclave reaches it.
        observed: What the machine adds. None, for the untrusted side: all that the framework
            has for enclaves, and neither standard library nor packages.
        settings: What is measured besides the files.
        plan: The enclave's plan.

    Returns:
        The image, not signed.

    Raises:
        ImageError: A file cannot be read or written.
    """
    files: dict[str, dict[str, Any]] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for place, source in _contents(reach, observed, plan):
            if place not in files:
                files[place] = {**_write(folder / place, source), "origin": origin_of(place)}
                if place.endswith(".py") and place.startswith(_COMPILED):
                    cached = place_of(place)
                    files[cached] = {
                        **_write(folder / cached, compiled(place, source)),
                        "origin": origin_of(place),
                    }
        used = interpreter.describe({} if observed is None else observed.interpreter)
        description = describe(settings, used, files)
        (folder / DESCRIPTION).write_bytes(description)
    except OSError as error:
        raise ImageError(f"the image {folder} cannot be written: {error}") from error
    return Image(folder, description, dict(settings), used, files, None)


def _contents(
    reach: Reach, observed: Observed | None, plan: Mapping[str, Any]
) -> Iterator[tuple[str, bytes | Path]]:
    yield "__main__.py", framework.START
    yield PLAN, canonical(plan)
    yield from reach.files.items()
    yield from reach.resources.items()
    if observed is not None:
        yield from observed.files.items()
        return
    for path in framework.trusted_files():
        yield f"eactors/{path.relative_to(framework.FOLDER)}", path
    for native in (framework.NATIVE, framework.STORE):
        yield f"eactors/{native.name}", native


def _write(target: Path, source: bytes | Path) -> dict[str, Any]:
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with target.open("xb") as out:
        for chunk in [source] if isinstance(source, bytes) else _chunks(source):
            out.write(chunk)
            digest.update(chunk)
            size += len(chunk)
    return {"sha256": digest.hexdigest(), "size": size}


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
