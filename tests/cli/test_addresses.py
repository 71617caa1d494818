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


MISTAKES = """
from eactors.aio import AsyncActor
from eactors.services import Network, SystemActorError

class A(AsyncActor):
    network = Network()
    async def main(self):
        for name, arguments in (
            ("connect", ("127.0.0.1", 99999)),
            ("connect", ("127.0.0.1", "80")),
            ("listen", ("127.0.0.1", -1, print)),
            ("resolve", ("a" * 300,)),
            ("connect", (chr(0xd800), 80)),
        ):
            try:
                await getattr(self.network, name)(*arguments)
            except SystemActorError as error:
                print(error)
        socket = await self.network.open(print)
        try:
            socket.send(b"", "127.0.0.1", 1 << 70)
        except SystemActorError as error:
            print(error)
        socket.close()
        print(await self.network.resolve("127.0.0.1", 80))
"""


@pytest.mark.parametrize("places", ["A:1", "A:0"])
def test_what_is_out_of_range_is_refused_by_itself(app: App, places: str) -> None:
    """The system actor would take its sender for no honest client; what is asked afterwards is answered."""
    done = app.write(MISTAKES, places).run()

    assert (done.returncode, done.stderr) == (0, "")
    said = done.stdout.splitlines()
    assert said[:4] == [
        "connect: Expected `int` <= 65535 as port",
        "connect: Expected `int`, got `str` as port",
        "listen: Expected `int` >= 0 as port",
        "resolve: Expected `str` of length <= 255 as host",
    ]
    assert said[4].startswith("connect: 'utf-8' codec can't encode")
    assert said[5].startswith("sendto: ")
    assert said[6:] == ["[(False, '127.0.0.1', 80)]"]
