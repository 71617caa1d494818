"""Images: the folder that an enclave starts from, and its measurement.

``image.json`` names every file of the folder with its size and hash, the settings, and the
interpreter. The measurement is the hash of that one file, and so of everything. Nothing
that is not listed may lie in the folder, but the signature. See docs/design/image.md.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eactors.build import interpreter
from eactors.build.canonical import MOST
from eactors.build.description import DESCRIPTION, MOST_FILES, SIGSTRUCT, read, refused
from eactors.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

SIGSTRUCT_SIZE = 1808
_PREFIX = b"eactors image 1\n"
_CHUNK = 1 << 20
_Bytes = bytes  # in the class the name means an attribute


@dataclass(frozen=True, slots=True)
class Image:
    """An image that has been checked, file by file.

    Attributes:
        folder: Where it lies.
        bytes: Of ``image.json``.
        settings: What was set about the enclave.
        interpreter: Version, implementation, and the files with their hashes.
        files: Hash, size and origin by path.
        sigstruct: The signer's signature; None: not signed yet.
    """

    folder: Path
    bytes: _Bytes
    settings: dict[str, Any]
    interpreter: dict[str, Any]
    files: dict[str, dict[str, Any]]
    sigstruct: _Bytes | None

    @property
    def measurement(self) -> _Bytes:
        """MRENCLAVE, 32 bytes."""
        return measurement(self.bytes)


def measurement(description: bytes) -> bytes:
    """The measurement of an image with this ``image.json``."""
    return hashlib.sha256(_PREFIX + description).digest()


def read_image(folder: Path) -> Image:
    """Read an image, and compare every file with what ``image.json`` says.

    Raises:
        ImageError: Naming the file that was changed, is missing, was added, or is no file.
    """
    title = folder.name
    description = _description(folder)
    content = read(title, description)
    files: dict[str, dict[str, Any]] = content["files"]
    there = dict(_walk(folder, title, len(files)))
    for path in sorted(files.keys() - there.keys()):
        raise refused(title, f"{path} is missing")
    for path in sorted(there.keys() - files.keys()):
        raise refused(title, f"{path} was added after the image was built")
    for path, entry in sorted(files.items()):
        if there[path] != entry["size"] or _hash(folder, title, path, entry["size"]) != entry["sha256"]:
            raise refused(title, f"{path} was changed after the image was built")
    sigstruct = _sigstruct(folder, title)
    return Image(folder, description, content["settings"], content["interpreter"], files, sigstruct)


def check_interpreter(image: Image, executable: Path) -> None:
    """Compare this machine's interpreter with the one that the image was built with.

    Args:
        image: The image.
        executable: The interpreter that will run it, the same that runs this process.

    Raises:
        ImageError: Naming the file of the interpreter that differs.
    """
    interpreter.check(image.folder.name, image.interpreter, executable)


def _description(folder: Path) -> bytes:
    try:
        with _opened(folder, folder.name, DESCRIPTION) as file:
            if os.fstat(file.fileno()).st_size > MOST:
                raise refused(folder.name, f"{DESCRIPTION} has more than {MOST >> 20} MiB")
            return file.read(MOST + 1)
    except FileNotFoundError:
        raise ImageError(
            f"{folder} is no image: it has no {DESCRIPTION}",
            hint="name a folder that 'eactors build' has written",
        ) from None


def _walk(folder: Path, title: str, expected: int) -> Iterator[tuple[str, int]]:
    """Path and size of every file in the folder but the two about it."""
    todo, found = [""], 0
    while todo:
        below = todo.pop()
        try:
            entries = list(os.scandir(folder / below))
        except OSError as error:
            raise refused(title, f"{below or 'the folder'} cannot be read: {error.strerror}") from error
        for entry in entries:
            path = below + entry.name
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                todo.append(f"{path}/")
            elif not stat.S_ISREG(status.st_mode):
                kind = "a symbolic link" if stat.S_ISLNK(status.st_mode) else "no ordinary file"
                raise refused(title, f"{path} is {kind}")
            elif path not in (DESCRIPTION, SIGSTRUCT):
                found += 1
                yield path, status.st_size
        if found > expected + MOST_FILES:
            raise refused(title, "it has many more files than it lists")


def _hash(folder: Path, title: str, path: str, size: int) -> str:
    digest = hashlib.sha256()
    with _opened(folder, title, path) as file:
        while size > 0 and (chunk := file.read(min(_CHUNK, size))):
            digest.update(chunk)
            size -= len(chunk)
        return digest.hexdigest() if size == 0 and not file.read(1) else ""


def _sigstruct(folder: Path, title: str) -> bytes | None:
    try:
        with _opened(folder, title, SIGSTRUCT) as file:
            content = file.read(SIGSTRUCT_SIZE + 1)
    except FileNotFoundError:
        return None
    if len(content) != SIGSTRUCT_SIZE:
        raise refused(
            title, f"{SIGSTRUCT} has not the {SIGSTRUCT_SIZE} bytes of a SIGSTRUCT", "sign the image again"
        )
    return content


def _opened(folder: Path, title: str, path: str) -> BinaryIO:
    """Open a file that must be an ordinary one, without waiting for what is none."""
    try:
        descriptor = os.open(folder / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise refused(title, f"{path} cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise refused(title, f"{path} is no ordinary file")
    return os.fdopen(descriptor, "rb")
