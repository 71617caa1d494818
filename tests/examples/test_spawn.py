"""The house with a room for each visitor, with real visitors."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import socket
import struct
from contextlib import suppress
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from tests.cli.test_life_and_death import enclaves, ended
from tests.examples.test_examples import EXAMPLES

if TYPE_CHECKING:
    from tests.conftest import App, Command

FOLDER = EXAMPLES / "spawn"
_SPEC = importlib.util.spec_from_file_location("spawn", FOLDER / "spawn.py")
assert _SPEC is not None
assert _SPEC.loader is not None
spawn: Any = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(spawn)
DEPLOYMENTS = {"one-room": 1, "three-rooms": 3}
ALONE = "You are alone here.\n"
FULL = "There is no room for you now. Please come again.\n"
PATIENCE = 30


class Visitor:
    """One who connects.

    Args:
        port: Where the door is.
    """

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._lines = self.socket.makefile("r", encoding="utf-8", newline="\n")

    def hears(self) -> str:
        """The next line; nothing if the connection is no more."""
        with suppress(ConnectionResetError):
            return self._lines.readline()
        return ""

    def says(self, line: str) -> str:
        """Say a line; the answer."""
        self.socket.sendall(line.encode() + b"\n")
        return self.hears()

    def leaves(self) -> str:
        """Send the end, and wait for the other; what was heard until then."""
        self.socket.shutdown(socket.SHUT_WR)
        heard = self._lines.read()
        self._lines.close()
        self.socket.close()
        return heard

    def vanishes(self) -> None:
        """Be gone with a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._lines.close()
        self.socket.close()


@pytest.fixture
def house(app: App) -> App:
    """The example, with one room."""
    return furnished(app, "one-room")


def furnished(app: App, deployment: str) -> App:
    """The example in a folder of its own."""
    shutil.copy(FOLDER / "spawn.py", app.source)
    shutil.copy(FOLDER / f"{deployment}.xml", app.deployment)
    return app


def opened(app: App, visitors: int = 0) -> tuple[Command, int]:
    """Open the door; the process, and the port."""
    process = app.start("--param", "Keeper.port=0", "--param", f"Keeper.visitors={visitors}")
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.communicate()
    return process, int(line.removeprefix("the door is open at "))


def welcomed(port: int) -> Visitor:
    """Come in; again and again if there is no room."""
    while True:
        visitor = Visitor(port)
        heard = visitor.hears()
        if heard == ALONE:
            return visitor
        assert heard == FULL
        visitor.vanishes()


def test_every_deployment_has_a_case() -> None:
    """No deployment is left out; the README names each, and shows what visitors hear."""
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert {file.stem for file in FOLDER.glob("*.xml")} == DEPLOYMENTS.keys()
    for deployment in DEPLOYMENTS:
        assert f"`{deployment}.xml`" in readme
    for heard in (ALONE, FULL, "colour is noted.", "Nobody has told me of colour."):
        assert heard.rstrip() in readme


@pytest.mark.parametrize(("deployment", "rooms"), DEPLOYMENTS.items())
def test_each_room_has_an_encrypted_channel_to_the_keeper(app: App, deployment: str, rooms: int) -> None:
    """What a visitor says is read by nobody between the keeper and its room."""
    plan = json.loads(furnished(app, deployment).check("--json").stdout)
    channels = {
        tuple(end.partition(".")[0] for end in each["between"]): each["protection"]
        for each in plan["channels"]
    }
    assert channels == {("Keeper", f"room{number}"): "encrypted" for number in range(1, rooms + 1)}


def test_one_after_another_finds_nothing_of_the_last(house: App) -> None:
    """The room is the same, and its enclave another; a visitor who comes again is a stranger, too."""
    process, port = opened(house, visitors=3)
    for number in range(3):
        visitor = Visitor(port)
        assert visitor.hears() == ALONE
        assert visitor.says("recall colour") == "Nobody has told me of colour.\n"
        assert visitor.says(f"remember colour light blue {number}") == "colour is noted.\n"
        assert visitor.says("recall colour") == f"light blue {number}\n"
        assert visitor.says("hello?").startswith("Say: remember NAME VALUE")
        assert visitor.leaves() == ""
    stdout, stderr = ended(house, process)
    assert (process.returncode, stderr) == (0, "")
    assert stdout == "".join(
        f"visitor {number} is in room1\nvisitor {number} has left\n" for number in (1, 2, 3)
    )


def test_several_at_a_time_share_nothing_and_one_more_is_turned_away(app: App) -> None:
    """Three rooms for three visitors; the fourth is told, and the fifth has the room of one that has left."""
    process, port = opened(furnished(app, "three-rooms"), visitors=5)
    visitors = [welcomed(port) for _ in range(3)]
    for number, visitor in enumerate(visitors):
        assert visitor.says(f"remember me {number}") == "me is noted.\n"
    for number, visitor in enumerate(visitors):
        assert visitor.says("recall me") == f"{number}\n"
    assert Visitor(port).leaves() == FULL
    assert visitors.pop().leaves() == ""
    visitors.append(welcomed(port))
    assert visitors[-1].says("recall me") == "Nobody has told me of me.\n"
    assert [visitor.leaves() for visitor in visitors] == [""] * 3
    stdout, stderr = ended(app, process)
    assert (process.returncode, stderr) == (0, "")
    assert stdout.splitlines()[:6] == [
        *(f"visitor {number} is in room{number}" for number in (1, 2, 3)),
        "visitor 4 was turned away: as many run as there may (3)",
        "visitor 4 has left",
        "visitor 3 has left",
    ]


def test_all_that_was_said_before_the_end_is_answered(house: App) -> None:
    """`printf ... | nc` hears its answers, of a last line without an end, too."""
    process, port = opened(house, visitors=1)
    visitor = Visitor(port)
    visitor.socket.sendall(b"remember me well\n" + b"recall me\n" * 2000 + b"recall me")
    assert visitor.leaves() == f"{ALONE}me is noted.\n" + "well\n" * 2001
    assert ended(house, process)[1] == ""


def test_a_visitor_without_manners_leaves_its_room_to_the_next(house: App) -> None:
    """A connection that is reset, or a line without an end, is the end of a visit, and of nothing else."""
    process, port = opened(house)
    visitor = welcomed(port)
    assert visitor.says("remember me reset") == "me is noted.\n"
    visitor.vanishes()
    visitor = welcomed(port)
    visitor.socket.sendall(b"remember me " + b"x" * 200_000)
    assert visitor.hears() == ""
    visitor.vanishes()
    visitor = welcomed(port)
    assert visitor.says("recall me") == "Nobody has told me of me.\n"
    process.send_signal(signal.SIGINT)
    assert ended(house, process)[1] == ""
    visitor.vanishes()


def test_a_room_that_is_lost_is_the_end_of_its_visit_alone(app: App) -> None:
    """Its visitor is not left waiting, the others notice nothing, and the next gets a new one."""
    process, port = opened(furnished(app, "three-rooms"))
    one, other = welcomed(port), welcomed(port)
    assert one.says("remember me one") == other.says("remember me other") == "me is noted.\n"
    os.kill(enclaves(app, process, 4)["enclave-2"], signal.SIGKILL)
    assert one.leaves() == ""
    assert other.says("recall me") == "other\n"
    following = welcomed(port)
    assert following.says("recall me") == "Nobody has told me of me.\n"
    process.send_signal(signal.SIGINT)
    stdout, stderr = ended(app, process)
    assert (process.returncode, stderr) == (130, "")
    assert stdout.endswith("visitor 1 has left\nvisitor 3 is in room1\n")
    other.vanishes()
    following.vanishes()


def test_a_host_that_gives_a_room_to_two_gives_nothing_away() -> None:
    """It may say that a room has ended while it goes on; whoever enters then ends it, and hears no note."""
    said: list[bytes] = []
    room = spawn.Room.__new__(spawn.Room)
    room.keeper = SimpleNamespace(send=said.append)
    room.constructor()
    for line in (b"", b"remember me well\n", b""):
        room.heard(SimpleNamespace(data=line))
    assert said == [ALONE.encode(), b"me is noted.\n", b""]
    with pytest.raises(AttributeError):
        room.heard(SimpleNamespace(data=b"recall me\n"))
    assert len(said) == 3
