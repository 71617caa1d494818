"""``eactors check``: what would run, without running it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import App

SOURCE = """
class Ping(Actor, name="aping"):
    params = {"rounds": 5}
    pong = Connector("apong")

class Pong(Actor, name="apong"):
    ping = Connector("aping")
    echo = Connector("Echo")
    nodes = Pool("nodes")
    inbox = Mbox("inbox", nodes)

class Echo(Actor):
    pong = Connector("apong")

class Idle(Actor):
    pass
"""


def test_the_tree_shows_everything(app: App) -> None:
    """Server, workers with CPUs, enclaves by name, actors, channels and how each is carried."""
    extra = '<enclave-settings enclave="2" name="vault"/><channel between="Echo apong" capacity="7"/>'
    done = app.write(SOURCE, "aping:1 | apong:2 Echo:2", extra).check()
    assert (done.returncode, done.stderr) == (0, "")
    for piece in (
        "app.py as app.xml",
        "server localhost",
        "worker 0 on CPU 0",
        "worker 1 on CPU 1",
        "waits adaptive",
        "enclave 1\n",
        "enclave 2 (vault)\n",
        "aping (Ping) with rounds=5",
        "aping.pong - apong.ping: public, 64 messages of up to 1048576 bytes",
        "apong.echo - Echo.pong: private, 7 messages",
        "nodes: private, 64 nodes of 4096 bytes, mboxes inbox",
    ):
        assert piece in done.stdout


def test_the_same_as_json(app: App) -> None:
    """--json is for scripts, and complete."""
    app.write(SOURCE, "aping:1 | apong:2 Echo:0")
    text = app.deployment.read_text().replace(
        "</actor>\n</actors>", "</actor><actor><id>9</id><name>Idle</name></actor></actors>"
    )
    app.deployment.write_text(text)
    done = app.check("--json", "--param", "aping.rounds=6")
    assert (done.returncode, done.stderr) == (0, "")
    plan = json.loads(done.stdout)
    workers = plan["servers"][0]["workers"]
    assert [worker["cpus"] for worker in workers] == [[0], [1]]
    first = workers[0]["enclaves"][0]
    assert first["actors"] == [{"name": "aping", "class": "Ping", "params": {"rounds": 6}}]
    assert [enclave["id"] for enclave in workers[1]["enclaves"]] == [2, 0]
    assert [(c["between"], c["carried"]) for c in plan["channels"]] == [
        (["aping.pong", "apong.ping"], "public"),
        (["apong.echo", "Echo.pong"], "public"),
    ]
    assert plan["unplaced"] == ["Idle"]


def test_a_cpu_that_this_machine_lacks_is_shown(app: App) -> None:
    """The tree marks it; that is no error."""
    app.write(SOURCE, "aping:1 | apong:2 Echo:2")
    app.deployment.write_text(
        app.deployment.read_text().replace("<cpu>1</cpu>", "<cpu>1</cpu><cpu>4000</cpu>")
    )
    done = app.check()
    assert done.returncode == 0
    assert "not on this machine: 4000" in done.stdout


def test_square_brackets_in_parameters_are_shown_as_they_are(app: App) -> None:
    """What looks like markup of the library that draws the tree is text."""
    app.write('class A(Actor):\n    params = {"pattern": "[bold]x[/]"}\n', "A:1")
    done = app.check()
    assert (done.returncode, done.stderr) == (0, "")
    assert "[bold]x[/]" in done.stdout


def test_check_runs_no_actor(app: App) -> None:
    """Neither constructors nor bodies are called."""
    app.write("class A(Actor):\n    def constructor(self):\n        print('called')\n", "A:1")
    done = app.check()
    assert (done.returncode, done.stderr) == (0, "")
    assert "called" not in done.stdout
    assert app.left_behind(0) == []


def test_check_refuses_what_run_refuses(app: App) -> None:
    """The same errors with the same status."""
    app.write(SOURCE, "aping:1")
    checked, ran = app.check(), app.run()
    assert (checked.returncode, checked.stderr) == (ran.returncode, ran.stderr)
    assert checked.returncode == 2
