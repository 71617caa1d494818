"""What all tests of whole applications share: writing one, and running it as a user does."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

COMMAND = Path(sys.executable).with_name("eactors")
SHARED_MEMORY = Path("/dev/shm")
_ROOM_FOR_TESTS = 8 << 30
"""Bytes. Half of it would do: 3.5 GB when every test keeps its files."""
NOTICE = (
    "notice: no <key> in the deployment: signed with this installation's development key, so every"
    " enclave is a debug enclave\n"
)
"""What most applications of the tests, which name no key, are built with."""


def deployment_of(places: str, extra: str = "", classes: dict[str, str] | None = None) -> str:
    """Write a deployment: ``"A:1 B:1 | C:0"`` is two workers, A and B in enclave 1, C untrusted.

    Args:
        places: The workers.
        extra: More children of the root element.
        classes: What to write as ``<class>``, by actor.
    """
    workers, names = [], []
    for number, worker in enumerate(places.split("|")):
        shares: dict[str, list[str]] = {}
        for place in worker.split():
            actor, _, enclave = place.partition(":")
            shares.setdefault(enclave, []).append(actor)
            names.append(actor)
        inner = "".join(
            f"<enclave><id>{enclave}</id><actors>"
            + "".join(f"<actor>{actor}</actor>" for actor in actors)
            + "</actors></enclave>\n"
            for enclave, actors in shares.items()
        )
        cpu = number % 2
        workers.append(f"<worker><id>{number}</id><cpus><cpu>{cpu}</cpu></cpus>\n{inner}</worker>\n")
    declared = "".join(
        f"<actor><id>{number}</id><name>{name}</name>"
        + (f"<class>{classes[name]}</class>" if classes and name in classes else "")
        + "</actor>\n"
        for number, name in enumerate(names)
    )
    return (
        f"<data>\n<actors>\n{declared}</actors>\n<servers><server><ip>localhost</ip><workers>\n"
        f"{''.join(workers)}</workers></server></servers>\n{extra}</data>\n"
    )


class Command(subprocess.Popen[str]):
    """A command whose standard error lacks the notice that applications without keys get."""

    def communicate(self, input: str | None = None, timeout: float | None = None) -> tuple[str, str]:  # noqa: A002
        """Wait for the end; what was written to standard output and standard error."""
        stdout, stderr = super().communicate(input, timeout)
        return stdout, (stderr or "").replace(NOTICE, "")


class App:
    """An application in a folder of its own, with a folder of its own for temporary files.

    Attributes:
        folder: Where the source and the deployment lie.
        temporary: The only place where a run may put temporary files.
        source: The source file.
        deployment: The deployment file.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        self.source = folder / "app.py"
        self.deployment = folder / "app.xml"
        self._started: list[Command] = []

    def write(
        self, source: str, places: str = "", extra: str = "", classes: dict[str, str] | None = None
    ) -> App:
        """Write the source behind the usual imports, and the deployment, if it has places."""
        header = "import sys\nfrom eactors import *\n"
        self.source.write_text(header + textwrap.dedent(source), encoding="utf-8")
        if places:
            self.deployment.write_text(deployment_of(places, extra, classes), encoding="utf-8")
        return self

    def line_of(self, text: str) -> int:
        """Return the number of the source's first line that holds ``text``."""
        lines = self.source.read_text(encoding="utf-8").splitlines()
        return next(number for number, line in enumerate(lines, 1) if text in line)

    def start(
        self,
        *options: str,
        command: str = "run",
        stdin: int = subprocess.DEVNULL,
        stderr: int = subprocess.PIPE,
        variables: dict[str, str] | None = None,
    ) -> Command:
        """Start a command on the application, in a process group of its own."""
        process = Command(
            [COMMAND, command, self.source.name, self.deployment.name, *options],
            cwd=self.folder,
            env=variables or environment(self.temporary),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            process_group=0,
        )
        self._started.append(process)
        return process

    def run(self, *options: str, command: str = "run") -> subprocess.CompletedProcess[str]:
        """Run a command on the application to its end."""
        process = self.start(*options, command=command)
        stdout, stderr = process.communicate(timeout=30)
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)

    def run_in(self, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command with other arguments, and elsewhere."""
        return subprocess.run(
            [COMMAND, *arguments],
            cwd=folder,
            env=environment(self.temporary),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    def check(self, *options: str) -> subprocess.CompletedProcess[str]:
        """Run ``eactors check`` on the application."""
        return self.run(*options, command="check")

    def processes(self) -> list[int]:
        """Return the processes that run from this application's temporary folder."""
        return [pid for pid in all_processes() if os.fsencode(self.temporary) in command_line(pid)]

    def left_behind(self, launcher: int) -> list[str]:
        """Return all that a run has left: processes, shared memory, temporary files."""
        shared = [str(path) for path in SHARED_MEMORY.glob(f"eactors-{launcher}-*")]
        return [f"process {pid}" for pid in self.processes()] + shared + self.temporary_files()

    def temporary_files(self) -> list[str]:
        """Return the names of what lies in the temporary folder."""
        return [path.name for path in self.temporary.iterdir()]

    @staticmethod
    def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
        """Look until a condition holds, for at most so long; whether it does."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            os.sched_yield()
        return True

    def end(self) -> None:
        """Kill what a failed test has left running."""
        for process in self._started:
            if process.poll() is None:
                process.kill()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
            process.wait()
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def environment(temporary: Path) -> dict[str, str]:
    """What a command of the tests finds in its environment, and nothing else."""
    kept = {name: os.environ[name] for name in ("PATH", "XDG_STATE_HOME")}
    return {**kept, "TMPDIR": str(temporary)}


def pytest_configure() -> None:
    """Keep the tests' files in memory, where there is enough of it.

    Images are many small files, soon removed. ext4 passes over inodes that were removed a moment
    ago, one by one, for each new file: that alone took a fifth of all tests' time.
    """
    if os.statvfs(SHARED_MEMORY).f_flag & os.ST_NOEXEC:
        return  # images hold libraries
    if shutil.disk_usage(SHARED_MEMORY).free >= _ROOM_FOR_TESTS:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(SHARED_MEMORY))


@pytest.fixture(scope="session", autouse=True)
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One state directory for all tests, and not that of the user who runs them."""
    folder = tmp_path_factory.mktemp("state")
    os.environ["XDG_STATE_HOME"] = str(folder)
    return folder


def all_processes() -> Iterator[int]:
    """Yield the ids of all processes."""
    return (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())


def command_line(pid: int) -> bytes:
    """Return the command line of a process; of one that has gone, nothing."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """An application to write and run; nothing of it survives the test."""
    application = App(tmp_path)
    yield application
    application.end()
