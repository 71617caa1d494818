"""Sites that run in enclaves, and the clients that visit them."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import ssl
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.conftest import COMMAND, NOTICE, App, environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

EXAMPLE = Path(__file__).parents[1] / "examples" / "https"


class Site:
    """``eactors run`` of an application with a site, whose port stands behind the last colon of a line.

    Args:
        folder: Where files may be put.
        what: What to run: a source and a deployment, or a built folder.
        opened: How the line begins that says where clients can connect.
        before: What stands before the command.

    Attributes:
        port: Where.
        folder: Of the run's own files.
    """

    def __init__(
        self, folder: Path, *what: str | Path, opened: str = "serving ", before: Sequence[str | Path] = ()
    ) -> None:
        self.folder = folder
        self.temporary = folder / "temporary"
        self.temporary.mkdir(exist_ok=True)
        self._opened = opened
        self._errors = (folder / "errors").open("w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [*before, COMMAND, "run", *what],
            env=environment(self.temporary),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            process_group=0,
        )
        assert self.process.stdout is not None
        line = ""
        for line in self.process.stdout:
            if line.startswith(opened):
                break
        else:
            self.process.wait()
            pytest.fail(f"the site has not opened: {self.errors()}")
        self.port = int(line.rpartition(":")[2])

    def errors(self) -> str:
        """Return what was written to standard error until now, but for the usual notice."""
        self._errors.seek(0)
        return self._errors.read().replace(NOTICE, "")

    def pid(self, place: str) -> int:
        """Return the process that was started on a file or folder of the run, such as ``enclave-1``."""
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    words = (entry / "cmdline").read_bytes().split(b"\0")
                    if any(
                        word.startswith(os.fsencode(self.temporary)) and word.endswith(place.encode())
                        for word in words
                    ):
                        return int(entry.name)
        raise LookupError(place)

    def memory(self, place: str) -> int:
        """Return the proportional set size of a process, in KiB."""
        text = Path(f"/proc/{self.pid(place)}/smaps_rollup").read_text(encoding="ascii")
        return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))

    def descriptors(self, place: str) -> int:
        """Return how many descriptors a process has open."""
        return len(list(Path(f"/proc/{self.pid(place)}/fd").iterdir()))

    def end(self, number: int = signal.SIGINT) -> int:
        """Ask it to end; the exit status."""
        self.process.send_signal(number)
        return self.process.wait(timeout=20)

    def close(self) -> None:
        """Kill what still runs."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._errors.close()
        gone = App.wait_until(lambda: not self._left())
        assert gone, "the guard has not ended what was left"

    def _left(self) -> bool:
        try:
            self.pid("system.json")
        except LookupError:
            return False
        return True

    def certificate(self, name: str) -> Path:
        """Return a file with the certificate that a client of this name is shown."""
        file = self.folder / f"{name}.pem"
        with self.connect(name, check=False) as connection:
            der = connection.getpeercert(binary_form=True)
        assert der is not None
        file.write_text(ssl.DER_cert_to_PEM_cert(der), encoding="ascii")
        return file

    def connect(self, name: str = "book.localhost", *, check: bool = True) -> ssl.SSLSocket:
        """Connect as a client that asks for this name."""
        context = ssl.create_default_context(cafile=self.certificate(name) if check else None)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        if not check:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        return context.wrap_socket(plain, server_hostname=name)

    def curl(
        self, path: str, *options: str | Path, name: str = "book.localhost"
    ) -> subprocess.CompletedProcess[bytes]:
        """Fetch a page with curl, which checks the certificate."""
        command: list[str | Path] = [
            *(tool("curl"), "-sS", "--max-time", "60", "--cacert", self.certificate(name)),
            *("--resolve", f"{name}:{self.port}:127.0.0.1", *options, f"https://{name}:{self.port}{path}"),
        ]
        return subprocess.run(command, capture_output=True, timeout=90, check=False)


def tool(name: str) -> str:
    """Return the path of a program, or skip the test."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed; .ci/run installs it")
    return path


@contextlib.contextmanager
def running(
    folder: Path, *what: str | Path, opened: str = "serving ", before: Sequence[str | Path] = ()
) -> Iterator[Site]:
    """A site, while it is entered."""
    site = Site(folder, *what, opened=opened, before=before)
    try:
        yield site
    finally:
        site.close()


def answer(connection: ssl.SSLSocket, count: int = 1) -> list[tuple[bytes, bytes]]:
    """Read so many answers with a ``content-length``: head and body of each."""
    data = bytearray()
    found: list[tuple[bytes, bytes]] = []

    def receive(until: Callable[[], bool]) -> bool:
        while not until():
            more = connection.recv(1 << 18)
            if not more:
                return False
            data.extend(more)
        return True

    while len(found) < count and receive(lambda: b"\r\n\r\n" in data):
        head = bytes(data).partition(b"\r\n\r\n")[0]
        del data[: len(head) + 4]
        lines = (line.lower() for line in head.split(b"\r\n"))
        length = next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:")), 0)
        receive(lambda wanted=length: len(data) >= wanted)  # type: ignore[misc]
        found.append((head, bytes(data[:length])))
        del data[:length]
    return found
