"""Enclaves that come and go while the application runs: started by an actor, ended, restarted."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.cli.test_life_and_death import enclaves, ended, nothing_left, started

if TYPE_CHECKING:
    from tests.conftest import App

SPAWN = """
from eactors.services import Factory

class Keeper(Actor):
    factory = Factory()
    guests = Connectors("guest")
    params = {"rounds": 3}

    def constructor(self):
        self.left = self.params["rounds"]
        self.start()

    def start(self):
        self.factory.start("guest", ended=self.ended).then(self.there, self.refused)

    def there(self, guest):
        self.guest = guest
        self.guests[guest.name].send(b"who are you?")

    @guests.on_message
    def said(self, name, cargo):
        print(name, "said", cargo.data.decode())
        self.guest.stop()

    def ended(self, guest):
        print(guest.name, guest.how, guest.why)
        self.left -= 1
        if self.left:
            self.start()
        else:
            self.stop()

    def refused(self, error):
        print("refused:", error.errno, error.reason)
        self.stop()

class Guest(Actor, family="guest"):
    keeper = Connector("Keeper")

    def constructor(self):
        self.asked = 0

    @keeper.on_message
    def on(self, cargo):
        self.asked += 1
        self.keeper.send(b"guest, asked %d times" % self.asked)
"""

ON_DEMAND = '<enclave-settings enclave="2" start="on-demand" {}/>'


def spawn(
    app: App, source: str = SPAWN, settings: str = 'instances="2"', places: str = "Keeper:1 | guest:2"
) -> App:
    """Write an application with an enclave that is started on demand."""
    return app.write(source, places, ON_DEMAND.format(settings))


@pytest.mark.parametrize("places", ["Keeper:1 | guest:2", "Keeper:0 | guest:2"])
def test_each_is_a_new_one(app: App, places: str) -> None:
    """An enclave that is started again knows nothing of its life before, and its channel is as new."""
    done = spawn(app, places=places).run()
    assert done.stderr == ""
    assert done.returncode == 0
    assert done.stdout == "guest1 said guest, asked 1 times\nguest1 stopped \n" * 3


def test_a_guest_that_finishes_has_been_heard(app: App) -> None:
    """What it sent before its end is handled; it ends by itself, and its creator is told."""
    source = SPAWN.replace("% self.asked)\n", "% self.asked)\n        self.stop()\n").replace(
        "        self.guest.stop()\n", ""
    )
    done = spawn(app, source).run()
    assert sorted(done.stdout.splitlines()) == sorted(
        ["guest1 said guest, asked 1 times", "guest1 finished "] * 3
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_an_enclave_that_is_not_in_the_manifest_is_refused(app: App) -> None:
    """Nothing is started but what the deployment has on demand; not even what runs already."""
    for name in ("Keeper", "strangers", ""):
        done = spawn(app, SPAWN.replace('start("guest"', f'start("{name}"')).run()
        reason = "the deployment has nothing so called to start on demand; it has guest"
        assert (done.returncode, done.stdout) == (0, f"refused: 2 {reason}\n")


def test_all_instances_run(app: App) -> None:
    """One more than there may be is refused, and the others live on."""
    source = SPAWN.replace("        self.start()\n\n", "        self.start()\n        self.start()\n\n", 1)
    done = spawn(app, source, 'instances="1"').run()
    assert (done.returncode, done.stdout) == (0, "refused: 16 as many run as there may (1)\n")


FAILING = SPAWN.replace("self.asked = 0", "raise ValueError('no room')")


def test_one_that_cannot_be_constructed(app: App) -> None:
    """Its creator gets its error; the application goes on."""
    done = spawn(app, FAILING).run()
    assert done.returncode == 0
    assert done.stdout == "refused: 10 actor 'guest1' failed: ValueError: no room\n"


def test_one_that_fails_too_often_is_not_started(app: App) -> None:
    """A creator that tries again and again is held up by the rate that the deployment allows."""
    source = FAILING.replace(
        "        self.stop()\n\nclass Guest",
        "        self.stop() if error.errno == 122 else self.start()\n\nclass Guest",
    )
    done = spawn(app, source, 'instances="1" restarts="2 per 600"').run()
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        *["refused: 10 actor 'guest1' failed: ValueError: no room"] * 3,
        "refused: 122 it has failed more often than 2 per 600 s",
    ]


def test_one_that_fails_or_is_killed(app: App) -> None:
    """An exception in a guest ends the guest; so does a signal; its creator is told which."""
    source = SPAWN.replace("self.asked += 1", "raise ValueError('rude')")
    done = spawn(app, source).run()
    assert (done.returncode, done.stdout) == (
        0,
        "guest1 failed actor 'guest1' failed: ValueError: rude\n" * 3,
    )
    source = (
        SPAWN.replace("        self.guest.stop()\n", "")
        .replace('"said"', '"started"')
        .replace('print(name, "started", cargo.data.decode())', 'print("started")')
    )
    process = started(spawn(app, source), "--param", "Keeper.rounds=1")
    os.kill(enclaves(app, process, 3)["enclave-2"], signal.SIGKILL)
    stdout, stderr = ended(app, process)
    assert stdout == "guest1 killed enclave 2 with guest1 was killed by SIGKILL\n"
    assert (process.returncode, stderr) == (0, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_the_end_of_the_launcher_leaves_nothing(app: App, number: signal.Signals) -> None:
    """The region keeps its name while enclaves may be started; it is removed all the same."""
    source = SPAWN.replace("        self.guest.stop()\n", "").replace(
        'print(name, "said", cargo.data.decode())', 'print("started")'
    )
    process = started(spawn(app, source))
    assert list(Path("/dev/shm").glob(f"eactors-{process.pid}-*"))
    process.send_signal(number)
    process.wait(timeout=20)
    assert nothing_left(app, process.pid), app.left_behind(process.pid)


def test_nobody_could_start_it(app: App) -> None:
    """An enclave on demand where no actor has a Factory is a warning."""
    source = SPAWN.replace("    factory = Factory()\n", "")
    done = spawn(app, source).check()
    assert done.returncode == 0
    assert "warning: enclave 2 is started on demand, but no actor has a Factory" in done.stderr
    assert "started on demand as guest" in done.stdout


RESTARTED = """
class Talker(Actor):
    other = Connector("Listener")
    watch = Connector("Watch")

    @watch.on_message
    def on(self, cargo):
        self.other.send(cargo.data)

    @other.on_message
    def answered(self, cargo):
        self.watch.send(cargo.data)

    @other.on_reopened
    def again(self):
        self.watch.send(b"again")

class Listener(Actor):
    talker = Connector("Talker")

    def constructor(self):
        self.count = 0

    @talker.on_message
    def on(self, cargo):
        self.count += 1
        self.talker.send(b"%d" % self.count)

class Watch(Actor):
    talker = Connector("Talker")

    def constructor(self):
        self.talker.send(b"")
        self.talker.send(b"")

    @talker.on_message
    def on(self, cargo):
        print("started" if cargo.data == b"2" else cargo.data.decode(), flush=True)
        if cargo.data == b"again":
            self.talker.send(b"")
            self.talker.send(b"")
"""

RESTART = '<enclave-settings enclave="2" restart="on-failure" restarts="2 per 600"/>'


@pytest.mark.parametrize("places", ["Talker:1 | Listener:2 | Watch:0", "Talker:0 | Listener:2 | Watch:0"])
def test_a_killed_enclave_is_restarted_until_it_fails_too_often(app: App, places: str) -> None:
    """Killed, it comes again with a fresh channel; killed once too often, it ends the application."""
    process = app.write(RESTARTED, places, RESTART).start()
    count = 3 if "Talker:1" in places else 2
    assert process.stdout is not None
    assert process.stdout.readline() == "1\n"
    for _ in range(2):
        assert process.stdout.readline() == "started\n"
        os.kill(enclaves(app, process, count)["enclave-2"], signal.SIGKILL)
        assert process.stdout.readline() == "again\n"
        assert process.stdout.readline() == "1\n"
    assert process.stdout.readline() == "started\n"
    os.kill(enclaves(app, process, count)["enclave-2"], signal.SIGKILL)
    _, stderr = ended(app, process)
    assert process.returncode == 1
    died = "enclave 2 with Listener was killed by SIGKILL"
    assert stderr.count(f"warning: {died}; it has been started anew\n") == 2
    assert f"error: {died}; it fails more often than 2 per 600 s, and is given up\n" in stderr


def test_an_actor_that_fails_is_restarted(app: App) -> None:
    """An exception counts as a failure, like a signal."""
    source = RESTARTED.replace(
        "        self.count += 1\n", "        self.count += 1\n        assert self.count < 2\n"
    )
    done = app.write(source, "Talker:1 | Listener:2 | Watch:0", RESTART).run()
    assert done.returncode == 1
    assert done.stdout.startswith("1\nagain\n1\nagain\n")
    assert done.stderr.count("actor 'Listener' failed: AssertionError: ; it has been started anew") == 2
