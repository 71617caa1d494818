"""What the tests of reach and images share: an application of a few files, and its classes."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from eactors import Actor
from eactors.build.reach import reach

if TYPE_CHECKING:
    from pathlib import Path

    from eactors.build.reach import Reach

SETTINGS = {
    "enclave": 1,
    "name": "bank",
    "product_id": 0,
    "security_version": 0,
    "debug": False,
    "platform": "simulation",
}


def actor(name: str, requires: Any = ()) -> type[Actor]:
    """Make a class as the source's import would."""
    return type(name, (Actor,), {"requires": requires})


def write(folder: Path, files: dict[str, str]) -> Path:
    """Write files below a folder, by their path there; the first one's path."""
    paths = [folder / name for name in files]
    for path, content in zip(paths, files.values(), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(content), encoding="utf-8")
    return paths[0]


def reached(
    folder: Path,
    source: str,
    *names: str,
    requires: tuple[str, ...] = (),
    files: dict[str, str] | None = None,
) -> Reach:
    """What the actor classes ``names`` (by default A) reach of ``app.py`` and other files."""
    path = write(folder, {"app.py": source, **(files or {})})
    return reach(path, [actor(name) for name in names or ("A",)], requires)


def text(found: Reach, place: str = "app/app.py") -> str:
    """A cut file without its empty lines."""
    return "\n".join(line for line in found.files[place].decode().split("\n") if line.strip())
