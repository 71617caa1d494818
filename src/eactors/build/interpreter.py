"""The Python that an enclave runs on: its binary and the shared libraries below it.

They are no files of the image, since every machine has its own, but the image names each
with its hash, and so they are measured.
"""

from __future__ import annotations

import hashlib
import platform
import sys
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eactors.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MAPS = "/proc/self/maps"
_LIBRARIES = ("/lib", "/usr/lib", "/usr/local/lib", "/lib64", "/usr/lib64")


def describe(files: Mapping[str, Path]) -> dict[str, Any]:
    """What an image says of its interpreter.

    Args:
        files: The binary and libraries by name.
    """
    return {
        "version": platform.python_version(),
        "implementation": sys.implementation.cache_tag,
        "files": {name: digest(path) for name, path in files.items()},
    }


def check(title: str, described: Mapping[str, Any], executable: Path) -> None:
    """Compare this machine's interpreter with what an image says.

    Args:
        title: What to call the image.
        described: As `describe` has made it.
        executable: The binary that will run the enclave: the one that runs this process.

    Raises:
        ImageError: Naming what differs, or is not here.
    """
    for what in ("version", "implementation"):
        here = describe({})[what]
        if described[what] != here:
            raise _differs(
                title, f"the interpreter is {here}, and the image was built with {described[what]}"
            )
    places = _places(executable)
    for name, expected in sorted(described["files"].items()):
        path = places.get(name) or next(_search(name, places.values()), None)
        if path is None:
            raise _differs(
                title, f"{name} is part of the interpreter that it was built with, and is not here"
            )
        if digest(path) != expected:
            raise _differs(title, f"{path} is another {name} than the one that it was built with")


def mapped(lines: Iterable[str]) -> Iterator[Path]:
    """The files of code in a process, from the lines of its ``maps``."""
    for line in lines:
        fields = line.rstrip("\n").split(maxsplit=5)
        if len(fields) > 5 and "x" in fields[1] and fields[5].startswith("/"):  # noqa: PLR2004 - the path is the sixth
            yield Path(fields[5])


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex; of one that did not change it is computed once."""
    status = path.stat()
    return _digest(path, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


@lru_cache(maxsize=256)
def _digest(path: Path, size: int, modified: int, changed: int) -> str:  # noqa: ARG001 - the key of the cache
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _places(executable: Path) -> dict[str, Path]:
    """What this process itself has mapped, which the loader would map again."""
    with open(MAPS, encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123 - not a Path
        places = {path.name: path for path in mapped(file)}
    executable = executable.resolve()
    return places | {executable.name: executable}


def _search(name: str, known: Iterable[Path]) -> Iterator[Path]:
    folders = dict.fromkeys([*(path.parent for path in known), *map(Path, _LIBRARIES)])
    return (folder / name for folder in folders if (folder / name).is_file())


def _differs(title: str, words: str) -> ImageError:
    return ImageError(f"{title}: {words}", hint="build the deployment again on a machine like this one")
