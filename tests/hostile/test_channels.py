"""A hostile host on encrypted channels of a real run: what it touches breaks that channel, no other.

The host is the launcher, which has the region mapped. It waits until frames lie in the mbox
of the attacked channel, changes them, and only then lets the receiver look.
"""

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
import os

class Alice(Actor):
    bob = Connector("Bob")
    friend = Connector("Bob")
    def constructor(self):
        for number in range(3):
            self.bob.send(b"pay %d" % number)
        self.friend.send(b"all is well")
    def body(self):
        pass

class Bob(Actor):
    alice = Connector("Alice")
    friend = Connector("Alice")
    go = Connector("Watch")
    def constructor(self):
        for number in range(3):
            self.alice.send(b"got %d" % number)
        self.gone, self.heard, self.got, self.lost = False, False, 0, None
    @alice.on_broken
    def broken(self, error):
        self.lost = error
        print(f"{type(error).__name__} {error.channel} {error.peer}")
    def body(self):
        self.gone = self.gone or self.go.receive() is not None
        if not self.gone:
            return
        while (cargo := self.alice.receive()) is not None:
            print("alice", cargo.data.decode())
            self.got += 1
        if (cargo := self.friend.receive()) is not None:
            print("friend", cargo.data.decode())
            self.heard = True
        if self.heard and (self.lost or self.got == 3):
            self.exit(0 if self.lost else 3)

class Watch(Actor):
    params = {"file": ""}
    bob = Connector("Bob")
    def body(self):
        if os.path.exists(self.params["file"]):
            self.bob.send(b"go")
            self.stop()
"""

HOST = '''
import json, sys
from pathlib import Path
from eactors import _native
from eactors.host import processes
from eactors.host.application import Application
from eactors.host.workspace import Workspace

built, attack, flag = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
HEADER, TAG = 32, 16

class Host:
    done = False
    def before_output(self): ...

    def nodes(self, channel, side):
        """Where the frames of kind data lie that wait for one side of a channel, oldest first."""
        place = self.app._layout.channels[channel]
        lines = (HEADER + place.payload + 63) // 64 | 1
        word = lambda at: int.from_bytes(self.view[at:at + 8], "little")
        mbox, found = place.mboxes[side], []
        for position in range(word(mbox), word(mbox) + place.capacity):
            turn, index = divmod(word(mbox + 128 + 8 * (position % place.capacity)), 1 << 32)
            if turn != position // place.capacity * 2 + 1:
                break
            found.append(place.pool + 64 + index * lines * 64)
        return [at for at in found if self.view[at + 20] == 0]

    def copy(self, source, target):
        size = HEADER + int.from_bytes(self.view[source + 12:source + 16], "little") + TAG
        self.view[target + 12:target + size] = bytes(self.view[source + 12:source + size])

    def tick(self, received):
        if self.done:
            return
        self.view = memoryview(self.app._region)
        channels = self.app._layout.channels
        attacked, friend = sorted(channels)[:2]
        waiting, back, other = self.nodes(attacked, 1), self.nodes(attacked, 0), self.nodes(friend, 1)
        if attack == "swap" or (len(waiting) == 3 and len(back) == 3 and len(other) == 1):
            self.strike(waiting, back, other)
            self.done = True
            flag.touch()
        self.view.release()

    def strike(self, waiting, back, other):
        view = self.view
        match attack:
            case "flip": view[waiting[0] + HEADER] ^= 1
            case "flip the tag": view[waiting[0] + HEADER + 5] ^= 128
            case "truncate": view[waiting[0] + 12] -= 1
            case "pretend more": view[waiting[0] + 16] = 1
            case "too long": view[waiting[0] + 12:waiting[0] + 16] = bytes(4 * (255,))
            case "replay": self.copy(waiting[0], waiting[1])
            case "drop": self.copy(waiting[1], waiting[0])
            case "reorder":
                first = bytes(view[waiting[0] + 12:waiting[0] + HEADER + 64])
                self.copy(waiting[1], waiting[0])
                view[waiting[1] + 12:waiting[1] + 12 + len(first)] = first
            case "reflect": self.copy(back[0], waiting[0])
            case "move": self.copy(other[0], waiting[0])
            case "end": view[waiting[0] + 20] = 1
            case "give up": view[waiting[0] + 20] = 3
            case "nonsense": view[waiting[0] + 20] = 77
            case "swap" | "nothing": pass
            case _: raise ValueError(attack)

if attack == "swap":
    honest = processes.launch_of
    def launch_of(deployed, layout, enclave, epochs):
        launch = honest(deployed, layout, enclave, epochs)
        if enclave == 2:
            places = launch["channels"]
            first, second = sorted(places, key=int)[:2]
            places[first], places[second] = places[second], places[first]
        return launch
    processes.launch_of = launch_of

host = Host()
with Workspace() as workspace:
    host.app = Application(built, workspace, watcher=host)
    outcome = host.app.run()
failures = [each.message for each in outcome.failures]
print(json.dumps({"status": outcome.status, "failures": failures}), file=sys.stderr)
'''

GENUINE = ["alice pay 0", "alice pay 1", "alice pay 2"]
BROKEN = "ChannelBroken alice Alice"
# How many genuine messages come before the touched one.
ATTACKS = {
    "flip": 0,
    "flip the tag": 0,
    "truncate": 0,
    "pretend more": 0,
    "too long": 0,
    "replay": 1,
    "drop": 0,
    "reorder": 0,
    "reflect": 0,
    "move": 0,
    "end": 0,
    "give up": 0,
    "nonsense": 0,
}


def attacked(app: App, attack: str) -> tuple[list[str], dict[str, object]]:
    """Run the application under attack; what Bob prints, and the outcome."""
    flag = app.folder / "flag"
    app.write(
        SOURCE,
        "Alice:1 | Bob:2 Watch:0",
        f'<param actor="Watch" name="file">{flag}</param><channel between="Alice Bob" capacity="8"/>',
    )
    built = app.folder / "built"
    assert app.run("-o", str(built), command="build").returncode == 0
    host = app.folder / "host.py"
    host.write_text(HOST)
    done = subprocess.run(
        [sys.executable, str(host), str(built), attack, str(flag)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env=environment(app.temporary),
    )
    outcome: dict[str, object] = json.loads(done.stderr.splitlines()[-1])
    return done.stdout.splitlines(), outcome


def test_without_an_attack_everything_arrives(app: App) -> None:
    """The control: the same run, and a host that only looks."""
    printed, outcome = attacked(app, "nothing")
    assert printed == [*GENUINE, "friend all is well"]
    assert outcome == {"status": 3, "failures": []}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_touched_frame_breaks_its_channel_and_no_other(app: App, attack: str) -> None:
    """What came before it is genuine, nothing comes after it, and the other channel goes on."""
    printed, outcome = attacked(app, attack)
    assert [line for line in printed if line.startswith("alice")] == GENUINE[: ATTACKS[attack]]
    assert BROKEN in printed
    assert "friend all is well" in printed
    assert outcome == {"status": 0, "failures": []}


def test_channels_that_the_host_exchanged_agree_on_no_keys(app: App) -> None:
    """The channel's id is part of what both ends prove; without a handler of the break the actor fails."""
    printed, outcome = attacked(app, "swap")
    assert not [line for line in printed if line.startswith(("alice", "friend"))]
    assert outcome["status"] == 1
    assert "ChannelBroken" in str(outcome["failures"])
