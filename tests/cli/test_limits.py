"""The limits of the network, as a user meets them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import App

IMPORT = "from eactors.services import *\n"


def test_check_shows_the_limits_of_the_network(app: App) -> None:
    """Complete: what an actor's own limits do not say is as for all, and else the default."""
    extra = '<network sockets="9"/><network actor="A" unread="1048576"/>'
    app.write(SOCKETS, "A:1 B:1", extra)
    shown = app.check()
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "every other actor: 9 sockets, 67108864 bytes unread" in shown.stdout
    assert "A: 9 sockets, 1048576 bytes unread" in shown.stdout
    assert json.loads(app.check("--json").stdout)["networks"] == [
        {"actor": None, "sockets": 9, "unread": 67108864},
        {"actor": "A", "sockets": 9, "unread": 1048576},
    ]


SOCKETS = """
from eactors import Actor
from eactors.services import Network

class A(Actor):
    network = Network()

    def constructor(self):
        self.network.open(print).then(self.opened)

    def opened(self, socket):
        self.network.open(print).then(print, self.failed)
        self.socket = socket

    def failed(self, error):
        print(error)
        self.socket.close()

class B(A):
    pass
"""


def test_the_deployment_limits_the_sockets_of_each_actor(app: App) -> None:
    """One more is an error that says so; actors with no socket open end by themselves."""
    app.write(SOCKETS, "A:1", '<network sockets="3"/><network actor="A" sockets="1"/>')
    done = app.run()
    assert (done.returncode, done.stderr) == (0, "")
    assert "the deployment lets this actor have no more than 1 sockets open at once" in done.stdout
