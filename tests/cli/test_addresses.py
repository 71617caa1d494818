"""Addresses that cannot be used: what the command line says, if no actor has looked at the error."""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import App

ASKS = """
from eactors.services import Network

class A(Actor):
    network = Network()
    def constructor(self):
        self.network.{}.then(print)
"""


@pytest.mark.parametrize(
    ("asked", "error", "hint"),
    [
        (
            'listen("127.0.0.1", {port}, print)',
            "listen 127.0.0.1:{port}: Address already in use",
            "\nhint: see who listens there, with 'ss -ltnp', or choose another port",
        ),
        (
            'listen("192.0.2.1", {port}, print)',
            "listen 192.0.2.1:{port}: Cannot assign requested address",
            "\nhint: choose an address of this machine: 'ip address' shows them",
        ),
        (
            'connect("no-such-host.invalid", {port})',
            "connect no-such-host.invalid:{port}: [A-Z][a-z A-Z-]+; is the name right\\?",
            "",
        ),
    ],
)
@pytest.mark.parametrize("places", ["A:1", "A:0"])
def test_what_is_wrong_is_named_with_what_to_do(
    app: App, places: str, asked: str, error: str, hint: str
) -> None:
    """In an enclave and outside."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = app.write(ASKS.format(asked.format(port=port)), places).run()
    assert (done.returncode, done.stdout) == (1, "")
    said = f"error: actor 'A' failed: SystemActorError: {error.format(port=port)}{hint}\n"
    assert re.fullmatch(said, done.stderr), done.stderr
