"""Cargos, connectors and workers, in one process."""

from __future__ import annotations

import gc
import sys
import time
from typing import Any

import pytest
from tests.world import Some, World, received

from eactors import Actor, ActorStopped, MessageTooLarge, _native


def test_a_sent_cargo_is_spent(world: World) -> None:
    """In shared memory it belongs to the receiver now."""
    one, _ = world.pair(shared=True)
    cargo = one.create(3)
    one.send(cargo)
    for use in (lambda: cargo.data, lambda: cargo.view, lambda: len(cargo), lambda: one.send(cargo)):
        with pytest.raises(ValueError, match="has been sent or released"):
            use()
    cargo.release()


def test_a_cargo_with_a_view_is_not_sent(world: World) -> None:
    """The sender could write into what the receiver reads."""
    one, two = world.pair(shared=True)
    cargo = one.create(3)
    view = cargo.view
    with pytest.raises(BufferError, match=r"release\(\) it before the cargo goes"):
        one.send(cargo)
    with pytest.raises(BufferError):
        cargo.release()
    view[:] = b"abc"
    view.release()
    one.send(cargo)
    assert received(two) == b"abc"


@pytest.mark.parametrize("copy", [True, False])
def test_a_received_cargo_is_read_only(world: World, copy: bool) -> None:  # noqa: FBT001
    """Its view, too; a released cargo is spent, and its node free again."""
    one, two = world.pair(shared=True, copy=copy)
    for _ in range(50):
        one.send(b"abc")
        cargo = two.receive()
        assert cargo is not None
        assert cargo.view.readonly
        assert (bytes(cargo), len(cargo), cargo.message) == (b"abc", 3, b"abc")
        with cargo:
            pass
        with pytest.raises(ValueError, match="has been sent or released"):
            _ = cargo.data


def test_a_received_cargo_can_be_passed_on(ends: list[_native.Connector]) -> None:
    """Back where it came from: an echo."""
    one, two = ends
    one.send(b"abc")
    cargo = two.receive()
    assert cargo is not None
    two.send(cargo)
    assert received(one) == b"abc"


def test_a_stopped_actor_sends_nothing(world: World) -> None:
    """stop() comes after the last message."""
    one, _ = world.pair(shared=True)
    world.kept[1].stop()
    assert world.kept[1].stopped
    for use in (lambda: one.send(b""), lambda: one.try_send(b""), lambda: one.create(1)):
        with pytest.raises(ActorStopped, match="actor 'one' has stopped and can send nothing more to 'two'"):
            use()


@pytest.mark.parametrize("message", ["text", None, 5, object()])
def test_only_bytes_are_messages(ends: list[_native.Connector], message: object) -> None:
    """None, which ends a channel inside the runtime, cannot come from an actor."""
    for send in (ends[0].send, ends[0].try_send):
        with pytest.raises(TypeError, match="a message is bytes"):
            send(message)


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_a_message_is_copied_when_it_is_sent(ends: list[_native.Connector], kind: Any) -> None:
    """What the sender does to its buffer afterwards changes nothing."""
    one, two = ends
    buffer = bytearray(b"abc")
    one.send(kind(buffer))
    buffer[:] = b"xyz"
    assert received(two) == b"abc"


def test_a_connector_is_attached_once(world: World) -> None:
    """A second channel would leak the first."""
    one, _ = world.pair(shared=True)
    with pytest.raises(RuntimeError, match="attached already"):
        _native.attach_private(one, world.region, _native.PrivateChannel(1), 0, world.bell, world.bell)


def test_an_unattached_connector_does_not_crash() -> None:
    """An actor may keep a connector that the plan attached to nothing."""
    actor = Some()
    actor.name = "one"
    connector = _native.Connector(actor, "two", 10)
    assert (connector.closed, connector.peer, connector.message_size) == (False, "two", 10)
    del connector


def test_a_worker_runs_handlers_until_the_region_stops(world: World) -> None:
    """Messages, then the end of an actor, reported; the peer sees the channel closed."""
    one, two = world.pair(shared=True)
    seen = []

    class Sink(Actor):
        def on(self, cargo: _native.Cargo) -> None:
            seen.append(cargo.data)
            if len(seen) == 3:
                self.stop()
                world.region.stop()

    actor = Sink()
    actor.name = "sink"
    end = _native.Connector(actor, "one", 10)
    channel = _native.PrivateChannel(8)
    _native.attach_private(end, world.region, channel, 0, world.bell, world.bell)
    one = _native.Connector(world.kept[1], "sink", 10)
    _native.attach_private(one, world.region, channel, 1, world.bell, world.bell)
    worker = world.worker()
    worker.add(actor, None, [(end, Sink.on, None)])
    for number in range(3):
        one.send(b"%d" % number)
    worker.run()
    assert seen == [b"0", b"1", b"2"]
    assert world.reported == [("finished", "sink", None)]
    assert one.receive() is None
    assert one.closed
    assert not two.closed


def test_references_are_counted_right(ends: list[_native.Connector]) -> None:
    """Thousands of messages leave every count where it was."""
    one, two = ends
    message = b"some message"

    def exchange() -> None:
        for _ in range(2000):
            one.send(message)
            cargo = two.receive()
            assert cargo is not None
            assert cargo.data == message
            with cargo.view:
                pass
            one.create(5).release()
            one.create(500).release()
            with pytest.raises(MessageTooLarge):
                one.send(bytes(1001))

    exchange()
    gc.collect()
    before = [sys.getrefcount(thing) for thing in (message, one, two, None)][:3], sys.getallocatedblocks()
    exchange()
    gc.collect()
    after = [sys.getrefcount(thing) for thing in (message, one, two, None)][:3], sys.getallocatedblocks()
    assert after[0] == before[0]
    assert abs(after[1] - before[1]) < 200


class Patient(Actor):
    """An actor whose body answers what it is told to, so many times."""

    def __init__(self, answers: list[object], region: _native.Region) -> None:
        self.answers = answers
        self.region = region

    def body(self) -> object:
        """Answer, and stop the worker at last."""
        if not self.answers:
            self.region.stop()
            return None
        return self.answers.pop()


# How often it looks before it sleeps for the first time (then twice), and the most that it sleeps.
LOOKS, LONGEST = 64, 0.1


@pytest.mark.parametrize(
    ("answer", "least"), [(0.05, 0.05), (0.001, 0.001), (7.5, LONGEST), (None, 0.02), (3, 0.02)]
)
def test_a_body_says_how_long_it_can_wait(world: World, answer: object, least: float) -> None:
    """Seconds as a float, within bounds; anything else means some tens of milliseconds."""
    sleeps = 4
    actor = Patient([answer] * (LOOKS + 2 * sleeps), world.region)
    worker = world.worker()
    worker.add(actor, Patient.body, [])
    began = time.monotonic()
    worker.run()
    assert time.monotonic() - began >= least * sleeps * 0.9
    assert world.region.counters(world.participants[0])["sleeps"] >= sleeps - 1


def test_a_body_that_is_not_through_is_called_at_once(world: World) -> None:
    """True: there is more to do, though no message moved; and the most impatient body counts."""
    worker = world.worker()
    worker.add(Patient([True] * 1000, world.region), Patient.body, [])
    worker.add(Patient([100.0] * 2000, world.region), Patient.body, [])
    worker.run()
    assert world.region.counters(world.participants[0])["sleeps"] == 0
