"""What Redis does over a Unix socket: a server of our own, which keeps nothing on a disk."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import time
from typing import TYPE_CHECKING

import redis
from contestants.key_value import Access, Pairs, wrong

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE = 10.0


@contextlib.contextmanager
def store(cpu: int) -> Iterator[Callable[[], Access]]:
    """Give access to a server on a CPU."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        socket = f"{folder}/socket"
        command = ["redis-server", "--port", "0", "--unixsocket", socket, "--dir", folder]
        command += ["--save", "", "--appendonly", "no"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
            os.sched_setaffinity(server.pid, {cpu})
            try:
                _wait_for(socket)
                yield lambda: _access(socket)
            finally:
                server.terminate()


def _access(socket: str) -> Access:
    client = redis.Redis(unix_socket_path=socket)
    get, put = client.get, client.set

    def fill(pairs: Pairs) -> None:
        client.mset(dict(pairs))

    def read(pairs: Pairs) -> None:
        for key, value in pairs:
            if get(key) != value:
                raise wrong(key)

    def write(pairs: Pairs) -> None:
        for key, value in pairs:
            put(key, value)

    return Access(fill, read, write)


def _wait_for(socket: str) -> None:
    until = time.monotonic() + PATIENCE
    with redis.Redis(unix_socket_path=socket) as client:
        while True:
            try:
                client.ping()
            except redis.ConnectionError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.01)
            else:
                return
