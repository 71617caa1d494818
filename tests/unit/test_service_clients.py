"""What clients of system actors believe: nothing but answers to what they asked."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.clients import Fake, Outcome

from eactors.answer import Answer
from eactors.services import (
    Clock,
    Console,
    Files,
    Pipes,
    SystemActorError,
    SystemActorMisbehaved,
    clock,
    console,
    files_messages,
    pipes,
)
from eactors.services.base import Done, Failed


def a_clock() -> Fake:
    """Return a client of the clock."""
    return Fake(Clock(), clock.Requests)


def test_an_answer_comes_to_who_asked() -> None:
    """Whatever the order of the answers."""
    fake = a_clock()
    one, other = Outcome(fake.client.time()), Outcome(fake.client.time())
    first, second = (request.id for request in fake.connector.sent)
    fake.say(clock.Time(second, 2_000_000_000, 1))
    fake.say(clock.Time(first, 1_000_000_000, 1))
    assert (one.results, other.results) == ([(1.0, 1e-9)], [(2.0, 1e-9)])


def test_a_failure_is_an_os_error_with_its_words() -> None:
    """Errno, operation and reason, for those who tell failures apart and those who read them."""
    fake = a_clock()
    answer = fake.client.time()
    fake.say(Failed(fake.asked().id, 28, "tell", "no room"))
    with pytest.raises(OSError, match="tell: no room") as caught:
        answer.result()
    error = caught.value
    assert isinstance(error, SystemActorError)
    assert (error.errno, error.operation, error.reason) == (28, "tell", "no room")


NONSENSE: dict[str, tuple[Any, str]] = {
    "answered twice": (lambda number: [Done(number), Done(number)], "answered request 2, which is not open"),
    "never asked": (lambda _: [Done(77)], "answered request 77, which is not open"),
    "of another kind": (lambda number: [clock.Time(number, 1, 1)], "answered request 2 by Time"),
    "a timer not set": (lambda _: [clock.Tick(99, 1)], "says that timer 99 went off, which is not set"),
    "too often": (lambda _: [clock.Tick(1, 5)], "says that a timer went off 5 times that was set once"),
    "a request": (lambda _: [clock.Tell(1)], "sent what is no message of it"),
}


@pytest.mark.parametrize("case", NONSENSE)
def test_after_nonsense_nothing_is_believed(case: str) -> None:
    """All that is open fails, all that is asked later too, and honest answers come too late."""
    said, words = NONSENSE[case]
    fake = a_clock()
    fake.client.after(1.0, print)
    asked = fake.asked().id
    time = Outcome(fake.client.time())
    *before, last = said(asked)
    for message in before:
        fake.say(message)
    with pytest.raises(SystemActorMisbehaved, match="the system actor 'clock'"):
        fake.say(last)
    assert words in str(fake.client.broken)
    assert [type(error) for error in time.errors] == [SystemActorMisbehaved]
    sent = len(fake.connector.sent)
    late = Outcome(fake.client.time())
    assert [type(error) for error in late.errors] == [SystemActorMisbehaved]
    fake.say(Done(asked))
    assert (len(fake.connector.sent), time.results) == (sent, [])


def test_a_clock_that_goes_backwards_is_noticed() -> None:
    """The monotonic one; the wall clock may be set."""
    fake = a_clock()
    for wall, monotonic in ((5, 10), (3, 10), (9, 9)):
        answer = Outcome(fake.client.time())
        fake.say(clock.Time(fake.asked().id, wall, monotonic))
    assert "says that its monotonic clock went backwards" in str(answer.errors[0])


def test_everyone_who_waits_hears_of_nonsense() -> None:
    """Also if the first of them has no use for errors, and raises it in the actor."""
    fake = Fake(Files(), files_messages.Requests)
    fake.client.watch("data", print)
    fake.say(Done(fake.asked().id))
    read = fake.client.open("data/a").then(print)
    last = Outcome(fake.client.stat("data/a"))
    with pytest.raises(SystemActorMisbehaved):
        fake.say(Done(4711))
    assert read.done
    assert [type(error) for error in last.errors] == [SystemActorMisbehaved]


def test_an_actors_own_error_is_not_the_system_actors() -> None:
    """An actor that decodes what it read in its handler, and fails, has failed by itself."""
    fake = Fake(Files(), files_messages.Requests)
    fake.client.stat("data/a").then(lambda _: msgspec.json.decode(b"{"))
    with pytest.raises(msgspec.DecodeError):
        fake.say(files_messages.Status(fake.asked().id, "file", 1, 1))
    assert fake.client.broken is None


def test_an_error_that_nobody_looks_at_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """Fire and forget does not mean that a full disk goes unnoticed."""
    fake = Fake(Files(), files_messages.Requests)
    fake.client.remove("data/a")
    fake.say(Failed(fake.asked().id, 2, "remove data/a", "No such file or directory"))
    error = "nobody asked for an answer, which is: remove data/a: No such file or directory\n"
    assert capsys.readouterr().err == error


def test_an_answer_is_not_there_before_it_is() -> None:
    """And once it is, whoever comes late is told at once."""
    answer: Answer[int] = Answer()
    with pytest.raises(RuntimeError, match="there is no answer yet"):
        answer.result()
    answer.settle(3)
    answer.settle(4)
    assert (answer.done, answer.result(), Outcome(answer).results) == (True, 3, [3])


def test_a_client_rests_when_nothing_is_to_come() -> None:
    """Then its actor may end; see test_services.py."""
    fake = a_clock()
    assert fake.connector.idle
    timer = fake.client.every(1.0, print)
    fake.say(Done(fake.asked().id))
    assert not fake.connector.idle
    timer.cancel()
    fake.say(clock.Tick(timer.number, 3))
    assert not fake.connector.idle
    fake.say(Done(fake.asked().id))
    assert fake.connector.idle


def test_console_lines() -> None:
    """A line without its end; None at the end of the input; never two."""
    fake = Fake(Console(), console.Requests)
    told: list[str | None] = []
    for line in (b"one\n", b"\n", b"last", b""):
        fake.client.read_line().then(told.append)
        fake.say(console.Line(fake.asked().id, line))
    assert told == ["one", "", "last", None]
    two = Outcome(fake.client.read_line())
    fake.say(console.Line(fake.asked().id, b"one\ntwo\n"))
    assert "gave several lines where one was asked for" in str(two.errors[0])


def test_a_pipe_is_written_chunk_by_chunk() -> None:
    """One chunk at a time is under way, whatever is written; and what comes behind a failure fails."""
    fake = Fake(Pipes(), pipes.Requests)
    opened = Outcome(fake.client.open("data/p", "write"))
    fake.say(Done(fake.asked().id))
    pipe = opened.results[0]
    sizes = []
    one, two, three = (Outcome(pipe.write(bytes(size))) for size in (pipes.CHUNK + 1, 5, 0))
    for _ in range(3):
        sizes.append(len(fake.asked().data))
        fake.say(Done(fake.asked().id))
    assert (sizes, one.results, two.results, three.results) == ([pipes.CHUNK, 1, 5], [None], [None], [])
    fake.say(Failed(fake.asked().id, 32, "write", "Broken pipe"))
    assert [error.args for error in three.errors] == [("write: Broken pipe",)]


def test_a_pipe_gives_no_more_than_was_asked_for() -> None:
    """A longer answer would overrun whoever made room for so many bytes."""
    fake = Fake(Pipes(), pipes.Requests)
    opened = Outcome(fake.client.open("data/p", "read"))
    fake.say(Done(fake.asked().id))
    one, two = Outcome(opened.results[0].read(3)), Outcome(opened.results[0].read(5))
    fake.say(pipes.Data(fake.asked().id, b"abc"))
    assert (one.results, fake.asked().size) == ([b"abc"], 5)
    fake.say(pipes.Data(fake.asked().id, b"abcdef"))
    assert "read 6 bytes where 5 were asked for" in str(two.errors[0])


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Fake(Files(), files_messages.Requests).client.open("data/a", "rw"),
        lambda: Fake(Files(), files_messages.Requests).client.stat("x" * 5000),
        lambda: Fake(Pipes(), pipes.Requests).client.open("data/p", "both"),
        lambda: Fake(Console(), console.Requests).client.write("x" * 100_000),
        lambda: a_clock().client.every(0, print),
    ],
)
def test_what_makes_no_sense_is_not_sent(wrong: Any) -> None:
    """The system actor would take it for an attack, and end."""
    with pytest.raises(ValueError, match=r"\S"):
        wrong()
