"""Attacks on the key exchange of a running application, as its host makes them.

Run as a program, it is that host: ``python -m tests.handshakes BUILT HOLD ATTACK RECORD``.
The attacked channel is the first, ``pay``; where two are exchanged the second is ``order``; the
third, ``friend``, is never touched.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.lockstep import HANDSHAKE, Lockstep
from tests.man_in_the_middle import Middle

from eactors import _native

if TYPE_CHECKING:
    from collections.abc import Callable

PAY, ORDER, FRIEND = range(3)
ROOT = Path(__file__).parents[1]

CHANNELS = """
    pay, order, friend = Connector("{peer}"), Connector("{peer}"), Connector("{peer}")
    @pay.on_message
    def paid(self, cargo):
        self.hear("pay", cargo)
    @order.on_message
    def ordered(self, cargo):
        self.hear("order", cargo)
    @friend.on_message
    def told(self, cargo):
        self.hear("theirs" if cargo.data == b"settled" else "friend", cargo)
    @pay.on_broken
    def pay_lost(self, error):
        self.lose(error)
    @order.on_broken
    def order_lost(self, error):
        self.lose(error)
"""
"""What either of the two actors has with its peer."""

SOURCE = f"""
class Talker(Actor):
    first = set()
    def start(self):
        self.left = {{"pay", "order", "mine", "theirs"}}
        for end, name in ((self.pay, b"pay"), (self.order, b"order"), (self.friend, b"friend")):
            end.send(name)
    def hear(self, name, cargo):
        print(self.name, name, "got", cargo.data.decode())
        self.settle(name)
    def lose(self, error):
        print(self.name, error.channel, "lost", type(error).__name__, error.peer, error.message)
        self.settle(error.channel)
    def settle(self, name):
        self.left.discard(name)
        if "mine" in self.left and self.left <= {{"mine"}} | self.first:
            self.left.discard("mine")
            self.friend.send(b"settled")
        if not self.left:
            self.end()
    def end(self):
        pass

class Alice(Talker):
{CHANNELS.format(peer="Bob")}
    def constructor(self):
        self.start()

class Bob(Talker):
{CHANNELS.format(peer="Alice")}
    first = {{"theirs"}}  # Bob says first that he is done, and ends the run when Alice has answered
    params = {{"hold": ""}}
    def constructor(self):
        with open(self.params["hold"], "rb", buffering=0) as file:
            file.read(1)
        self.start()
    def end(self):
        self.exit(3)
"""


@dataclass
class Told:
    """What the host tells of the run."""

    status: int
    failures: list[str]
    steps: list[str]


class Host:
    """The hostile host of one run.

    Args:
        built: The folder.
        hold: The FIFO that holds Bob.
        attack: One of `ATTACKS`.
        record: Where the frames of an earlier run are, or are put.
    """

    def __init__(self, built: Path, hold: Path, attack: str, record: Path) -> None:
        self.lockstep = Lockstep(built, hold, self.strike)
        self._built, self._attack, self._record = built, attack, record
        self._steps: list[str] = []
        self.seen: dict[str, list[bytes]] = {}

    def run(self) -> Told:
        """Attack, and tell what came of it."""
        outcome = self.lockstep.run()
        if self._attack == "nothing":
            self._record.write_text(
                json.dumps({step: [each.hex() for each in frames] for step, frames in self.seen.items()})
            )
        return Told(outcome.status, [each.message for each in outcome.failures], self._steps)

    def strike(self, step: str) -> None:
        """What this attack does in this step."""
        self._steps.append(step)
        side, count = {"hello": (1, 1), "answer": (0, 2), "proof": (1, 1)}[step]
        self.seen[step] = [self.lockstep.frame(PAY, side, index).content for index in range(count)]
        if self._attack == "in the middle":
            if step == "hello":
                self._middle = Middle(self.lockstep, (self._built / "manifest.json").read_bytes())
            self._middle.strike(step)
        elif (change := ATTACKS[self._attack].get(step)) is not None:
            change(self)

    def old(self, step: str) -> list[bytes]:
        """Return what was said on the first channel in an earlier run."""
        return [bytes.fromhex(each) for each in json.loads(self._record.read_text())[step]]

    def write(self, side: int, *contents: bytes | None) -> None:
        """Rewrite what waits for one side of the first channel; None: leave this frame."""
        for index, content in enumerate(contents):
            if content is not None:
                self.lockstep.frame(PAY, side, index).write(content)

    def swap(self, side: int, *indices: int) -> None:
        """Exchange frames of the first two channels."""
        for index in indices:
            one, other = (self.lockstep.frame(channel, side, index) for channel in (PAY, ORDER))
            content = one.content
            one.write(other.content)
            other.write(content)

    def late(self) -> None:
        """Put the first message of all in the place of a frame that is sealed."""
        self.lockstep.frame(PAY, 1, 1).write(self.seen["hello"][0], HANDSHAKE)


def hello_of(side: int) -> bytes:
    """Return a hello with a public key of the host's."""
    return bytes((1, 1, 1, side)) + _native.x25519_generate()[1]


def sent_by(side: int, frame: bytes) -> bytes:
    """Return a message as if this side had sent it."""
    return frame[:3] + bytes((side,)) + frame[4:]


# By step: what the host does in it.
ATTACKS: dict[str, dict[str, Callable[[Host], None]]] = {
    "nothing": {},
    "in the middle": {},
    "substitute side 0's key": {"hello": lambda host: host.write(1, hello_of(0))},
    "substitute side 1's key": {"answer": lambda host: host.write(0, hello_of(1))},
    "substitute both keys": {
        "hello": lambda host: host.write(1, hello_of(0)),
        "answer": lambda host: host.write(0, hello_of(1)),
    },
    "an earlier run's hello": {"hello": lambda host: host.write(1, *host.old("hello"))},
    "an earlier run's answer": {"answer": lambda host: host.write(0, *host.old("answer"))},
    "an earlier run's report": {"answer": lambda host: host.write(0, None, host.old("answer")[1])},
    "an earlier run's last report": {"proof": lambda host: host.write(1, *host.old("proof"))},
    "the hello again": {"answer": lambda host: host.write(0, None, host.seen["answer"][0])},
    "the first hello again": {"proof": lambda host: host.write(1, *host.seen["hello"])},
    "the hello again after the keys": {"proof": Host.late},
    "swap the first hellos": {"hello": lambda host: host.swap(1, 0)},
    "swap the answers": {"answer": lambda host: host.swap(0, 0, 1)},
    "swap the reports": {"answer": lambda host: host.swap(0, 1)},
    "swap the last reports": {"proof": lambda host: host.swap(1, 0)},
    "reflect the hello": {"answer": lambda host: host.write(0, *host.seen["hello"])},
    "reflect the hello as the peer's": {
        "answer": lambda host: host.write(0, sent_by(1, host.seen["hello"][0]))
    },
    "reflect the report": {"proof": lambda host: host.write(1, host.seen["answer"][1])},
    "reflect the report as the peer's": {
        "proof": lambda host: host.write(1, sent_by(0, host.seen["answer"][1]))
    },
}


def main() -> None:
    """Be the host."""
    built, hold, attack, record = sys.argv[1:]
    told = Host(Path(built), Path(hold), attack, Path(record)).run()
    print(json.dumps(asdict(told)), file=sys.stderr)  # noqa: T201 - for the test that started this


if __name__ == "__main__":
    main()
