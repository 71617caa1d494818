"""What ``image.json`` says: every file, the settings, and the interpreter.

It may come from whoever holds the disk, so its size and form are checked before any of it
is used, and no name in it leads out of the image's folder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eactors.build.canonical import canonical, parse
from eactors.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = 1
DESCRIPTION, SIGSTRUCT, PLAN = "image.json", "sigstruct.bin", "plan.json"
MOST_FILES = 100_000
_HASH_DIGITS = 64
_SETTINGS = {
    "enclave": int,
    "name": str,
    "product_id": int,
    "security_version": int,
    "debug": bool,
    "platform": str,
}
_SIMULATION = ("simulation", "audit")
_PARTS: dict[str, dict[str, type]] = {
    "settings": _SETTINGS,
    "interpreter": {"version": str, "implementation": str, "files": dict},
}


def refused(title: str, words: str, hint: str = "build the deployment again") -> ImageError:
    """The error of an image that is not what was built."""
    return ImageError(f"{title}: {words}", hint=hint)


def describe(
    settings: Mapping[str, Any], used: Mapping[str, Any], files: Mapping[str, Mapping[str, Any]]
) -> bytes:
    """The ``image.json`` of an image."""
    return canonical({"format": FORMAT, "settings": settings, "interpreter": used, "files": files})


def origin_of(path: str) -> str:
    """Who wrote a file of an image: one of `eactors.build.summary.ORIGINS`.

    What stands for the hardware on the platform "simulation" is of the origin ``simulation``:
    it is in no image for hardware.
    """
    top, _, rest = path.partition("/")
    if rest.startswith("platform/") and rest.rpartition("/")[2].partition(".")[0] in _SIMULATION:
        return "simulation"
    known = {
        "app": "application",
        PLAN: "application",
        "resources": "resources",
        "eactors": "eactors",
        "__main__.py": "eactors",
    }
    return known.get(top) or ("third-party" if top == "site" else "standard library")


def read(title: str, description: bytes) -> dict[str, Any]:
    """Read an ``image.json``.

    Args:
        title: What to call the image.
        description: The content of the file.

    Raises:
        ImageError: It is none, or of another format.
    """
    try:
        content = parse(description)
    except ValueError as error:
        raise refused(title, f"{DESCRIPTION} is damaged: {error}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        shown = repr(content.get("format"))[:20] if isinstance(content, dict) else "none"
        raise refused(title, f"the image has format {shown}, and this version reads {FORMAT}")
    if content.keys() != {"format", "files", *_PARTS}:
        raise refused(title, f"{DESCRIPTION} has not the parts that an image has")
    for part, kinds in _PARTS.items():
        values = content[part]
        if not isinstance(values, dict) or any(
            type(values.get(name)) is not kind for name, kind in kinds.items()
        ):
            raise refused(title, f"{DESCRIPTION} has wrong {part}")
    hashes = content["interpreter"]["files"]
    if not all(_is_hash(value) and _is_path(name) and "/" not in name for name, value in hashes.items()):
        raise refused(title, f"{DESCRIPTION} has a wrong interpreter")
    if not isinstance(content["files"], dict) or len(content["files"]) > MOST_FILES:
        raise refused(title, f"{DESCRIPTION} lists no files, or too many")
    for path, entry in content["files"].items():
        _check_entry(title, path, entry)
    return content


def _check_entry(title: str, path: str, entry: object) -> None:
    if not _is_path(path) or path in (DESCRIPTION, SIGSTRUCT):
        raise refused(title, f"{path[:80]!r} cannot be the name of a file in an image")
    if not isinstance(entry, dict) or entry.keys() != {"sha256", "size", "origin"}:
        raise refused(title, f"{DESCRIPTION} says of {path} what it says of no file")
    if type(entry["size"]) is not int or not _is_hash(entry["sha256"]) or entry["origin"] != origin_of(path):
        raise refused(title, f"{DESCRIPTION} has a wrong entry for {path}")


def _is_path(path: str) -> bool:
    return (
        path.isprintable()
        and "\\" not in path
        and all(part not in ("", ".", "..") for part in path.split("/"))
    )


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and len(value) == _HASH_DIGITS and set(value) <= set("0123456789abcdef")
