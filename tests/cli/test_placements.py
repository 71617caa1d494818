"""What holds in every placement, run by ``eactors run``: ends, sandbox, workers, crowds."""

from __future__ import annotations

import json
import os
import pty
from typing import TYPE_CHECKING

import pytest
from tests.conftest import NOTICE
from tests.pingpong import PING_PONG, PLACEMENTS

if TYPE_CHECKING:
    from tests.conftest import App


LOW_LEVEL = """
nodes = Pool("nodes")

class Ping(Actor):
    pool, out, back = nodes, Mbox("out", nodes), Mbox("back", nodes)

    def constructor(self):
        self.left = 50
        self.push()

    def push(self):
        node = self.pool.pop_front()
        node.write(b"ping %d" % self.left)
        assert self.out.push_back(node)

    def body(self):
        node = self.back.pop_front()
        if node is None:
            return
        assert node.data == b"pong %d" % self.left, node.data
        self.pool.push_front(node)
        self.left -= 1
        if self.left:
            self.push()
        else:
            print("done", self.pool.length(), self.out.is_empty())
            self.exit()

class Pong(Actor):
    out, back = Mbox("out", nodes), Mbox("back", nodes)

    def body(self):
        node = self.out.pop_front()
        if node is None:
            return
        node.view[1:2] = b"o"
        assert self.back.push_back(node)
"""


@pytest.mark.parametrize("places", PLACEMENTS)
def test_low_level_actors(app: App, places: str) -> None:
    """Named pools and mboxes, public or private by where their users live."""
    done = app.write(LOW_LEVEL, places, '<pool name="nodes" nodes="3" size="64"/>').run()
    assert (done.returncode, done.stdout, done.stderr) == (0, "done 3 True\n", "")


def test_a_cargo_is_filled_and_read_where_it_lies(app: App) -> None:
    """create() gives a writable view; a receiver with copy=False a read-only one; both sides of sent."""
    app.write(
        """
        class A(Actor):
            b = Connector("B")
            def constructor(self):
                cargo = self.b.create(6)
                view = cargo.view
                view[:] = b"filled"
                try:
                    self.b.send(cargo)
                except BufferError as error:
                    print(error)
                view.release()
                self.b.send(cargo)
                try:
                    cargo.data
                except ValueError as error:
                    print(error)

        class B(Actor):
            a = Connector("A", copy=False)
            @a.on_message
            def got(self, cargo):
                with cargo:
                    print(bytes(cargo.view), cargo.view.readonly, len(cargo))
                self.exit()
        """,
        "A:1 | B:2",
    )
    done = app.run()
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "a view of this cargo is still in use; release() it before the cargo goes",
        "this cargo has been sent or released",
        "b'filled' True 6",
    ]
    assert done.returncode == 0


def test_an_actor_whose_peers_have_all_finished_has_finished(app: App) -> None:
    """A chain ends from its first actor on, with every message delivered before."""
    app.write(
        """
        class A(Actor):
            b = Connector("B")
            def constructor(self):
                for n in range(1000):
                    self.b.send(b"%d" % n)
                self.stop()
                assert self.stopped

        class B(Actor):
            a = Connector("A")
            c = Connector("C")
            @a.on_message
            def on(self, cargo):
                self.c.send(cargo)
                if cargo.data == b"999":
                    self.stop()

        class C(Actor):
            b = Connector("B")
            count = 0
            @b.on_message
            def on(self, cargo):
                self.count += 1
                if self.count == 1000:
                    print("1000")
        """,
        "A:1 | B:2 | C:3",
    )
    done = app.run()
    assert (done.returncode, done.stdout, done.stderr) == (0, "1000\n", "")


def test_two_applications_at_once(app: App) -> None:
    """Two runs of one application on one machine know nothing of each other."""
    app.write(PING_PONG, "Ping:1 | Pong:2")
    runs = [app.start("--param", f"Ping.rounds={rounds}") for rounds in (2000, 3000)]
    outputs = [run.communicate(timeout=60) for run in runs]
    assert outputs == [("done after 2000\n", ""), ("done after 3000\n", "")]
    assert [run.returncode for run in runs] == [0, 0]


def test_64_actors_in_8_enclaves(app: App) -> None:
    """A ring of 64 actors in 8 enclaves works on however few cores there are."""
    app.write(
        """
        class Link(Actor, family="a"):
            after = Connector(lambda placement: f"a{(placement.index + 1) % 64}")
            before = Connector(lambda placement: f"a{(placement.index - 1) % 64}")
            def constructor(self):
                if self.name == "a0":
                    self.after.send(b"0")
            @before.on_message
            def on(self, cargo):
                hops = int(cargo.data) + 1
                if hops == 640:
                    print("ten rounds")
                    return self.exit()
                self.after.send(b"%d" % hops)
        """,
        " | ".join(" ".join(f"a{8 * j + i}:{j + 1}" for i in range(8)) for j in range(8)),
    )
    done = app.run()
    assert (done.returncode, done.stdout, done.stderr) == (0, "ten rounds\n", "")


def test_the_outcome_as_json(app: App) -> None:
    """--json writes status, enclaves, counters of each worker, and what went between enclaves."""
    done = app.write(PING_PONG, "Ping:1 Pong:2").run("--json", "outcome.json")
    assert (done.returncode, done.stderr) == (0, "")
    outcome = json.loads((app.folder / "outcome.json").read_text())
    assert outcome["status"] == 0
    assert outcome["failures"] == []
    assert [(enclave["id"], enclave["status"]) for enclave in outcome["enclaves"]] == [(1, 0), (2, 0)]
    assert sum(counters["received"] for counters in outcome["counters"].values()) == 200
    assert outcome["handovers"]["0"] >= 200


def test_the_table_of_a_run(app: App) -> None:
    """--stats shows messages, enclaves and workers on stderr."""
    done = app.write(PING_PONG, "Ping:1 | Pong:2").run("--stats")
    assert (done.returncode, done.stdout) == (0, "done after 100\n")
    for word in ("messages/s", "round trip", "enclave 1", "enclave 2", "own memory", "worker 0 in enclave 1"):
        assert word in done.stderr


def test_progress_is_for_terminals(app: App) -> None:
    """On a terminal, progress is shown on stderr and never hides the cursor; stdout stays clean."""
    app.write(PING_PONG, "Ping:1 | Pong:2")
    leader, follower = pty.openpty()
    process = app.start("--param", "Ping.rounds=200000", stderr=follower)
    os.close(follower)
    shown = b""
    try:
        while chunk := os.read(leader, 65536):
            shown += chunk
    except OSError:  # how Linux says that the last writer has gone
        pass
    finally:
        os.close(leader)
    stdout, _ = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (0, "done after 200000\n")
    assert b"messages" in shown
    assert b"\x1b[?25l" not in shown


@pytest.mark.parametrize("policy", ["adaptive", "spin", "sleep"])
@pytest.mark.parametrize("places", ["Ping:1 | Pong:2", "Ping:1 Pong:2", "Ping:1 Pong:1"])
def test_every_wait_policy_delivers(app: App, policy: str, places: str) -> None:
    """How a worker waits changes speed and nothing else."""
    waits = "".join(f'<wait worker="{n}" policy="{policy}"/>' for n in range(1 + places.count("|")))
    done = app.write(PING_PONG, places, waits).run()
    assert (done.returncode, done.stdout, done.stderr) == (0, "done after 100\n", "")


def test_a_source_of_several_files(app: App) -> None:
    """Modules beside the source come along into the enclaves; a file that is not imported does not."""
    (app.folder / "helper.py").write_text("WORD = 'from a helper'\n")
    app.write(
        """
        from helper import WORD
        class A(Actor):
            def body(self):
                print(WORD)
                self.stop()
        """,
        "A:1",
    )
    done = app.run()
    assert (done.returncode, done.stdout, done.stderr) == (0, "from a helper\n", "")


def test_two_channels_between_two_actors(app: App) -> None:
    """Connectors between the same actors pair up in the order of their declaration."""
    app.write(
        """
        class A(Actor):
            first, second = Connector("B"), Connector("B")
            def constructor(self):
                self.second.send(b"two")
                self.first.send(b"one")

        class B(Actor):
            one, two = Connector("A"), Connector("A")
            seen = 0
            @one.on_message
            def on_one(self, cargo):
                print("one", cargo.data.decode())
                self.count()
            @two.on_message
            def on_two(self, cargo):
                print("two", cargo.data.decode())
                self.count()
            def count(self):
                self.seen += 1
                if self.seen == 2:
                    self.exit()
        """,
        "A:1 | B:2",
    )
    done = app.run()
    assert set(done.stdout.splitlines()) == {"one one", "two two"}
    assert (done.returncode, done.stderr) == (0, "")


def test_a_closed_stdout_ends_quietly(app: App) -> None:
    """As in ``eactors run ... | head -1``: no traceback, and nothing goes on running."""
    app.write("class A(Actor):\n    def body(self):\n        print('line')\n        return True\n", "A:1")
    process = app.start()
    assert process.stdout is not None
    assert process.stdout.readline() == "line\n"
    process.stdout.close()
    assert process.stderr is not None
    stderr = process.stderr.read()
    process.wait()
    assert stderr.replace(NOTICE, "") == ""
    assert process.returncode == 141
    assert app.left_behind(process.pid) == []
