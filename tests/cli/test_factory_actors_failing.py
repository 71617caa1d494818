"""Single actors that are started while the application runs, and fail, or do not want to end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.cli.test_factory_actors import HANDLERS, KEEPER, PLACES, spawn

if TYPE_CHECKING:
    from tests.conftest import App

FAILING = (KEEPER + HANDLERS).replace("self.asked = 0", "raise ValueError('no desk')")


@pytest.mark.parametrize("places", PLACES)
def test_one_that_cannot_be_constructed(app: App, places: str) -> None:
    """Its creator gets its error; its enclave and the application go on."""
    done = spawn(app, FAILING, places).run()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "refused: 10 actor 'clerk1' failed: ValueError: no desk\n"


def test_constructors_run_in_the_sealed_enclave(app: App) -> None:
    """What others may still do in their constructors, one that comes later may not."""
    done = spawn(app, (KEEPER + HANDLERS).replace("self.asked = 0", "open('/etc/passwd')")).run()
    assert done.returncode == 0
    words = "actor 'clerk1' cannot call open('/etc/passwd') from inside an enclave"
    assert done.stdout.startswith(f"refused: 10 actor 'clerk1' failed: SandboxViolation: {words}")


def test_one_that_fails_too_often_is_not_started(app: App) -> None:
    """A creator that tries again and again is held up by the rate that the deployment allows."""
    source = FAILING.replace(
        "        self.stop()\n\nclass Clerk",
        "        self.stop() if error.errno == 122 else self.start()\n\nclass Clerk",
    )
    done = spawn(app, source, settings='instances="1" restarts="2 per 600"').run()
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        *["refused: 10 actor 'clerk1' failed: ValueError: no desk"] * 3,
        "refused: 122 it has failed more often than 2 per 600 s",
    ]


@pytest.mark.parametrize("places", PLACES)
def test_one_that_fails(app: App, places: str) -> None:
    """An exception ends that actor, and nothing else; its creator is told."""
    source = (KEEPER + HANDLERS).replace("self.asked += 1", "raise ValueError('rude')")
    done = spawn(app, source, places).run()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "clerk1 failed actor 'clerk1' failed: ValueError: rude\n" * 3


def test_a_task_that_fails_leaves_no_words_of_asyncio(app: App) -> None:
    """A handler's exception drops an actor whose loop has tasks; nobody waits for them any more."""
    clerk = """
from eactors.aio import AsyncActor
import asyncio, gc

class Clerk(AsyncActor, family="clerk"):
    keeper = Connector("Keeper")

    def constructor(self):
        gc.collect()

    async def main(self):
        await asyncio.sleep(3600)

    @keeper.on_message
    def on(self, cargo):
        raise ValueError("rude")
"""
    done = spawn(app, KEEPER + clerk).run()
    assert done.stdout == "clerk1 failed actor 'clerk1' failed: ValueError: rude\n" * 3
    assert (done.returncode, done.stderr) == (0, "")


def test_one_that_does_not_want_to_end(app: App) -> None:
    """It has two seconds; then it is dropped, and the next one can come."""
    clerk = """
import asyncio
from eactors.aio import AsyncActor

class Clerk(AsyncActor, family="clerk"):
    keeper = Connector("Keeper")

    async def main(self):
        await self.receive(self.keeper)
        self.keeper.send(b"clerk, asked 1 times")
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                print("no")
"""
    done = spawn(app, KEEPER + clerk).run("--param", "Keeper.rounds=2")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "clerk1 said clerk, asked 1 times\nno\nclerk1 stopped \n" * 2


@pytest.mark.parametrize("places", ["Keeper:1 | clerk:2", "Keeper:1 clerk:1"])
def test_one_that_fails_is_restarted_until_it_fails_too_often(app: App, places: str) -> None:
    """Its creator hears of its end only when it is given up."""
    source = """
from eactors.services import Factory

class Keeper(Actor):
    factory = Factory()
    clerk = Connector("clerk")

    def constructor(self):
        self.factory.start("clerk", ended=self.ended).then(lambda clerk: self.clerk.send(b"first"))

    @clerk.on_message
    def on(self, cargo):
        print(cargo.data.decode())

    @clerk.on_reopened
    def again(self):
        self.clerk.send(b"again")

    def ended(self, clerk):
        print(clerk.how, clerk.why)
        self.stop()

class Clerk(Actor, name="clerk"):
    keeper = Connector("Keeper")

    @keeper.on_message
    def on(self, cargo):
        if cargo.data == b"again":
            raise ValueError("tired")
"""
    done = spawn(app, source, places, 'restart="on-failure" restarts="2 per 600"').run()
    assert done.returncode == 0
    assert done.stdout == "failed actor 'clerk' failed: ValueError: tired\n"
    assert done.stderr.count("actor 'clerk' failed: ValueError: tired; it has been started anew") == 2
