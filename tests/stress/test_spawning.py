"""Two hundred enclaves that come and go: nothing of them is left in a launcher that goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.conftest import environment

if TYPE_CHECKING:
    from tests.conftest import App

SOURCE = """
from eactors.services import Factory

class Keeper(Actor):
    factory = Factory()
    guests = Connectors("guest")
    params = {"total": 200, "at_once": 1, "killed": 0}

    def constructor(self):
        self.rooms = {}
        self.started = self.gone = 0
        for _ in range(self.params["at_once"]):
            self.start()

    def start(self):
        self.started += 1
        self.factory.start("guest", ended=self.ended).then(self.there)

    def there(self, guest):
        self.rooms[guest.name] = guest
        for _ in range(3):
            self.guests[guest.name].send(b"hello")

    @guests.on_message
    def said(self, name, cargo):
        if cargo.data == b"3 hello":
            self.rooms[name].stop()

    def ended(self, guest):
        self.gone += 1
        del self.rooms[guest.name]
        if self.started < self.params["total"]:
            self.start()
        elif self.gone == self.params["total"]:
            print("all have gone")
            self.stop()

class Guest(Actor, family="guest"):
    keeper = Connector("Keeper")

    def constructor(self):
        self.heard = 0

    @keeper.on_message
    def on(self, cargo):
        self.heard += 1
        self.keeper.send(b"%d %s" % (self.heard, cargo.data))
"""

HOST = """
import json, os, sys
from pathlib import Path
from eactors import _native
from eactors.host.application import Application
from eactors.host.layout import HOST_NODES
from eactors.host.workspace import Workspace

class Watcher:
    most = 0
    def tick(self, received):
        self.most = max(self.most, len(os.listdir("/proc/self/fd")))
    def before_output(self): ...

watcher = Watcher()
with Workspace() as workspace:
    application = Application(Path(sys.argv[1]), workspace, watcher=watcher)
    outcome = application.run()
    homes = sorted(path.name for path in workspace.folder.iterdir() if path.is_dir())
    missing = []
    for place in application._layout.channels.values():
        nodes = _native.channel_nodes(place.capacity)
        pool = _native.Pool(application._region, place.pool, nodes, place.payload)
        waiting = sum(_native.Mbox(pool, offset, place.capacity).length() for offset in place.mboxes)
        missing.append(nodes - pool.length() - waiting)
    link = HOST_NODES - application._pool.length() - application._mbox.length()
    open_now = len(os.listdir("/proc/self/fd"))
print(json.dumps({
    "most": watcher.most, "open": open_now, "homes": homes, "missing": missing, "link": link,
    "status": outcome.status, "failures": [failure.message for failure in outcome.failures],
    "starts": sum(facts.starts for facts in outcome.enclaves),
    "ends": [facts.status for facts in outcome.enclaves], "stash": _native.STASH,
}))
"""


@pytest.mark.stress
@pytest.mark.timeout(600)
@pytest.mark.parametrize("at_once", [1, 8])
def test_two_hundred_come_and_go(app: App, at_once: int) -> None:
    """No process, descriptor, file or node is left of them, one after another or eight at a time."""
    settings = f'<enclave-settings enclave="2" start="on-demand" instances="{at_once}"/>'
    app.write(SOURCE, "Keeper:1 | guest:2", settings)
    built = app.folder / "built"
    app.run("-o", str(built), "--param", f"Keeper.at_once={at_once}", command="build")
    done = subprocess.run(
        [sys.executable, "-c", HOST, str(built)],
        env=environment(app.temporary),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=500,
    )
    printed, outcome = done.stdout.splitlines()
    found = json.loads(outcome)
    assert printed == "all have gone"
    assert (found["status"], found["failures"]) == (0, [])
    assert found["starts"] == 200 + 2  # and the keeper's, and the system actors'
    assert set(found["ends"]) == {0}
    # The keeper may keep a few nodes of each channel at hand, as may the system actors; of the link nobody.
    *guests, factory = found["missing"]
    assert max(guests) <= found["stash"]
    assert factory <= 2 * found["stash"]
    assert found["link"] == 0
    # One pipe for each that runs, and what every launcher has.
    assert found["most"] <= 24 + at_once
    assert found["open"] < 24
    assert app.processes() == []
