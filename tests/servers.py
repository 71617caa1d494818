"""Several servers of one deployment as processes of this machine, each run as a user runs it."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.conftest import NOTICE

if TYPE_CHECKING:
    from collections.abc import Iterator

EACTORS = Path(sys.executable).with_name("eactors")
_PATIENCE = 60


class Ended(NamedTuple):
    """What one server came to."""

    status: int
    stdout: str
    stderr: str


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody has at the moment."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


class Servers:
    """A deployment of two servers.

    Args:
        folder: Where the files go.
        source: The actors, Ping and Pong among them.
        extra: Settings of the deployment.
        enclaves: Of Ping's server and of Pong's; 0 is untrusted.
    """

    def __init__(
        self, folder: Path, source: str, extra: str = "", enclaves: tuple[int, int] = (0, 0)
    ) -> None:
        self.folder = folder
        self.addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
        self.source, self.deployment = folder / "app.py", folder / "app.xml"
        self.source.write_text(f"from eactors import Actor, Connector\n\n{source}")
        self.deployment.write_text(self.text(self.addresses, extra, enclaves))

    @staticmethod
    def text(addresses: list[str], extra: str = "", enclaves: tuple[int, int] = (0, 0)) -> str:
        """The deployment with other addresses."""
        servers = "".join(
            f"<server><ip>{address}</ip><workers><worker><id>{at}</id><enclave><id>{enclave}</id>"
            f"<actors><actor>{actor}</actor></actors></enclave></worker></workers></server>"
            for at, (address, actor, enclave) in enumerate(
                zip(addresses, ("Ping", "Pong"), enclaves, strict=True)
            )
        )
        return (
            "<data><actors><actor><id>0</id><name>Ping</name></actor>"
            f"<actor><id>1</id><name>Pong</name></actor></actors><servers>{servers}</servers>{extra}</data>"
        )

    def start(
        self,
        at: int,
        *options: str,
        address: str | None = None,
        target: list[Path] | None = None,
        prefix: tuple[str, ...] = (),
    ) -> subprocess.Popen[str]:
        """Start one of them.

        Args:
            at: Which.
            options: More of the command line.
            address: What to give as its address, if not what the deployment says.
            target: What to run instead of source and deployment.
            prefix: A command that runs it.
        """
        return subprocess.Popen(
            [
                *prefix,
                str(EACTORS),
                "run",
                *map(str, target or [self.source, self.deployment]),
                "--server",
                address or self.addresses[at],
                *options,
            ],
            env=dict(os.environ, TMPDIR=str(self.folder)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *order: int) -> list[Ended]:
        """Start both in this order, and wait for them; in the order of the deployment."""
        with started([self.start(at) for at in order or (0, 1)]) as processes:
            ended = dict(zip(order or (0, 1), map(end_of, processes), strict=True))
        return [ended[0], ended[1]]


@contextmanager
def started(processes: list[subprocess.Popen[str]]) -> Iterator[list[subprocess.Popen[str]]]:
    """Leave none of them behind."""
    try:
        yield processes
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
                process.communicate()


def end_of(process: subprocess.Popen[str]) -> Ended:
    """Wait for a server, and say what it came to; without notices of who waits for whom."""
    stdout, stderr = process.communicate(timeout=_PATIENCE)
    stderr = re.sub(r"notice: (waiting for|connected with) server .*\n", "", stderr.replace(NOTICE, ""))
    return Ended(process.returncode, stdout, stderr)


def wait_for_line(process: subprocess.Popen[str], words: str) -> None:
    """Read what a server prints to stderr until a line has these words."""
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return
    raise AssertionError(f"it ended without {words!r}")
