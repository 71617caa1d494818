"""Actors that come and go in enclaves that stay: started by an actor, ended, restarted."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from tests.cli.test_life_and_death import enclaves, ended

if TYPE_CHECKING:
    from tests.conftest import App

KEEPER = """
from eactors.services import Console, Factory

class Keeper(Actor):
    factory = Factory()
    clerks = Connectors("clerk")
    params = {"rounds": 3}

    def constructor(self):
        self.left, self.heard = self.params["rounds"], 0
        self.start()

    def start(self):
        self.factory.start("clerk", ended=self.ended).then(self.there, self.refused)

    def there(self, clerk):
        self.clerk = clerk
        self.clerks[clerk.name].send(b"who are you?")

    @clerks.on_message
    def said(self, name, cargo):
        print(name, "said", cargo.data.decode())
        self.heard += 1
        self.clerk.stop()

    def ended(self, clerk):
        print(clerk.name, clerk.how, clerk.why)
        self.left -= 1
        if self.left:
            self.start()
        else:
            self.stop()

    def refused(self, error):
        print("refused:", error.errno, error.reason)
        self.stop()
"""

HANDLERS = """
class Clerk(Actor, family="clerk"):
    keeper = Connector("Keeper")

    def constructor(self):
        self.asked = 0

    @keeper.on_message
    def on(self, cargo):
        self.asked += 1
        self.keeper.send(b"clerk, asked %d times" % self.asked)
"""

BODY = """
class Clerk(Actor, family="clerk"):
    keeper = Connector("Keeper")

    def constructor(self):
        self.asked = 0

    def body(self):
        cargo = self.keeper.receive()
        if cargo is not None:
            self.asked += 1
            self.keeper.send(b"clerk, asked %d times" % self.asked)
"""

ASYNC = """
import asyncio
from eactors.aio import AsyncActor

class Clerk(AsyncActor, family="clerk"):
    keeper = Connector("Keeper")

    async def main(self):
        asked = 0
        try:
            while True:
                await self.receive(self.keeper)
                asked += 1
                await asyncio.sleep(0.001)
                self.keeper.send(b"clerk, asked %d times" % asked)
        finally:
            await asyncio.sleep(0.001)
            print("cleaned up")
"""

SETTINGS = '<actor-settings actor="clerk" start="on-demand" {}/>'
PLACES = (
    "Keeper:1 | clerk:2",  # encrypted
    "Keeper:0 | clerk:1",  # plain
    "Keeper:1 clerk:1",  # private, on one worker
    "Keeper:1 | clerk:1",  # private, on two
    "Keeper:0 clerk:0",
    "Keeper:1 clerk:2",  # a worker that moves between the two
)


def spawn(app: App, source: str = KEEPER + HANDLERS, places: str = PLACES[0], settings: str = "") -> App:
    """Write an application with an actor that is started on demand."""
    return app.write(source, places, SETTINGS.format(settings or 'instances="2"'))


@pytest.mark.parametrize("clerk", [HANDLERS, BODY], ids=["handlers", "body"])
@pytest.mark.parametrize("places", PLACES)
def test_each_is_a_new_one(app: App, places: str, clerk: str) -> None:
    """Started again it knows nothing of its life before, and its channel is as new."""
    done = spawn(app, KEEPER + clerk, places).run()
    assert done.stderr == ""
    assert done.returncode == 0
    assert done.stdout == "clerk1 said clerk, asked 1 times\nclerk1 stopped \n" * 3


@pytest.mark.parametrize("places", PLACES)
def test_an_async_actor_is_asked_to_end(app: App, places: str) -> None:
    """It is cancelled, as by Ctrl-C, and has time to clean up."""
    done = spawn(app, KEEPER + ASYNC, places).run()
    assert done.stderr == ""
    assert done.returncode == 0
    expected = ["clerk1 said clerk, asked 1 times", "cleaned up", "clerk1 stopped "]
    assert sorted(done.stdout.splitlines()) == sorted(expected * 3)


FINISHING = KEEPER.replace(
    """        self.heard += 1
        self.clerk.stop()
""",
    """        self.heard += 1
        self.done()
""",
).replace(
    """        else:
            self.stop()

    def refused""",
    """        self.done()

    def done(self):
        if not self.left and self.heard == self.params["rounds"]:
            self.stop()

    def refused""",
)
"""Its keeper hears of an end in its own time, perhaps before it hears what was said last."""


@pytest.mark.parametrize("places", PLACES)
def test_one_that_finishes_has_been_heard(app: App, places: str) -> None:
    """What it sent before its end is handled; it ends by itself, and its creator is told."""
    source = (FINISHING + HANDLERS).replace("% self.asked)\n", "% self.asked)\n        self.stop()\n")
    done = spawn(app, source, places).run()
    expected = ["clerk1 said clerk, asked 1 times", "clerk1 finished "] * 3
    assert (done.returncode, done.stderr, sorted(done.stdout.splitlines())) == (0, "", sorted(expected))


@pytest.mark.parametrize("places", PLACES)
def test_one_that_is_over_at_once(app: App, places: str) -> None:
    """Its constructor says all there is to say: it has been there nevertheless, and is heard."""
    clerk = """
class Clerk(Actor, family="clerk"):
    keeper = Connector("Keeper")

    def constructor(self):
        self.keeper.send(b"good-bye")
        self.stop()
"""
    done = spawn(app, FINISHING + clerk, places).run()
    expected = ["clerk1 said good-bye", "clerk1 finished "] * 3
    assert (done.returncode, done.stderr, sorted(done.stdout.splitlines())) == (0, "", sorted(expected))


def test_what_nobody_may_start(app: App) -> None:
    """Nothing is started but what the deployment has on demand."""
    for name in ("Keeper", "strangers", ""):
        done = spawn(app, (KEEPER + HANDLERS).replace('start("clerk"', f'start("{name}"')).run()
        reason = "the deployment has nothing so called to start on demand; it has clerk"
        assert (done.returncode, done.stdout) == (0, f"refused: 2 {reason}\n")


def test_all_instances_run(app: App) -> None:
    """One more than there may be is refused, and the others live on."""
    source = (KEEPER + HANDLERS).replace(
        "        self.start()\n\n", "        self.start()\n        self.start()\n\n", 1
    )
    done = spawn(app, source, settings='instances="1"').run()
    assert (done.returncode, done.stdout) == (0, "refused: 16 as many run as there may (1)\n")


def test_it_ends_with_its_enclave(app: App) -> None:
    """A process that is killed takes its actors along, and the next one has room for them again."""
    source = (KEEPER + HANDLERS).replace(
        "        self.clerk.stop()\n", "        print('started', flush=True)\n"
    )
    settings = SETTINGS.format('instances="1"') + '<enclave-settings enclave="2" restart="on-failure"/>'
    process = app.write(source, "Keeper:1 | clerk:2", settings).start("--param", "Keeper.rounds=2")
    assert process.stdout is not None
    for _ in range(2):
        assert process.stdout.readline() == "clerk1 said clerk, asked 1 times\n"
        assert process.stdout.readline() == "started\n"
        os.kill(enclaves(app, process, 3)["enclave-2"], signal.SIGKILL)
        assert process.stdout.readline() == "clerk1 killed actor 'clerk1' has ended with enclave 2\n"
    _, stderr = ended(app, process)
    assert process.returncode == 0
    assert stderr.count("warning: enclave 2 was killed by SIGKILL; it has been started anew\n") == 2


BOTH = """
from eactors.services import Factory

class Keeper(Actor):
    factory = Factory()
    params = {"first": "left"}

    def constructor(self):
        self.ends = 0
        self.start()

    def start(self):
        first = self.params["first"]
        second = "right" if first == "left" else "left"
        self.factory.start(first, ended=self.ended).then(
            lambda _: self.factory.start(second, ended=self.ended).then(lambda _: None)
        )

    def ended(self, one):
        print(one.name, one.how)
        self.ends += 1
        if self.ends == 6:
            self.stop()
        elif self.ends % 2 == 0:
            self.start()

class Left(Actor, name="left"):
    right = Connector("right")

    def constructor(self):
        self.right.send(b"hello")

    @right.on_reopened
    def there(self):
        self.right.send(b"hello")

    @right.on_message
    def on(self, cargo):
        self.stop()

class Right(Actor, name="right"):
    left = Connector("left")

    @left.on_message
    def on(self, cargo):
        self.left.send(b"hello")
        self.stop()
"""


@pytest.mark.parametrize("first", ["left", "right"])
@pytest.mark.parametrize(
    "places", ["Keeper:1 | left:1 right:1", "Keeper:1 | left:1 | right:1", "Keeper:0 | left:1 | right:2"]
)
def test_both_ends_may_come_and_go(app: App, places: str, first: str) -> None:
    """Two actors on demand find each other, whichever comes first, in one enclave or in two."""
    settings = "".join(f'<actor-settings actor="{name}" start="on-demand"/>' for name in ("left", "right"))
    done = app.write(BOTH, places, settings).run("--param", f"Keeper.first={first}")
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(done.stdout.splitlines()) == ["left finished"] * 3 + ["right finished"] * 3


@pytest.mark.parametrize("places", PLACES[:4])
def test_a_store_outlives_the_actors_that_use_it(app: App, places: str) -> None:
    """What one life has written, the next one reads, and hears of when it changes."""
    clerk = """
from eactors import Store

class Clerk(Actor, family="clerk"):
    keeper = Connector("Keeper")
    ledger = Store("ledger")

    def constructor(self):
        self.ledger[b"lives"] = b"%d" % (int(self.ledger.get(b"lives", b"0")) + 1)

    @ledger.on_change(b"asked")
    def changed(self, key, old, new):
        self.keeper.send(b"clerk, in life " + self.ledger[b"lives"])

    @keeper.on_message
    def on(self, cargo):
        self.ledger[b"asked"] = self.ledger[b"lives"]
"""
    done = spawn(app, KEEPER + clerk, places).run()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "".join(
        f"clerk1 said clerk, in life {life}\nclerk1 stopped \n" for life in (1, 2, 3)
    )


def test_what_check_shows(app: App) -> None:
    """Which actor is started when, and that nobody could."""
    done = spawn(app, settings='instances="2" restart="on-failure"').check()
    assert done.returncode == 0
    assert "clerk1 (Clerk), started on demand as clerk, restarted on failure, 3 per 60 s" in done.stdout
    done = spawn(app, (KEEPER + HANDLERS).replace("    factory = Factory()\n", "")).check()
    assert "warning: actor 'clerk' is started on demand, but no actor has a Factory" in done.stderr
