"""Two hundred actors that come and go in an enclave that goes on: nothing of them is left in it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.conftest import environment
from tests.stress.test_spawning import SOURCE

if TYPE_CHECKING:
    from tests.conftest import App

ASYNC = (
    SOURCE.partition("class Guest(")[0]
    + """
from eactors.aio import AsyncActor
import asyncio

class Guest(AsyncActor, family="guest"):
    keeper = Connector("Keeper")

    async def main(self):
        heard = 0
        self.cycle = [self]
        while True:
            cargo = await self.receive(self.keeper)
            heard += 1
            self.keeper.send(b"%d %s" % (heard, cargo.data))
"""
)

HOST = """
import json, sys
from pathlib import Path
from eactors import _native
from eactors.host.application import Application
from eactors.host.layout import HOST_NODES
from eactors.host.workspace import Workspace

class Watcher:
    def __init__(self):
        self.memory = []
    def tick(self, received):
        life = application._lives.enclaves[int(sys.argv[2])]
        if life.is_constructed and life.state == "running":
            self.memory.append(int(Path(f"/proc/{life.facts.pid}/statm").read_text().split()[1]))
    def before_output(self): ...

watcher = Watcher()
with Workspace() as workspace:
    application = Application(Path(sys.argv[1]), workspace, watcher=watcher)
    outcome = application.run()
    missing = {}
    for number, place in application._layout.channels.items():
        nodes = _native.channel_nodes(place.capacity)
        pool = _native.Pool(application._region, place.pool, nodes, place.payload)
        waiting = sum(_native.Mbox(pool, offset, place.capacity).length() for offset in place.mboxes)
        missing[number] = nodes - pool.length() - waiting
    link = HOST_NODES - application._pool.length() - application._mbox.length()
    services = [service.id for service in application.deployed.services]
print(json.dumps({
    "memory": watcher.memory, "services": services, "missing": missing, "link": link,
    "status": outcome.status, "failures": [failure.message for failure in outcome.failures],
    "starts": sum(facts.starts for facts in outcome.enclaves),
    "ends": [facts.status for facts in outcome.enclaves], "stash": _native.STASH,
}))
"""


@pytest.mark.stress
@pytest.mark.timeout(600)
@pytest.mark.parametrize("source", [SOURCE, ASYNC], ids=["handlers", "async"])
@pytest.mark.parametrize("places", ["Keeper:1 | guest:2", "Keeper:0 | guest:2", "Keeper:2 | guest:2"])
@pytest.mark.parametrize("at_once", [1, 8])
def test_two_hundred_come_and_go(app: App, at_once: int, places: str, source: str) -> None:
    """Neither a node nor memory is left of them, one after another or eight at a time."""
    settings = f'<actor-settings actor="guest" start="on-demand" instances="{at_once}"/>'
    app.write(source, places, settings)
    built = app.folder / "built"
    app.run("-o", str(built), "--param", f"Keeper.at_once={at_once}", command="build")
    done = subprocess.run(
        [sys.executable, "-c", HOST, str(built), "2"],
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
    assert set(found["ends"]) == {0}
    # The keeper may keep a few nodes of each channel at hand, as may the system actors; a guest none.
    for number, missing in found["missing"].items():
        assert missing <= found["stash"] * (1 + (int(number) in found["services"]))
    assert found["link"] == 0
    # In pages: after the first quarter it has what it needs.
    memory = found["memory"]
    assert max(memory[-len(memory) // 4 :]) <= max(memory[: len(memory) // 4 + 1]) + 256
