"""HTTPS: the application of apps/shop.py under uvicorn, in an enclave and in an ordinary process.

Both speak HTTP/1.1 by h11, on asyncio's own loop there and on ours in the enclave, with TLS 1.3
and a key on P-256. wrk is the client of both.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

APPS = Path(__file__).parents[1] / "apps"
IDLE = 1000
_GIB = 1 << 20  # in KiB


def in_enclave(seconds: int) -> float:
    """Return requests per second of an enclave."""
    with _eactors() as (port, _):
        return _wrk(port, seconds)


def ordinary(seconds: int) -> float:
    """Return requests per second of an ordinary process."""
    with _uvicorn() as (port, _):
        return _wrk(port, seconds)


def idle_in_enclave() -> float:
    """Return how many idle connections take a GiB of the enclave and of the system actors."""
    with _eactors() as (port, pids):
        return _idle(port, pids)


def idle_ordinary() -> float:
    """Return how many idle connections take a GiB of an ordinary process."""
    with _uvicorn() as (port, pids):
        return _idle(port, pids)


@contextlib.contextmanager
def _eactors() -> Iterator[tuple[int, list[int]]]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        command = [str(Path(sys.executable).parent / "eactors"), "run", str(APPS / "shop.py")]
        command += [str(APPS / "shop.xml")]
        environment = {**os.environ, "TMPDIR": folder}
        with _running(command, environment) as process:
            assert process.stdout is not None
            port = int(process.stdout.readline().rpartition(":")[2])
            yield port, [_child(folder, name) for name in ("enclave-1", "system.json")]


@contextlib.contextmanager
def _uvicorn() -> Iterator[tuple[int, list[int]]]:
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        socket.create_server(("127.0.0.1", 0)) as one,
    ):
        port = one.getsockname()[1]
        one.close()
        making = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        making += ["-keyout", f"{folder}/key", "-out", f"{folder}/pem", "-subj", "/CN=localhost"]
        subprocess.run(making, check=True, capture_output=True)
        command = [sys.executable, "-m", "uvicorn", "shop:app", "--app-dir", str(APPS), "--port", str(port)]
        command += ["--http", "h11", "--loop", "asyncio", "--no-access-log", "--log-level", "warning"]
        command += ["--no-proxy-headers", "--timeout-keep-alive", "600", "--lifespan", "off"]
        command += ["--ssl-keyfile", f"{folder}/key", "--ssl-certfile", f"{folder}/pem"]
        with _running(command, dict(os.environ)) as process:
            _wait_for(port)
            yield port, [process.pid]


@contextlib.contextmanager
def _running(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=20)
        assert process.stdout is not None
        process.stdout.close()


def _wrk(port: int, seconds: int) -> float:
    command = ["wrk", "-t", "1", "-c", "64", "-d", f"{seconds}s", f"https://127.0.0.1:{port}/"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds + 30)
    found = re.search(r"Requests/sec: +([0-9.]+)", done.stdout)
    if found is None or "errors" in done.stdout or "Non-2xx" in done.stdout:
        raise RuntimeError(f"wrk had errors:\n{done.stdout}")
    return float(found.group(1))


def _idle(port: int, pids: list[int]) -> float:
    warm = [_visit(port) for _ in range(50)]
    before = sum(map(_pss, pids))
    connections = [_visit(port) for _ in range(IDLE)]
    grown = sum(map(_pss, pids)) - before
    for connection in (*warm, *connections):
        connection.close()
    return _GIB * IDLE / grown


def _visit(port: int) -> ssl.SSLSocket:
    """Connect, and get one answer; the connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    plain = socket.create_connection(("127.0.0.1", port), timeout=30)
    connection = context.wrap_socket(plain, server_hostname="localhost")
    connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    data = b""
    while not data.endswith(b"x" * 1024):
        data += connection.recv(4096)
    return connection


def _wait_for(port: int) -> None:
    while True:
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return


def _pss(pid: int) -> int:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))


def _child(folder: str, name: str) -> int:
    """The process that was started on a file in a run's folder."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                words = (entry / "cmdline").read_text().split("\0")
                if any(word.startswith(folder) and word.endswith(name) for word in words):
                    return int(entry.name)
    raise LookupError(name)
