"""What actors can do, run by ``eactors run``: peers, families, messages, back-pressure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import App


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
