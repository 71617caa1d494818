"""A hostile host that starts and ends actors as it likes: no key comes twice, no node is lost."""

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
    clerk = Connector("clerk")

    def constructor(self):
        self.survived = 0
        self.start()

    def start(self):
        self.factory.start("clerk", ended=lambda _: self.start()).then(lambda _: None, lambda _: self.start())

    @clerk.on_message
    def said(self, cargo):
        assert cargo.data == b"always the same", cargo.data
        self.survived += 1

    @clerk.on_broken
    def broken(self, error):
        pass

class Clerk(Actor, name="clerk"):
    keeper = Connector("Keeper")
    neighbour = Connector("Neighbour")

    def constructor(self):
        self.keeper.send(b"always the same")
        self.neighbour.send(b"hello")

    @neighbour.on_message
    def on(self, cargo):
        assert cargo.data == b"hello", cargo.data

    @keeper.on_broken
    def broken(self, error):
        pass

class Neighbour(Actor):
    clerk = Connector("clerk")

    @clerk.on_message
    def on(self, cargo):
        self.clerk.send(cargo.data)

    def body(self):
        return 1.0
"""

HOST = '''
import json, os, random, struct, sys
from pathlib import Path
from eactors import _native
from eactors.host.application import Application
from eactors.host.workspace import Workspace

built, epochs, seed = Path(sys.argv[1]), sys.argv[2] == "epochs", int(sys.argv[3])
FLIPS, HEADER, DATA, SIZE = 3000, 32, 0, 15 + 16

class Host:
    """Writes anything into the word of the actor, and into the epochs, and looks at what is sent."""
    flips = calm = 0
    settled = None

    def __init__(self):
        self.random = random.Random(seed)
        self.seen = {}
        self.twice = 0

    def before_output(self): ...

    def tick(self, received):
        region, layout = application._region, application._layout
        life = application._lives.all["clerk"]
        self.look()
        if self.flips < FLIPS:
            if not life.home.is_constructed:
                return
            for _ in range(3):
                _native.set_word(region, layout.vacancies["clerk"], self.random.getrandbits(32))
                if epochs:
                    place = layout.channels[0]
                    _native.set_word(region, place.shared + _native.EPOCH_WORD, self.random.getrandbits(3))
                region.ring(layout.bell_of("clerk"), layout.bell_of("Keeper"))
                self.flips += 1
            return
        # From now on it behaves, and lets one life after another come and go.
        if self.settled is None:
            self.settled = received
        if life.is_constructed or life.state == "running" and self.calm % 50 == 49:
            application._lives.stop(life)
        self.calm += 1
        # On a busy machine few of the lives are looked at while they speak.
        if received > self.settled + 20 and len(self.seen) > 2:
            application._exit = 0

    def look(self):
        """Remember in which node lies what the actor says first: a used key would put it into another."""
        place = application._layout.channels[0]
        memory = memoryview(application._region)
        lines = -(-(HEADER + place.payload) // 64) | 1
        for node in range(_native.channel_nodes(place.capacity)):
            start = place.pool + 64 + node * lines * 64
            length, rest, kind = struct.unpack_from("<3I", memory, start + 12)
            if length == SIZE - 16 and kind == DATA:
                sealed = bytes(memory[start + HEADER : start + HEADER + SIZE])
                self.twice += self.seen.setdefault(sealed, node) != node

host = Host()
with Workspace() as workspace:
    application = Application(built, workspace, watcher=host)
    outcome = application.run()
    missing = {}
    for number, place in application._layout.channels.items():
        nodes = _native.channel_nodes(place.capacity)
        pool = _native.Pool(application._region, place.pool, nodes, place.payload)
        waiting = sum(_native.Mbox(pool, offset, place.capacity).length() for offset in place.mboxes)
        missing[number] = nodes - pool.length() - waiting
print(json.dumps({
    "flips": host.flips, "seen": len(host.seen), "twice": host.twice,
    "missing": missing, "stash": _native.STASH,
    "status": outcome.status, "failures": [failure.message for failure in outcome.failures],
    "ends": [facts.status for facts in outcome.enclaves],
    "received": sum(counters["received"] for counters in outcome.counters.values()),
}))
'''


@pytest.mark.parametrize("what", ["word", "epochs"])
def test_a_word_that_is_written_at_random(app: App, what: str) -> None:
    """Thousands of times, and the epochs of its channel, too: in the end all is as it should be."""
    seed = 20260729
    app.write(
        SOURCE,
        "Keeper:1 | clerk:2 Neighbour:2",
        '<actor-settings actor="clerk" start="on-demand" restarts="9999 per 1"/>',
    )
    built = app.folder / "built"
    app.run("-o", str(built), command="build")
    done = subprocess.run(
        [sys.executable, "-c", HOST, str(built), what, str(seed)],
        env=environment(app.temporary),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done
    found = json.loads(done.stdout)
    assert found["flips"] >= 3000, seed
    assert (found["status"], found["failures"], set(found["ends"])) == (0, [], {0}), seed
    assert found["seen"] > 2, seed
    assert found["twice"] == 0, seed
    # Those that stay may keep a few nodes at hand.
    assert max(found["missing"].values()) <= 2 * found["stash"], seed
