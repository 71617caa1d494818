"""Clients under fire: whatever a host says, an actor gets an answer or SystemActorMisbehaved."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.clients import Fake

from eactors import ReportInvalid
from eactors.services import (
    Clock,
    Console,
    Files,
    Names,
    Network,
    Pipes,
    SystemActorError,
    SystemActorMisbehaved,
    clock,
    console,
    files_messages,
    names,
    network,
    pipes,
)

if TYPE_CHECKING:
    from collections.abc import Callable

steady = settings(
    deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


class NoTrust:
    """An enclave that believes no report, and makes any."""

    own = 1

    def power(self, name: str) -> NoTrust:
        """It has all."""
        assert name == "reports"
        return self

    def report(self, enclave: int, data: bytes) -> bytes:
        """Make a report."""
        return bytes(432) if enclave else data

    def check_report(self, enclave: int, report: bytes) -> bytes:
        """Believe none."""
        raise ReportInvalid(f"{enclave} {len(report)}")


def ask_clock(client: Any) -> None:
    """Ask whatever a clock can be asked."""
    client.after(1, lambda: None)
    client.every(1, lambda: None).cancel()
    client.every(1, lambda: None)
    client.time().then(_ignore, _ignore)


def ask_files(client: Any) -> None:
    """Ask whatever files can be asked."""
    client.read("data/a").then(_ignore, _ignore)
    client.write("data/a", bytes(200_000)).then(_ignore, _ignore)
    client.list("data").then(_ignore, _ignore)
    client.stat("data").then(_ignore, _ignore)
    client.watch("data", _ignore).then(lambda watch: watch.cancel(), _ignore)
    client.open("data/b", "r+").then(lambda file: file.read(0, 200_000).then(_ignore, _ignore), _ignore)


def ask_pipes(client: Any) -> None:
    """Ask whatever pipes can be asked."""
    client.make("data/p").then(_ignore, _ignore)
    client.open("data/p", "read").then(lambda pipe: pipe.read(7).then(_ignore, _ignore), _ignore)
    client.open("data/p", "write").then(lambda pipe: pipe.write(b"x").then(_ignore, _ignore), _ignore)


def ask_console(client: Any) -> None:
    """Ask whatever a console can be asked."""
    client.read_line().then(_ignore, _ignore)
    client.write("?").then(_ignore, _ignore)


def ask_names(client: Any) -> None:
    """Ask whatever can be asked about names."""
    client.publish("a").then(_ignore, _ignore)
    client.lookup("b").then(_ignore, _ignore)
    client.watch("c", _ignore).then(_ignore, _ignore)


def ask_network(client: Any) -> None:
    """Ask whatever a network can be asked."""
    client.listen("", 0, _ignore).then(_ignore, _ignore)
    client.connect("a", 1).then(_ignore, _ignore)
    client.resolve("a").then(_ignore, _ignore)
    client.open(_ignore).then(_ignore, _ignore)


def _ignore(*_: object) -> None:
    pass


SYSTEMS: dict[str, tuple[Any, Any, Callable[[Any], None]]] = {
    "clock": (Clock, clock.Requests, ask_clock),
    "files": (Files, files_messages.Requests, ask_files),
    "pipes": (Pipes, pipes.Requests, ask_pipes),
    "console": (Console, console.Requests, ask_console),
    "names": (Names, names.Requests, ask_names),
    "network": (Network, network.Requests, ask_network),
}

numbers = st.integers(0, 12) | st.integers(-(2**63), 2**64 - 1)
plain = (
    numbers
    | st.binary(max_size=8)
    | st.text(max_size=4)
    | st.booleans()
    | st.none()
    | st.floats()
    | st.sampled_from(["a", "b", "c", "file", "appeared", "changed", "created", bytes(32)])
)
nested = st.recursive(plain, lambda inner: st.lists(inner, max_size=3), max_leaves=6)
messages = st.tuples(st.integers(0, 35), st.lists(nested, max_size=5)).map(
    lambda message: msgspec.msgpack.encode([message[0], *message[1]])
)


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("trusted", [True, False])
def test_whatever_is_said(system: str, *, trusted: bool) -> None:
    """Bytes, and messages that are nearly right: nothing but the two errors, and silence after nonsense."""
    service, takes, ask = SYSTEMS[system]

    @steady
    @given(st.lists(st.binary(max_size=40) | messages, max_size=12))
    def check(said: list[bytes]) -> None:
        fake = Fake(service(), takes, NoTrust() if trusted else None)
        ask(fake.client)
        for data in said:
            broken = fake.client.broken
            sent = len(fake.connector.sent)
            with contextlib.suppress(SystemActorMisbehaved, SystemActorError):
                fake.client.take(data)
            if broken is not None:
                assert fake.client.broken is broken
                assert len(fake.connector.sent) == sent

    check()


def test_a_message_of_any_length_and_depth() -> None:
    """Lists within lists, and more bytes than any message has, are nonsense like any other."""
    for data in (b"\x91" * 100_000, b"\xc6\x00\x0f\xff\xff" + bytes(1 << 20), b"", b"\xd9\x01\xff"):
        fake = Fake(Clock(), clock.Requests)
        fake.client.take(data)
        assert "sent what is no message of it" in str(fake.client.broken)
