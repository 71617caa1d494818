"""Hostile system actors in a real run: an enclave is told, survives, and its other channels go on.

The host puts a process of its own in the place of the system actors'. It has the channels, and
answers as it likes.
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
from eactors.services import *

class Victim(Actor):
    clock, files, names, network = Clock(), Files(), Names(), Network()
    friend = Connector("Friend")
    def constructor(self):
        self.left = 3
        self.open = 6
        self.clock.time().then(self.answered, self.failed)
        self.clock.time().then(self.answered, self.failed)
        self.files.read("data/a", limit=10).then(self.answered, self.failed)
        self.files.list("data").then(self.answered, self.failed)
        self.names.lookup("bank").then(self.answered, self.failed)
        self.network.connect("127.0.0.1", 9).then(self.answered, self.failed)
    def answered(self, answer):
        print("answered", answer)
        self.settled()
    def failed(self, error):
        print(type(error).__name__, getattr(error, "system", ""))
        self.settled()
    def settled(self):
        self.open -= 1
        if self.open == 0:
            self.friend.send(b"still there?")
    @friend.on_message
    def again(self, cargo):
        self.left -= 1
        if self.left:
            self.friend.send(b"and now?")
        else:
            self.files.stat("data").then(self.over, self.over)
    def over(self, error):
        print("later", type(error).__name__)
        self.exit(7)

class Friend(Actor):
    victim = Connector("Victim")
    @victim.on_message
    def asked(self, cargo):
        self.victim.send(b"yes")
"""

EVIL = """
import sys
import msgspec
from eactors.system import __main__ as process
from eactors.system.session import Session

ATTACK = {attack!r}
encode = msgspec.msgpack.encode

def answers(data):
    tag, number = msgspec.msgpack.decode(data)[:2]
    match ATTACK:
        case "another request": return [encode([0, number + 1000])]
        case "twice": return [encode([1, number, 5, "x", "y"])] * 2
        case "no message": return [b"\\xc1 what is this?"]
        case "nothing": return [b""]
        case "too long": return [bytes(65536)]
        case "deep": return [b"\\x91" * 60000]
        case "another kind": return [encode([33, number, [], True]), encode([20, number, 1])]
        case "a handle": return [encode([20, 4711, 1]), encode([34, 4711, "created", b"x"])]
        case "backwards": return [encode([21, number, 10, 10 - number])]
        case "too many bytes":
            return [encode([30, number, 3])] if tag == 10 else [encode([31, number, bytes(100)])]
        case "bytes of no connection": return [encode([23, 4711, b"x"])]
        case "a flood": return [encode([0, number + 7 + i]) for i in range(3000)]
        case "a false name": return [encode([20, number, "Bank", 1, b"", bytes(432)])]

class Evil(Session):
    takes = object
    def handlers(self):
        return {{}}
    def body(self):
        cargo = self.connector.receive()
        if cargo is None:
            if self.connector.closed:
                self.stop()
            return 1.0
        for answer in answers(cargo.data):
            self.connector.send(answer)
        return True

process.session_class = lambda system: Evil
process.main()
"""

HOST = """
import json, sys
from pathlib import Path
from eactors.host import processes
from eactors.host.application import Application
from eactors.host.workspace import Workspace

built, evil = Path(sys.argv[1]), sys.argv[2]
honest = processes.spawn
def spawn(arguments, *streams):
    if arguments[:2] == ["-m", "eactors.system"]:
        arguments = [evil, *arguments[2:]]
    return honest(arguments, *streams)
processes.spawn = spawn
with Workspace() as workspace:
    outcome = Application(built, workspace).run()
failures = [each.message for each in outcome.failures]
print(json.dumps({"status": outcome.status, "failures": failures}), file=sys.stderr)
"""

EVERYONE = {"clock", "files", "names", "network"}
ATTACKS = {
    "another request": EVERYONE,
    "twice": {"clock"},
    "no message": EVERYONE,
    "nothing": EVERYONE,
    "too long": EVERYONE,
    "deep": EVERYONE,
    "another kind": EVERYONE,
    "a handle": EVERYONE,
    "backwards": {"clock"},
    "too many bytes": {"files"},
    "bytes of no connection": EVERYONE,
    "a flood": EVERYONE,
    "a false name": {"names"},
}
"""What is tried, and which of the victim's clients it is nonsense for in any case."""


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_hostile_system_actor(app: App, attack: str) -> None:
    """The actor hears SystemActorMisbehaved from that one, talks on with its friend, and asks it no more."""
    app.write(SOURCE, "Victim:1 | Friend:2", '<directory name="data" path="."/>')
    built = app.run("-o", "built", command="build")
    assert built.returncode == 0, built.stderr
    evil = app.folder / "evil.py"
    evil.write_text(EVIL.format(attack=attack), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", HOST, "built", evil],
        cwd=app.folder,
        env=environment(app.temporary),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    lines = done.stdout.splitlines()
    outcome = json.loads(done.stderr.splitlines()[-1])
    assert outcome["failures"] == [], done.stderr
    heard = {line.split()[1] for line in lines if line.startswith("SystemActorMisbehaved")}
    assert heard >= ATTACKS[attack], lines
    if attack not in ("backwards", "another kind"):
        assert not [line for line in lines if line.startswith("answered")]
    assert "later SystemActorMisbehaved" in lines
    assert outcome["status"] == 7
    assert app.temporary_files() == []
