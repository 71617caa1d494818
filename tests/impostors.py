"""Hosts that start other enclaves than they should, or tell them other things.

Run as a program, it is such a host of one run: ``python -m tests.impostors BUILT OTHER HOW HOLD``.
With ``manifest`` all but enclave 2 get the manifest and signatures of the built deployment OTHER. With
the name of a connector enclave 2 is started twice, and that connector of the second answers
where Alice's ``order`` asks; the first has nobody there.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from tests.lockstep import HANDSHAKE, Lockstep

from eactors import _native
from eactors.deployment.sizes import node_payload
from eactors.host import application
from eactors.host import layout as layouts
from eactors.host.processes import Processes, manifest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from eactors.deployment.plan import PlannedChannel
    from eactors.host.layout import Layout

NAMES = ("pay", "order")

SOURCE = """
class Alice(Actor):
    pay, order, friend = Connector("Bob"), Connector("Bob"), Connector("Carol")
    def constructor(self):
        self.open = {"pay", "order", "friend"}
    def settle(self, name, *words):
        print(name, *words)
        self.open.discard(name)
        if not self.open:
            self.exit(3)
    @pay.on_message
    def paid(self, cargo):
        self.settle("pay", "got", cargo.data.decode())
    @order.on_message
    def ordered(self, cargo):
        self.settle("order", "got", cargo.data.decode())
    @friend.on_message
    def told(self, cargo):
        self.settle("friend", "got", cargo.data.decode())
    @pay.on_broken
    def pay_lost(self, error):
        self.settle(error.channel, "lost", type(error).__name__, error.peer, error.message)
    @order.on_broken
    def order_lost(self, error):
        self.settle(error.channel, "lost", type(error).__name__, error.peer, error.message)

class Bob(Actor):
    params = {"hold": ""}
    pay, order = Connector("Alice"), Connector("Alice")
    def constructor(self):
        print("bob is constructed", flush=True)
        with open(self.params["hold"], "rb", buffering=0) as file:
            file.read(1)
        self.pay.send(b"pay")
        self.order.send(b"order")
    @pay.on_broken
    def pay_lost(self, error):
        pass
    @order.on_broken
    def order_lost(self, error):
        pass

class Carol(Actor):
    alice = Connector("Alice")
    def constructor(self):
        self.alice.send(b"friend")
"""


class TwoManifests(Processes):
    """Hands enclave 2 another manifest than the rest."""

    other: dict[str, Any]

    def _write_launch(self, enclave: int, file: Path) -> None:
        honest = self._manifest
        self._manifest = honest if enclave == 2 else self.other
        super()._write_launch(enclave, file)
        self._manifest = honest


class Clones(Processes):
    """Starts enclave 2 twice: both are the enclave of the manifest."""

    answering: str
    """Which connector of the clone answers for ``order``."""

    nowhere: list[dict[str, Any]]
    """Places for channels where nobody is at the other end."""

    participant: int
    baton: int
    clone: int
    """The clone's, in the end its process."""

    def start(self, enclave: int, title: str) -> int:
        """Start it, and its clone."""
        pid = super().start(enclave, title)
        if enclave == 2:
            home = self._workspace.folder / "clone"
            self._write_launch(enclave, Path(f"{home}.json"))
            assert self._cpu is not None
            image = self._built / self._deployed.images[enclave]
            type(self).clone = self._cpu.create("the clone", image, home, 2)
        return pid

    def _write_launch(self, enclave: int, file: Path) -> None:
        super()._write_launch(enclave, file)
        if enclave != 2:
            return
        launch = json.loads(file.read_text())
        places = dict(zip(NAMES, sorted(launch["channels"], key=int), strict=True))
        order = launch["channels"][places["order"]]
        if file.stem == "clone":
            for name, place in places.items():
                launch["channels"][place] = order if name == self.answering else self.nowhere.pop()
            launch["workers"][0]["participant"] = [self.participant, self._layout.host_id + 1]
            launch["workers"][0]["baton"] = [self.baton, 0, 1]
        else:
            launch["channels"][places["order"]] = self.nowhere.pop()
        file.write_text(json.dumps(launch))


def make_room(layout: Layout, channels: tuple[PlannedChannel, ...]) -> None:
    """Lay out what a clone needs."""
    Clones.participant = layout.take(_native.PARTICIPANT_BYTES)
    Clones.baton = layout.take(_native.BATON_BYTES)
    places = [
        layouts._lay_channel(layout, channel, node_payload(channel)) for channel in (*channels, channels[0])
    ]
    layout.channels |= {1000 + number: place for number, place in enumerate(places)}
    Clones.nowhere = [
        {"pool": place.pool, "shared": place.shared, "mboxes": list(place.mboxes)} for place in places
    ]


class Host(Lockstep):
    """Holds enclave 2 until Alice has said hello: so it is she who sees first what is wrong.

    Args:
        built: The folder.
        hold: The FIFO that holds Bob.
        how: See above.
    """

    def __init__(self, built: Path, hold: Path, how: str) -> None:
        super().__init__(built, hold, lambda _: None)
        self._how = how

    def prepare(self) -> None:
        """Make room for a clone."""
        if self._how != "manifest":
            make_room(self.app._layout, self.app.deployed.channels)
            self.app._unattached.add(-1)  # the region keeps its name until the clone has found it, too
            Clones.answering = self._how

    def _walk(self) -> Iterator[Callable[[], bool]]:
        yield lambda: all(self._kinds(channel, 1)[:1] == [HANDSHAKE] for channel in self.channels[:2])
        os.write(os.open(self._hold, os.O_RDWR), b"..")


def main() -> None:
    """Be the host."""
    built, other, how, hold = sys.argv[1:]
    starter: type[Processes] = TwoManifests if how == "manifest" else Clones
    TwoManifests.other = manifest_of(Path(other))
    with patch.object(application, "Processes", starter):
        outcome = Host(Path(built), Path(hold), how).run()
    if how != "manifest":
        os.waitpid(Clones.clone, 0)
    failures = [each.message for each in outcome.failures]
    told = {"status": outcome.status, "failures": failures}
    print(json.dumps(told), file=sys.stderr)  # noqa: T201 - for the test that started this


if __name__ == "__main__":
    main()
