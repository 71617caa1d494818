"""A hostile host that starts enclaves anew: what it kept of an earlier life breaks the channel."""

from __future__ import annotations

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

    def constructor(self):
        self.life = 0
        self.start()

    def start(self):
        self.life, self.heard, self.guest = self.life + 1, 0, None
        self.factory.start("guest", ended=self.ended).then(self.there)

    def there(self, guest):
        self.guest = guest
        if self.heard == 5000:
            guest.stop()

    @guests.on_message
    def said(self, name, cargo):
        if self.heard >= 5000:
            return
        assert cargo.data == b"life %d, message %d" % (1, self.heard), cargo.data
        self.heard += 1
        if self.heard == 5000:
            if self.life == 2:
                print("the second life was heard")
                self.exit(3)
            elif self.guest is not None:  # else its answer is still on its way
                self.guest.stop()

    @guests.on_broken
    def broken(self, name, error):
        print("broken in life", self.life, error)
        self.exit()

    def ended(self, guest):
        self.start()

class Guest(Actor, family="guest"):
    keeper = Connector("Keeper")

    def constructor(self):
        self.sent = 0

    def body(self):
        if self.keeper.try_send(b"life %d, message %d" % (1, self.sent)):
            self.sent += 1
            return True
"""

HOST = '''
import os, signal, struct, sys, time
from pathlib import Path
from eactors import _native
from eactors.host.application import Application
from eactors.host.workspace import Workspace

built, attack = Path(sys.argv[1]), sys.argv[2]
HEADER, HANDSHAKE, DATA = 32, 2, 0

class Host:
    """Stops the keeper in each life of the guest, and looks at the first frame that lies there for it."""
    kept = None
    stopped = False
    done = 0

    def before_output(self): ...

    def tick(self, received):
        guest, keeper = (application._lives.all[enclave] for enclave in (2, 1))
        if guest.state != "running" or guest.facts.starts == self.done:
            return
        deadline = time.monotonic() + 20
        while attack != "hello" and not self.stopped and not self.frames(DATA):
            assert time.monotonic() < deadline  # the keys are not agreed yet, or the keeper is too fast
        if not self.stopped:
            os.kill(keeper.facts.pid, signal.SIGSTOP)
            self.stopped = True
        frames = self.frames(HANDSHAKE if attack == "hello" else DATA)
        if not frames:
            return
        frame = frames[0]
        if self.kept is None:
            self.kept = bytes(frame[12:])
        elif attack != "none":
            frame[12:] = self.kept
        self.stopped, self.done = False, guest.facts.starts
        os.kill(keeper.facts.pid, signal.SIGCONT)

    def frames(self, kind):
        """The frames of this kind that lie in the keeper's mbox."""
        place = next(iter(application._layout.channels.values()))
        side = [end.actor for end in application.deployed.channels[0].ends].index("Keeper")
        memory = memoryview(application._region)
        lines = -(-(HEADER + place.payload) // 64) | 1
        head, = struct.unpack_from("<Q", memory, place.mboxes[side])
        found = []
        for at in range(head, head + place.capacity):
            word, = struct.unpack_from("<Q", memory, place.mboxes[side] + 128 + 8 * (at % place.capacity))
            if word >> 32 & 1 == 0:
                break
            start = place.pool + 64 + (word & 0xFFFFFFFF) * lines * 64
            frame = memory[start : start + HEADER + place.payload]
            if struct.unpack_from("<I", frame, 20)[0] == kind:
                found.append(frame)
        return found

host = Host()
with Workspace() as workspace:
    application = Application(built, workspace, watcher=host)
    outcome = application.run()
for failure in outcome.failures:
    print(failure.message)
sys.exit(outcome.status)
'''


@pytest.mark.parametrize(("attack", "status"), [("none", 3), ("hello", 0), ("frame", 0)])
def test_what_an_earlier_life_said_is_not_heard_again(app: App, attack: str, status: int) -> None:
    """Neither its part of the key exchange nor a frame is taken for the new one's."""
    app.write(SOURCE, "Keeper:1 | guest:2", '<enclave-settings enclave="2" start="on-demand" instances="1"/>')
    built = app.folder / "built"
    app.run("-o", str(built), command="build")
    done = subprocess.run(
        [sys.executable, "-c", HOST, str(built), attack],
        env=environment(app.temporary),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    words = "the second life was heard" if attack == "none" else "broken in life 2"
    assert done.stdout.startswith(words), done
    assert done.returncode == status
