"""``eactors run`` as a user runs it: what comes out, in which order, and with which status."""

from __future__ import annotations

import json
import os
import pty
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import App

PING_PONG = """
class Ping(Actor):
    pong = Connector("Pong")
    params = {"rounds": 100}

    def constructor(self):
        self.left = self.params["rounds"]
        self.pong.send(b"ping")

    @pong.on_message
    def again(self, cargo):
        self.left -= 1
        if self.left:
            self.pong.send(b"ping")
        else:
            print("done after", self.params["rounds"])
            self.stop()

class Pong(Actor):
    ping = Connector("Ping")

    @ping.on_message
    def reply(self, cargo):
        assert cargo.data == b"ping"
        self.ping.send(b"pong")
"""

PLACEMENTS = [
    "Ping:0 | Pong:0",
    "Ping:0 Pong:0",
    "Ping:0 | Pong:1",
    "Ping:1 | Pong:0",
    "Ping:1 | Pong:2",
    "Ping:1 Pong:1",
    "Ping:1 | Pong:1",
    "Ping:1 Pong:2",
    "Ping:0 Pong:1",
]


@pytest.mark.parametrize("places", PLACEMENTS)
def test_the_placement_changes_nothing_that_is_seen(app: App, places: str) -> None:
    """The same source prints the same lines wherever its actors live."""
    done = app.write(PING_PONG, places).run()
    assert (done.returncode, done.stdout, done.stderr) == (0, "done after 100\n", "")


def test_long_lines_of_several_enclaves_are_never_torn(app: App) -> None:
    """Four enclaves print lines of 100 KB at once: each comes out whole, and each actor's in order."""
    app.write(
        """
        class Printer(Actor):
            def body(self):
                for number in range(10):
                    print(f"{self.name} {number} " + self.name[-1] * 100_000)
                self.stop()
        """,
        "p1:1 | p2:2 | p3:3 | p4:0",
        classes={f"p{number}": "Printer" for number in range(1, 5)},
    )
    done = app.run()
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    for name in ("p1", "p2", "p3", "p4"):
        own = [line for line in lines if line.startswith(name)]
        assert own == [f"{name} {number} " + name[-1] * 100_000 for number in range(10)]
    assert len(lines) == 40


def test_two_workers_of_one_enclave_do_not_mix_their_lines(app: App) -> None:
    """A line that one worker builds from many small writes is not broken into by the other."""
    app.write(
        """
        class Writer(Actor):
            def body(self):
                for _ in range(200):
                    for _ in range(20):
                        sys.stdout.write(self.name)
                    print()
                self.stop()
        """,
        "a:1 | b:1",
        classes={"a": "Writer", "b": "Writer"},
    )
    done = app.run()
    assert done.returncode == 0
    assert sorted(done.stdout.splitlines()) == ["a" * 20] * 200 + ["b" * 20] * 200


def test_a_line_printed_before_a_message_comes_out_before_its_receivers(app: App) -> None:
    """What two enclaves print in turn, as messages pass between them, keeps that order."""
    app.write(
        """
        class A(Actor):
            b = Connector("B")
            def constructor(self):
                self.n = 0
                self.b.send(b"0")
            @b.on_message
            def back(self, cargo):
                print("A", cargo.data.decode())
                self.n += 1
                if self.n == 200:
                    return self.stop()
                self.b.send(b"%d" % self.n)

        class B(Actor):
            a = Connector("A")
            @a.on_message
            def back(self, cargo):
                print("B", cargo.data.decode())
                self.a.send(cargo.data)
        """,
        "A:1 | B:2",
    )
    done = app.run()
    assert done.stdout == "".join(f"B {n}\nA {n}\n" for n in range(200))
    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_printed_last_without_an_end_of_line_comes_out(app: App) -> None:
    """A line that nobody ended is ended by the end; odd characters pass as they are."""
    app.write(
        """
        class Last(Actor):
            def body(self):
                print("grüße \\N{SNOWMAN} \\x1b[1m", end="")
                print("to stderr", file=sys.stderr)
                self.stop()
        """,
        "Last:1",
    )
    done = app.run()
    assert (done.returncode, done.stdout, done.stderr) == (0, "grüße ☃ \x1b[1m\n", "to stderr\n")


@pytest.mark.parametrize(
    ("statement", "status"),
    [("self.exit(7)", 7), ("self.exit()", 0), ("sys.exit(3)", 3), ("sys.exit()", 0), ("sys.exit(True)", 1)],
)
@pytest.mark.parametrize("enclave", [0, 1])
def test_an_actor_chooses_the_status(app: App, statement: str, status: int, enclave: int) -> None:
    """exit(code) and sys.exit(code) end the whole application, though another never would."""
    app.write(
        f"""
        class Leaver(Actor):
            def body(self):
                {statement}

        class Eternal(Actor):
            def body(self):
                pass
        """,
        f"Leaver:{enclave} | Eternal:2",
    )
    done = app.run()
    assert (done.returncode, done.stdout, done.stderr) == (status, "", "")


def test_sys_exit_with_words_prints_them(app: App) -> None:
    """As everywhere in Python, sys.exit("words") prints the words on stderr and is status 1."""
    app.write('class A(Actor):\n    def body(self):\n        sys.exit("no such thing")\n', "A:1")
    done = app.run()
    assert (done.returncode, done.stdout) == (1, "")
    assert "no such thing" in done.stderr


def test_exit_in_a_constructor(app: App) -> None:
    """An application may find in its constructor that there is nothing to do."""
    app.write(
        "class A(Actor):\n    def constructor(self):\n        self.exit(4)\n    def body(self): ...\n", "A:1"
    )
    done = app.run()
    assert (done.returncode, done.stdout, done.stderr) == (4, "", "")


PARAMS = """
class Shower(Actor):
    params = {"count": 1, "rate": 0.5, "loud": False, "word": "hello"}

    def body(self):
        print(dict(self.params))
        self.stop()

class Free(Actor):
    def body(self):
        print(dict(self.params))
        self.stop()
"""


def test_parameters_have_the_types_of_their_defaults(app: App) -> None:
    """A deployment sets parameters; what it does not set keeps its default."""
    extra = """<param actor="Shower" name="count">12</param><param actor="Shower" name="loud">yes</param>"""
    done = app.write(PARAMS, "Shower:1", extra).run()
    assert done.stdout == "{'count': 12, 'rate': 0.5, 'loud': True, 'word': 'hello'}\n"
    assert (done.returncode, done.stderr) == (0, "")


def test_the_command_line_overrides_the_deployment(app: App) -> None:
    """--param can be repeated, and wins."""
    app.write(PARAMS, "Shower:1", '<param actor="Shower" name="count">12</param>')
    done = app.run("--param", "Shower.count=3", "--param", "Shower.rate=2", "--param", "Shower.word=a=b c")
    assert done.stdout == "{'count': 3, 'rate': 2.0, 'loud': False, 'word': 'a=b c'}\n"
    assert done.returncode == 0


def test_a_class_without_defaults_takes_any_parameter(app: App) -> None:
    """A whole number comes as an int, anything else as a text."""
    done = app.write(PARAMS, "Free:1", '<param actor="Free" name="n">-4</param>').run("--param", "Free.s=x 1")
    assert (done.returncode, done.stdout) == (0, "{'n': -4, 's': 'x 1'}\n")


KEEPERS = """
class Master(Actor, name="master"):
    k1, k2, k3 = (Connector(f"keeper{number}") for number in (1, 2, 3))

    def body(self):
        for keeper in (self.k1, self.k2, self.k3):
            cargo = keeper.receive()
            if cargo is not None:
                print(keeper.peer, "heard", cargo.data.decode())
        if self.k1.closed and self.k2.closed and self.k3.closed:
            self.stop()

class Keeper(Actor, family="keeper"):
    master = Connector(lambda placement: "master")
    after = Connector(lambda placement: neighbour(placement, 1))
    before = Connector(lambda placement: neighbour(placement, -1))

    def constructor(self):
        self.after.send(self.name.encode())

    @before.on_message
    def told(self, cargo):
        self.master.send(cargo)
        self.stop()

def neighbour(placement, step):
    family = placement.family("keeper")
    return family[(family.index(placement.name) + step) % len(family)]
"""


def test_a_family_of_actors_from_an_original_deployment(app: App) -> None:
    """keeper1 to keeper3, for which the file names no class, are of the class that claims them."""
    app.write(KEEPERS, "master:1 keeper1:1 | keeper3:2 keeper2:3")
    done = app.run()
    assert done.stderr == ""
    assert done.returncode == 0
    heard = {"keeper1 heard keeper3", "keeper2 heard keeper1", "keeper3 heard keeper2"}
    assert set(done.stdout.splitlines()) == heard


def test_several_actors_of_one_class(app: App) -> None:
    """<class> makes instances under other names, each with parameters of its own."""
    app.write(
        """
        class Teller(Actor):
            params = {"word": "?"}
            def body(self):
                print(self.name, self.params["word"])
                self.stop()
        """,
        "left:1 | right:2",
        '<param actor="left" name="word">one</param><param actor="right" name="word">two</param>',
        classes={"left": "Teller", "right": "Teller"},
    )
    done = app.run()
    assert (done.returncode, done.stderr) == (0, "")
    assert set(done.stdout.splitlines()) == {"left one", "right two"}


TYPED = """
import msgspec

class Transfer(msgspec.Struct):
    amount: int
    to: str

class Other(msgspec.Struct):
    x: int

class Payer(Actor):
    bank = Connector("Bank", message=Transfer)

    def constructor(self):
        try:
            self.bank.send(Other(1))
        except MessageInvalid as error:
            print("refused:", error)
        self.bank.send(Transfer(100, "Ann"))

    @bank.on_message
    def receipt(self, cargo):
        print("receipt", cargo.message.amount)
        self.stop()

class Bank(Actor):
    payer = Connector("Payer", message=Transfer)

    @payer.on_message
    def transfer(self, cargo):
        print(cargo.message.to, cargo.message)
        self.payer.send(cargo.message)
"""


@pytest.mark.parametrize("places", ["Payer:1 | Bank:2", "Payer:1 Bank:1", "Payer:0 | Bank:1"])
def test_typed_messages(app: App, places: str) -> None:
    """A connector that names a type takes and gives instances of it, and nothing else."""
    done = app.write(TYPED, places).run()
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "refused: Other is not a Transfer",
        "Ann Transfer(amount=100, to='Ann')",
        "receipt 100",
    ]
    assert done.returncode == 0


def test_a_message_of_another_type_names_the_receiver(app: App) -> None:
    """Bytes that decode to no message of the type fail the actor that looks at them."""
    app.write(
        TYPED.replace('Connector("Bank", message=Transfer)', 'Connector("Bank")').replace(
            'Transfer(100, "Ann")', 'b"junk"'
        ),
        "Payer:1 | Bank:2",
    )
    app.source.write_text(
        app.source.read_text().replace("self.bank.send(Other(1))", "raise MessageInvalid('-')")
    )
    done = app.run()
    assert done.returncode == 1
    assert "actor 'Bank' failed: MessageInvalid: a received message is no" in done.stderr


LARGE = """
class Sender(Actor):
    receiver = Connector("Receiver")

    def constructor(self):
        self.sizes = [0, 1, 4096, 4097, 100_000, 1 << 20]
        self.send()

    def send(self):
        size = self.sizes.pop(0)
        self.receiver.send(bytes(range(251)) * (size // 251) + bytes(size % 251))

    @receiver.on_message
    def echoed(self, cargo):
        print("echoed", len(cargo.data))
        if self.sizes:
            self.send()
        else:
            self.stop()

class Receiver(Actor):
    sender = Connector("Sender")

    @sender.on_message
    def got(self, cargo):
        size = len(cargo)
        assert cargo.data == bytes(range(251)) * (size // 251) + bytes(size % 251)
        self.sender.send(cargo)
"""


@pytest.mark.parametrize("places", ["Sender:1 | Receiver:2", "Sender:1 Receiver:1", "Sender:1 Receiver:2"])
@pytest.mark.parametrize("settings", ["", 'capacity="1" node-size="64"', 'node-size="1048576" capacity="2"'])
def test_a_message_may_be_larger_than_a_node_and_than_the_channel(
    app: App, places: str, settings: str
) -> None:
    """Messages of several frames arrive whole, in order, even if the channel holds but one frame."""
    extra = f'<channel between="Sender Receiver" {settings}/>'
    done = app.write(LARGE, places, extra).run()
    assert done.stderr == ""
    assert done.stdout == "".join(f"echoed {n}\n" for n in (0, 1, 4096, 4097, 100_000, 1 << 20))
    assert done.returncode == 0


BACK_PRESSURE = """
class Producer(Actor):
    consumer = Connector("Consumer")

    def constructor(self):
        self.called = 0

    @consumer.on_message
    def go(self, cargo):
        self.called += 1
        for number in range(5000):
            self.consumer.send(b"%d" % number)
        if self.called == 2:
            self.stop()

class Consumer(Actor):
    producer = Connector("Producer")

    def constructor(self):
        self.next = 0
        self.producer.send(b"go")
        self.producer.send(b"go")

    def body(self):
        cargo = self.producer.receive()
        if cargo is None:
            if self.producer.closed:
                print("received", self.next)
                self.stop()
            return
        assert int(cargo.data) == self.next % 5000, (cargo.data, self.next)
        self.next += 1
"""


@pytest.mark.parametrize(
    "places",
    ["Producer:1 | Consumer:2", "Producer:1 Consumer:1", "Producer:1 Consumer:2", "Producer:1 | Consumer:1"],
)
def test_a_producer_far_ahead_loses_nothing(app: App, places: str) -> None:
    """5,000 messages from one call of a handler reach a slow consumer, all and in order."""
    done = app.write(BACK_PRESSURE, places, '<channel between="Producer Consumer" capacity="16"/>').run()
    assert (done.returncode, done.stdout, done.stderr) == (0, "received 10000\n", "")


def test_back_pressure_travels_upstream(app: App) -> None:
    """An actor whose outbox waits is given no new message, so its own sender has to wait too."""
    app.write(
        """
        class Source(Actor):
            relay = Connector("Relay")
            def constructor(self):
                self.sent = 0
            def body(self):
                while self.sent < 2000 and self.relay.try_send(b"%d" % self.sent):
                    self.sent += 1
                if self.sent == 2000:
                    self.stop()

        class Relay(Actor):
            source = Connector("Source")
            sink = Connector("Sink")
            def constructor(self):
                self.waiting = 0
            @source.on_message
            def on(self, cargo):
                self.sink.send(cargo)

        class Sink(Actor):
            relay = Connector("Relay")
            def constructor(self):
                self.next = 0
            @relay.on_message
            def on(self, cargo):
                assert int(cargo.data) == self.next
                self.next += 1
                if self.next == 2000:
                    print("all")
                    self.stop()
        """,
        "Source:1 | Relay:2 Sink:3",
        '<channel between="Source Relay" capacity="4"/><channel between="Relay Sink" capacity="2"/>',
    )
    done = app.run()
    assert (done.returncode, done.stdout, done.stderr) == (0, "all\n", "")


@pytest.mark.parametrize("places", ["Asker:1 | Echo:2", "Asker:1 Echo:1"])
def test_more_questions_than_both_directions_hold_are_all_answered(app: App, places: str) -> None:
    """Two actors that both have to wait for room do not wait for each other for ever."""
    app.write(
        """
        class Asker(Actor):
            echo = Connector("Echo")
            def constructor(self):
                self.answers = 0
                for number in range(5000):
                    self.echo.send(b"%d" % number)
            @echo.on_message
            def answered(self, cargo):
                self.answers += 1
                if self.answers == 5000:
                    print("all answered")
                    self.stop()

        class Echo(Actor):
            asker = Connector("Asker")
            @asker.on_message
            def asked(self, cargo):
                self.asker.send(cargo)
        """,
        places,
    )
    done = app.run()
    assert (done.returncode, done.stdout, done.stderr) == (0, "all answered\n", "")


def test_too_many_unsent_messages_of_one_call_are_an_error(app: App) -> None:
    """The outbox is bounded: an actor that sends without end in one call is told so."""
    app.write(
        """
        class Flood(Actor):
            sink = Connector("Sink")
            def body(self):
                while True:
                    self.sink.send(b"")

        class Sink(Actor):
            flood = Connector("Flood")
            def body(self):
                pass
        """,
        "Flood:1 | Sink:2",
    )
    done = app.run()
    assert done.returncode == 1
    assert (
        "error: actor 'Flood' failed: OutboxFull: actor 'Flood': 65536 messages to 'Sink' wait for room"
        in (done.stderr)
    )
    assert "hint: send less per call and let the worker drain the outbox in between" in done.stderr


@pytest.mark.parametrize("places", ["A:1 | B:2", "A:1 B:1"])
def test_try_send_says_whether_there_was_room(app: App, places: str) -> None:
    """A full channel makes try_send False; nothing of what it refused arrives."""
    app.write(
        """
        class A(Actor):
            b = Connector("B")
            def constructor(self):
                answers = [self.b.try_send(b"%d" % n) for n in range(10)]
                print(answers)

        class B(Actor):
            a = Connector("A")
            def body(self):
                while (cargo := self.a.receive()) is not None:
                    print(cargo.data.decode())
                if self.a.closed:
                    self.stop()
        """,
        places,
        '<channel between="A B" capacity="4"/>',
    )
    app.source.write_text(app.source.read_text().replace("print(answers)", "print(answers); self.stop()"))
    done = app.run()
    assert done.stdout.splitlines() == [str([True] * 4 + [False] * 6), "0", "1", "2", "3"]
    assert (done.returncode, done.stderr) == (0, "")


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
    """On a terminal, progress is shown on stderr and the cursor comes back; stdout stays clean."""
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
    assert shown.rindex(b"\x1b[?25h") > shown.rindex(b"\x1b[?25l")


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
    assert stderr == ""
    assert process.returncode == 141
    assert app.left_behind(process.pid) == []
