"""A hostile host on the key exchanges of a real run: what it touches breaks, everything else goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

import pytest
from tests.conftest import App, environment
from tests.handshakes import ATTACKS, ROOT, SOURCE

if TYPE_CHECKING:
    from pathlib import Path

GIVEN_UP = "its peer has given it up"
NOT_COVERED = (
    "the report of enclave {} does not cover this exchange, but another public key, another channel,"
    " another manifest or an earlier run"
)
NOT_BY_2, NOT_BY_1 = NOT_COVERED.format(2), NOT_COVERED.format(1)

# By attack: what is said at Alice's end and at Bob's; one channel is broken, but for a swap.
SAID = {
    "substitute side 0's key": (NOT_BY_2, GIVEN_UP),
    "substitute side 1's key": (NOT_BY_2, GIVEN_UP),
    "substitute both keys": (NOT_BY_2, GIVEN_UP),
    "an earlier run's hello": (NOT_BY_2, GIVEN_UP),
    "an earlier run's answer": (NOT_BY_2, GIVEN_UP),
    "an earlier run's report": (NOT_BY_2, GIVEN_UP),
    "an earlier run's last report": (GIVEN_UP, NOT_BY_1),
    "the hello again": ("the hello of enclave 2 came out of turn: this end is waiting for the rep", GIVEN_UP),
    "the first hello again": (GIVEN_UP, "the hello of enclave 1 came out of turn: this end is waiting for"),
    "swap the first hellos": (NOT_BY_2, GIVEN_UP),
    "swap the answers": (NOT_BY_2, GIVEN_UP),
    "swap the reports": (NOT_BY_2, GIVEN_UP),
    "swap the last reports": (GIVEN_UP, NOT_BY_1),
    "reflect the hello": ("enclave 2 claims side 0 of the channel, or an own message came back", GIVEN_UP),
    "reflect the hello as the peer's": ("this enclave's own hello came back to it as that of", GIVEN_UP),
    "reflect the report": (GIVEN_UP, "enclave 1 claims side 1 of the channel, or an own message came back"),
    "reflect the report as the peer's": (GIVEN_UP, "the report of enclave 1 proves nothing"),
}


class Run(NamedTuple):
    """What came of a run under attack."""

    printed: list[str]
    status: int
    failures: list[str]
    steps: list[str]

    def got(self, actor: str) -> set[str]:
        """Return what an actor was given, as ``channel text``."""
        words = [line.split(" ", 3) for line in self.printed]
        return {f"{each[1]} {each[3]}" for each in words if each[0] == actor and each[2] == "got"}

    def lost(self, actor: str) -> dict[str, str]:
        """Return which channels an actor lost: typed error, peer and message, by channel."""
        words = [line.split(" ", 3) for line in self.printed]
        return {each[1]: each[3] for each in words if each[0] == actor and each[2] == "lost"}


class Attacked:
    """The application, built once, with what its host has recorded."""

    def __init__(self, folder: Path, extra: str = "") -> None:
        app = App(folder)
        self._hold, self._temporary, self._built = folder / "hold", app.temporary, folder / "built"
        self._record = folder / "record"
        os.mkfifo(self._hold)
        settings = f'<channel between="Alice Bob" node-size="512" {extra}/>'
        app.write(SOURCE, "Alice:1 | Bob:2", f'{settings}<param actor="Bob" name="hold">{self._hold}</param>')
        done = app.run("-o", str(self._built), command="build")
        assert done.returncode == 0, done.stderr

    def __call__(self, attack: str) -> Run:
        """Run it once."""
        done = subprocess.run(
            [sys.executable, "-m", "tests.handshakes", self._built, self._hold, attack, self._record],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=environment(self._temporary),
        )
        assert done.returncode == 0, done.stderr
        return Run(done.stdout.splitlines(), **json.loads(done.stderr.splitlines()[-1]))


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Attacked:
    """The application with attested channels, and the recording of an honest run of it."""
    made = Attacked(tmp_path_factory.mktemp("attested"))
    honest = made("nothing")
    assert (honest.status, honest.failures) == (3, [])
    for actor in ("Alice", "Bob"):
        assert honest.got(actor) == {"pay pay", "order order", "friend friend", "theirs settled"}
        assert honest.lost(actor) == {}
    return made


@pytest.mark.parametrize("attack", SAID)
def test_a_touched_key_exchange_breaks_its_channel_and_no_other(attacked: Attacked, attack: str) -> None:
    """Both ends are told why; nothing comes over the channel, and everything over the others."""
    run = attacked(attack)
    assert run.steps == ["hello", "answer", "proof"]
    broken = {"pay", "order"} if attack.startswith("swap") else {"pay"}
    for actor, peer, words in zip(("Alice", "Bob"), ("Bob", "Alice"), SAID[attack], strict=True):
        lost = run.lost(actor)
        assert lost.keys() == broken
        for channel, error in lost.items():
            named = f"ChannelBroken {peer} actor '{actor}': the channel '{channel}' to '{peer}' is broken: "
            assert error.startswith(named)
            assert words in error
        others = {"order order"} - {f"{name} {name}" for name in broken}
        assert run.got(actor) == {"friend friend", "theirs settled"} | others
    assert (run.status, run.failures) == (3, [])


def test_a_key_exchange_does_not_begin_again(attacked: Attacked) -> None:
    """A hello where a message should be, after both ends had keys."""
    run = attacked("the hello again after the keys")
    assert "the channel 'pay' to 'Alice' is broken: it received what is no frame" in run.lost("Bob")["pay"]
    assert run.got("Bob") == {"order order", "friend friend", "theirs settled"}
    assert run.got("Alice") >= {"order order", "friend friend", "theirs settled"}
    assert (run.status, run.failures) == (3, [])


def test_a_host_in_the_middle_of_what_nobody_attests(tmp_path: Path) -> None:
    """The control: without reports the same host reads what it likes and writes what it likes.

    What stops it elsewhere, and is all that differs, is that it would have to answer with a report.
    """
    unattested = Attacked(tmp_path, 'key-exchange="diffie-hellman" insecure="yes"')
    assert unattested("nothing").got("Bob") == {"pay pay", "order order", "friend friend", "theirs settled"}
    run = unattested("in the middle")
    assert run.got("Bob") == {"pay PAY", "order order", "friend friend", "theirs settled"}


def test_every_attack_is_tried() -> None:
    """None is listed that no test makes."""
    apart = {"nothing", "in the middle", "the hello again after the keys"}
    assert ATTACKS.keys() - SAID.keys() == apart
