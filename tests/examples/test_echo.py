"""The echoes, with real clients."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
from typing import TYPE_CHECKING

import pytest
from tests.attested_tls import client_context
from tests.conftest import NOTICE
from tests.examples.test_examples import EACTORS, EXAMPLES, ROOT

if TYPE_CHECKING:
    from pathlib import Path

CASES = ["tcp_echo/untrusted", "tcp_echo/trusted", "tls_echo/trusted"]


def test_every_deployment_has_a_case() -> None:
    """No example is left out, and each README names its deployments."""
    for name in ("tcp_echo", "tls_echo"):
        readme = (EXAMPLES / name / "README.md").read_text(encoding="utf-8")
        for file in (EXAMPLES / name).glob("*.xml"):
            assert f"{name}/{file.stem}" in CASES
            assert f"`{file.name}`" in readme


@pytest.mark.parametrize("case", CASES)
def test_two_visitors_get_back_what_they_send(case: str, tmp_path: Path) -> None:
    """Line by line, many bytes at once, and the end behind the end."""
    name, deployment = case.split("/")
    files = f"examples/{name}/{name}.py", f"examples/{name}/{deployment}.xml"
    options = "--param", "Echo.port=0", "--param", "Echo.visitors=2"
    with subprocess.Popen(
        [EACTORS, "run", *files, *options],
        cwd=ROOT,
        env=dict(os.environ, TMPDIR=str(tmp_path)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        listening = process.stdout.readline()
        assert listening, process.communicate()
        port = int(listening.removeprefix("echo: listening at "))
        try:
            for _ in range(2):
                with visit(port, tls=name == "tls_echo") as client:
                    talk(client)
            stdout, stderr = process.communicate(timeout=60)
        finally:
            process.terminate()
    assert (process.returncode, stderr.replace(NOTICE, "")) == (0, "")
    assert stdout == "echo: a visitor has left\n" * 2
    assert list(tmp_path.iterdir()) == []


def visit(port: int, *, tls: bool) -> socket.socket:
    """Connect."""
    plain = socket.create_connection(("127.0.0.1", port), timeout=30)
    return client_context().wrap_socket(plain, server_hostname="localhost") if tls else plain


def talk(client: socket.socket) -> None:
    """Send a little and much, and see it come back, and then the end."""
    client.sendall(b"hello\n")
    assert client.recv(100) == b"hello\n"
    much = b"x" * 59_999 + b"\n"
    client.sendall(much)
    got = b""
    while len(got) < len(much):
        got += client.recv(1 << 16)
    assert got == much
    if isinstance(client, ssl.SSLSocket):
        client.unwrap().close()
    else:
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""
