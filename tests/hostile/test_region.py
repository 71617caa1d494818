"""A host that writes random bytes into the shared region while an application runs.

The host is the launcher itself, in a process of its own: it has the region mapped anyway.
What it writes is drawn from a seed, which is printed. An enclave may be starved, and may end
with a typed error; it must not die of a memory fault, and must answer its stop request.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.conftest import environment

if TYPE_CHECKING:
    from tests.conftest import App

HANDLERS = """
class Ping(Actor):
    pong = Connector("Pong")
    def constructor(self):
        for size in (0, 16, 100, 5000):
            self.pong.send(bytes(size))
    @pong.on_message
    def again(self, cargo):
        assert type(cargo.data) is bytes
        self.pong.send(cargo)

class Pong(Actor):
    ping = Connector("Ping", copy=False)
    @ping.on_message
    def again(self, cargo):
        assert len(bytes(cargo.view)) == len(cargo)
        self.ping.send(cargo)
"""

LOW_LEVEL = """
nodes = Pool("nodes")
class Ping(Actor):
    pool, out, back = nodes, Mbox("out", nodes), Mbox("back", nodes)
    def body(self):
        node = self.back.pop_front() or self.pool.pop_front()
        if node is not None:
            assert len(node.data) <= 64
            node.write(b"x" * 64)
            self.out.push_back(node)
        self.pool.length(), self.out.length(), self.out.is_empty()

class Pong(Actor):
    pool, out, back = nodes, Mbox("out", nodes), Mbox("back", nodes)
    def body(self):
        node = self.out.pop_front()
        if node is not None and not self.back.push_back(node):
            self.pool.push_front(node)
"""

# Runs the application over and over until the mutations are spent, and reports how each
# enclave ended. The control block at the start holds the stop flag, and each participant one of
# its own: a host that sets them ends workers in good order, which proves nothing; so they are left
# out of the random writes.
HOST = """
import json, random, sys, time
from eactors import _native
from eactors.errors import EActorsError
from eactors.host.application import Application
from eactors.host.workspace import Workspace
from pathlib import Path

built, seed, mutations, targeted = sys.argv[1:5]
dice, left = random.Random(int(seed)), int(mutations)
runs = []

def fields(layout, size):
    # Where the words lie that the protocol lives by: heads, tails, slots, tops, headers, bells.
    spans = [(layout.host_bell, 64), (layout.host_pool, 8192)]
    spans += [(layout.host_mbox, _native.Region.mbox_bytes(256))]
    for context in layout.contexts:
        spans += [(context.bell, _native.BELL_BYTES), (context.participant, _native.PARTICIPANT_BYTES)]
        spans += [(context.baton[0], _native.BATON_BYTES)]
    for place in layout.channels.values():
        spans += [(place.shared, _native.CHANNEL_BYTES), (place.pool, 4096)]
        spans += [(mbox, _native.Region.mbox_bytes(place.capacity)) for mbox in place.mboxes]
    for place in layout.pools.values():
        spans += [(place.offset, min(8192, _native.Region.pool_bytes(place.nodes, place.payload)))]
        spans += [(mbox, _native.Region.mbox_bytes(place.capacity)) for mbox in place.mboxes.values()]
    return spans

class Host:
    def __init__(self):
        self.app = None
        self.ready = 0
    def before_output(self): ...
    def tick(self, received):
        global left
        app = self.app
        if app._ready_ns is None:
            return
        view = memoryview(app._region)
        spans = fields(app._layout, len(view))
        stops = {context.participant + _native.STOP_WORD for context in app._layout.contexts}
        for _ in range(200):
            if targeted == "yes":
                start, size = dice.choice(spans)
                at = start + 4 * dice.randrange(size // 4)
                value = dice.choice((0, 1, 0xFFFFFFFF, 0x7FFFFFFF, dice.getrandbits(32), dice.randrange(300)))
            else:
                at = dice.randrange(_native.CONTROL_BYTES, len(view)) // 4 * 4
                value = dice.getrandbits(32)
            if at < _native.CONTROL_BYTES or at + 4 > len(view) or at in stops:
                continue
            view[at:at + 4] = value.to_bytes(4, "little")
            left -= 1
        view.release()
        self.ready += 1
        if left <= 0 or self.ready >= 5:
            app._exit = 0

while left > 0:
    host = Host()
    with Workspace() as workspace:
        host.app = Application(Path(built), workspace, watcher=host)
        outcome = host.app.run()
    runs.append({
        "statuses": [facts.status for facts in outcome.enclaves],
        "failures": [each.error["type"] if each.error else each.message for each in outcome.failures],
        "left": left,
    })
print(json.dumps(runs))
"""


@pytest.mark.parametrize("targeted", ["yes", "no"])
@pytest.mark.parametrize("places", ["Ping:1 | Pong:2", "Ping:1 Pong:2"])
@pytest.mark.parametrize("style", ["handlers", "low level"])
def test_random_bytes_anywhere(app: App, style: str, places: str, targeted: str) -> None:
    """No enclave dies of a memory fault or hangs; failures are typed."""
    seed = int(os.environ.get("EACTORS_SEED", "1"))
    print("seed", seed)  # noqa: T201 - shown when the test fails
    pool = '<pool name="nodes" nodes="16" size="64"/>' if style != "handlers" else ""
    app.write(HANDLERS if style == "handlers" else LOW_LEVEL, places, pool)
    host = app.folder / "host.py"
    host.write_text(HOST)
    built = app.folder / "built"
    assert app.run("-o", str(built), command="build").returncode == 0
    command = [sys.executable, str(host), str(built), str(seed), "2500", targeted]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=90, check=False, env=environment(app.temporary)
    )
    assert done.returncode == 0, done.stderr[-2000:]
    runs = json.loads(done.stdout)
    faults = {
        -signal.SIGSEGV,
        -signal.SIGBUS,
        -signal.SIGABRT,
        -signal.SIGFPE,
        -signal.SIGILL,
        -signal.SIGKILL,
    }
    print([run for run in runs if run["failures"] or set(run["statuses"]) != {0}])  # noqa: T201
    for run in runs:
        assert not faults & set(run["statuses"]), run
        for failure in run["failures"]:
            assert failure in ("RegionCorrupted", "ChannelBroken") or "corrupted" in failure, run
