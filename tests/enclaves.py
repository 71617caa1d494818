"""Tiny enclaves of the software CPU: an image that is one program, and a launcher for it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tests.keys import key

from eactors import _native
from eactors.build.canonical import canonical
from eactors.build.description import origin_of
from eactors.build.signing import sign_image

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType, TracebackType

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

LIBRARY = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}"
# What Python needs to run a folder; what else the programs use is frozen or built into it.
STARTUP = (
    *("encodings/__init__.py", "encodings/aliases.py", "encodings/utf_8.py"),
    *("importlib/__init__.py", "importlib/_abc.py", "collections/__init__.py", "contextlib.py"),
    *("__future__.py", "functools.py", "keyword.py", "operator.py", "reprlib.py", "types.py", "warnings.py"),
)
# What an enclave with the real platform needs; the package itself is left empty.
PLATFORM = ("errors.py", "platform/__init__.py", "platform/base.py", "platform/simulation.py")
NATIVE = Path(_native.__file__)
PACKAGE = NATIVE.parent

PRELUDE = """
import os
def ask(request):
    os.write(3, request)
    return os.read(3, 1 << 14)
def say(value):
    os.write(2, repr(value).encode() + b"\\n")
"""


def write_image(
    folder: Path,
    program: str = "",
    *,
    signer: RSAPrivateKey | None = None,
    framework: bool = False,
    modules: Iterable[ModuleType] = (),
    **settings: Any,
) -> Path:
    """Write an image that runs a program, and sign it; see `PRELUDE` for what the program has.

    Args:
        folder: Where.
        program: What to run.
        signer: Whose key signs it; alice's if None.
        framework: Put the platform and the native module into it.
        modules: Extension modules of the standard library to put into it.
        settings: Other settings than the usual ones.
    """
    home = Path(os.__file__).parent
    files = {f"{LIBRARY}/{name}": (home / name).read_bytes() for name in STARTUP}
    files["__main__.py"] = (PRELUDE + program).encode()
    if framework:
        files |= {f"eactors/{name}": (PACKAGE / name).read_bytes() for name in PLATFORM}
        files |= {"eactors/__init__.py": b"", f"eactors/{NATIVE.name}": NATIVE.read_bytes()}
    for module in modules:
        if file := getattr(module, "__file__", None):  # else it is part of the interpreter
            files[f"{LIBRARY}/lib-dynload/{Path(file).name}"] = Path(file).read_bytes()
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    usual = {
        "enclave": 1,
        "name": "one",
        "product_id": 0,
        "security_version": 0,
        "debug": False,
        "platform": "simulation",
    }
    listed = {
        name: {
            "sha256": hashlib.sha256(content).hexdigest(),
            "size": len(content),
            "origin": origin_of(name),
        }
        for name, content in files.items()
    }
    python = Path(sys.executable).resolve()
    description = {
        "format": 1,
        "settings": usual | settings,
        "interpreter": {
            "version": platform.python_version(),
            "implementation": sys.implementation.cache_tag,
            "files": {python.name: hashlib.sha256(python.read_bytes()).hexdigest()},
        },
        "files": listed,
    }
    (folder / "image.json").write_bytes(canonical(description))
    sign_image(folder, signer or key("alice"))
    return folder


class Enclave:
    """A process that the software CPU has started.

    Attributes:
        pid: Its id; it is a child of this process.
        answer: What the CPU said of it.
    """

    def __init__(self, answer: dict[str, Any], errors: int) -> None:
        self.answer = answer
        self.pid = int(answer["pid"])
        self._errors = os.fdopen(errors, "rb")
        self._status: int | None = None

    def line(self) -> bytes:
        """Return the next line that it says."""
        return self._errors.readline().rstrip(b"\n")

    def said(self) -> Any:
        """Return the next value that it says with `say`."""
        return eval(self.line())

    def wait(self) -> int:
        """Wait until it ends; its exit status."""
        if self._status is None:
            self._status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self._status

    def end(self) -> None:
        """Kill it if it still runs."""
        if self._status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, 9)
            self.wait()
        self._errors.close()


class Launcher:
    """A software CPU with a state directory of its own, and what it started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-I", "-m", "eactors.cpu", str(theirs.fileno())]
        with theirs:
            self.process = subprocess.Popen(
                command, env={"XDG_STATE_HOME": str(folder / "state")}, pass_fds=[theirs.fileno()]
            )
        self._enclaves: list[Enclave] = []

    def ask(self, message: object, *descriptors: int) -> dict[str, Any]:
        """Send a control message, and return the answer."""
        content = message if isinstance(message, bytes) else json.dumps(message).encode()
        socket.send_fds(self.control, [content], list(descriptors))
        return dict(json.loads(self.control.recv(1 << 16)))

    def create(self, folder: Path, name: str = "enclave") -> Enclave:
        """Have an enclave made from an image."""
        reader, writer = os.pipe()
        try:
            home = self.folder / "homes" / name
            home.parent.mkdir(exist_ok=True)
            answer = self.ask({"create": {"id": name, "image": str(folder), "home": str(home)}}, writer)
        finally:
            os.close(writer)
        assert "error" not in answer, answer
        self._enclaves.append(Enclave(answer, reader))
        return self._enclaves[-1]

    def run(self, program: str, name: str = "enclave", **settings: Any) -> Enclave:
        """Write an image, and have it run."""
        return self.create(write_image(self.folder / "images" / name, program, **settings), name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for enclave in self._enclaves:
            enclave.end()
        self.control.close()
        self.process.wait()
