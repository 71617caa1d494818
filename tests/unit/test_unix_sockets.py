"""Unix sockets of actors: below a granted directory they listen, connect and are removed like any."""

from __future__ import annotations

import errno
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from tests.local_loop import LocalNetwork, close
from tests.sessions import Desk

from eactors.services import network
from eactors.system import beneath
from eactors.system.network import NetworkSession
from eactors.system.unix import LONGEST_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from eactors.services.connection import Connection

NOWHERE = ("", 0)


def granted(path: Path) -> dict[str, list[dict[str, str | None]]]:
    """What a deployment says that grants ``path`` to be written to."""
    return {"directories": [{"name": "data", "path": str(path), "access": "write", "actor": None}]}


@contextmanager
def desk_of(path: Path) -> Iterator[Desk]:
    """A client that may write to ``path``, until it is over."""
    made = Desk(NetworkSession, network.Says, granted(path))
    yield made
    made.session.ended()
    close(made.reactor)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A client with one directory to write to."""
    with desk_of(tmp_path) as made:
        yield made


def listen(number: int, path: bytes) -> network.Listen:
    """Listen as this number."""
    return network.Listen(number, number, "", 0, path, 5, reuse_port=False)


def connect(number: int, path: bytes) -> network.Connect:
    """Connect as this number."""
    return network.Connect(number, number, "", 0, path, "", 0)


def test_from_one_end_to_the_other(desk: Desk, tmp_path: Path) -> None:
    """One client has both ends; when it closes the listener, the name is gone."""
    (tmp_path / "sub").mkdir()
    assert desk.ask(listen(1, b"data/sub/s")) == network.Bound(1, NOWHERE)
    desk.put(network.Accept(2, 1, 2))
    assert desk.ask(connect(3, b"data/sub/s")) == network.Connected(3, NOWHERE, NOWHERE)
    assert desk.until(lambda answer: getattr(answer, "id", 0) == 2) == network.Connected(2, NOWHERE, NOWHERE)
    desk.put(network.Write(3, b"hello"))
    assert desk.until(lambda _: True) == network.Data(2, b"hello")
    desk.put(network.Close(1, abort=False))
    assert desk.until(lambda _: True) == network.Closed(1, 0, "")
    assert list((tmp_path / "sub").iterdir()) == []


def test_addresses_are_the_paths_that_the_actor_knows(tmp_path: Path) -> None:
    """Where the directory lies on the host is no affair of its own, and it need not believe what is said."""
    local = LocalNetwork(granted(tmp_path))
    accepted: list[Connection] = []
    listening = local.client.listen("", 0, accepted.append, path="data/s")
    while not listening.done:
        local.turn()
    connecting = local.client.connect("", 0, path="data/s")
    while not (connecting.done and accepted):
        local.turn()
    assert listening.result().address == ("data/s", 0)
    assert (connecting.result().peer, connecting.result().local) == (("data/s", 0), NOWHERE)
    assert (accepted[0].peer, accepted[0].local) == (NOWHERE, ("data/s", 0))
    local.close()


def test_a_path_of_the_host_may_be_longer_than_an_address(tmp_path: Path) -> None:
    """Only the name has a limit: it stands behind a short path of the kernel's."""
    deep = tmp_path / ("d" * 200)
    deep.mkdir()
    longest = b"data/" + b"n" * LONGEST_NAME
    with desk_of(deep) as desk:
        assert desk.ask(listen(1, longest)) == network.Bound(1, NOWHERE)
        assert desk.ask(connect(2, longest)) == network.Connected(2, NOWHERE, NOWHERE)
        refused = desk.ask(listen(3, longest + b"n"))
    assert refused.errno == errno.ENAMETOOLONG
    assert refused.reason == f"the name of a Unix socket has at most {LONGEST_NAME} bytes"


def test_a_name_that_nobody_listens_at_is_taken_over(desk: Desk, tmp_path: Path) -> None:
    """It was left by somebody who was killed."""
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(tmp_path / "s"))
    assert desk.ask(connect(1, b"data/s")).errno == errno.ECONNREFUSED
    assert desk.ask(listen(2, b"data/s")) == network.Bound(2, NOWHERE)
    assert desk.ask(connect(3, b"data/s")) == network.Connected(3, NOWHERE, NOWHERE)


def test_what_is_in_use_stays(desk: Desk, tmp_path: Path) -> None:
    """Another's socket, and whatever is none."""
    (tmp_path / "file").write_text("kept")
    (tmp_path / "directory").mkdir()
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(tmp_path / "s"))
        other.listen()
        for name in (b"s", b"file", b"directory"):
            assert desk.ask(listen(1, b"data/" + name)).errno == errno.EADDRINUSE
        assert desk.ask(connect(2, b"data/s")) == network.Connected(2, NOWHERE, NOWHERE)
    assert (tmp_path / "file").read_text() == "kept"
    for name in (b"file", b"directory"):
        assert desk.ask(connect(3, b"data/" + name)).errno == errno.ECONNREFUSED
    assert desk.ask(connect(4, b"data/none")).errno == errno.ENOENT
    assert desk.ask(listen(5, b"data/none/s")).errno == errno.ENOENT


def test_a_name_that_has_become_anothers_stays(desk: Desk, tmp_path: Path) -> None:
    """Whoever has removed ours and listens there now is not cut off by our end."""
    assert desk.ask(listen(1, b"data/s")) == network.Bound(1, NOWHERE)
    (tmp_path / "s").unlink()
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(tmp_path / "s"))
        other.listen()
        desk.put(network.Close(1, abort=False))
        assert desk.until(lambda _: True) == network.Closed(1, 0, "")
        assert desk.ask(connect(2, b"data/s")) == network.Connected(2, NOWHERE, NOWHERE)


def test_links_that_stay_below_are_followed_to_connect_and_not_to_listen(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of files, the kernel follows them, and the walk without openat2 none."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "link").symlink_to("sub/s")
    (tmp_path / "loop").symlink_to("loop")
    assert desk.ask(listen(1, b"data/link")).errno == errno.EADDRINUSE
    assert desk.ask(listen(2, b"data/loop")).errno == errno.EADDRINUSE
    assert desk.ask(listen(3, b"data/sub/s")) == network.Bound(3, NOWHERE)
    if beneath.has_openat2():
        assert desk.ask(connect(4, b"data/link")) == network.Connected(4, NOWHERE, NOWHERE)
    monkeypatch.setattr(beneath, "has_openat2", lambda: False)
    assert desk.ask(connect(5, b"data/link")).errno == errno.ELOOP
    assert desk.ask(connect(6, b"data/sub/s")) == network.Connected(6, NOWHERE, NOWHERE)
    assert (tmp_path / "link").is_symlink()


def test_a_client_that_comes_again_finds_its_directories(desk: Desk, tmp_path: Path) -> None:
    """What its earlier life listened at is gone with it."""
    assert desk.ask(listen(1, b"data/s")) == network.Bound(1, NOWHERE)
    desk.session.over()
    assert list(tmp_path.iterdir()) == []
    assert desk.ask(listen(2, b"data/s")) == network.Bound(2, NOWHERE)
