"""No Unix socket leads out of a granted directory, whatever path is given and whatever links lie there."""

from __future__ import annotations

import errno
import os
import socket
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
from tests.local_loop import close
from tests.raw_client import descriptors
from tests.sessions import Desk

from eactors.services import network
from eactors.services.base import Failed
from eactors.system import beneath
from eactors.system.grants import Grants
from eactors.system.network import NetworkSession
from eactors.system.unix import Name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NOWHERE = ("", 0)


@contextmanager
def anothers(path: Path) -> Iterator[socket.socket]:
    """Somebody who listens there, and to whom no actor may connect."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))
        sock.listen()
        sock.setblocking(False)  # noqa: FBT003 - as sockets have it
        yield sock


def was_connected(sock: socket.socket) -> bool:
    """Whether somebody has connected."""
    with suppress(BlockingIOError):
        sock.accept()[0].close()
        return True
    return False


def names(folder: Path) -> list[str]:
    """What lies in a directory."""
    return [each.name for each in folder.iterdir()]


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[socket.socket]:
    """Another's socket, beside what is granted."""
    (tmp_path / "outside").mkdir()
    with anothers(tmp_path / "outside" / "s") as sock:
        yield sock


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """What actor A is granted: one directory to read, one to write; a third is another's."""
    for name in ("read", "write", "others"):
        (tmp_path / name).mkdir()
    (tmp_path / "write" / "sub").mkdir()
    grants = [("read", "read", None), ("write", "write", "A"), ("others", "write", "B")]
    directories = [
        {"name": name, "path": str(tmp_path / name), "access": access, "actor": actor}
        for name, access, actor in grants
    ]
    made = Desk(NetworkSession, network.Says, {"directories": directories})
    yield made
    made.session.ended()
    close(made.reactor)


def asked(path: bytes) -> list[Any]:
    """Listen there, and connect there."""
    return [
        network.Listen(1, 1, "", 0, path, 5, reuse_port=False),
        network.Connect(2, 2, "", 0, path, "", 0),
    ]


REFUSED = {
    b"": (errno.EACCES, "the deployment grants no directory '' (it grants: read, write)"),
    b"s": (errno.EACCES, "the deployment grants no directory 's' (it grants: read, write)"),
    b"outside/s": (errno.EACCES, "the deployment grants no directory 'outside' (it grants: read, write)"),
    b"others/s": (errno.EACCES, "the deployment grants no directory 'others' (it grants: read, write)"),
    b"/tmp/s": (errno.EACCES, "the deployment grants no directory '' (it grants: read, write)"),
    b"write/../outside/s": (errno.EINVAL, "a path has no empty names, no '.' and no '..'"),
    b"write//s": (errno.EINVAL, "a path has no empty names, no '.' and no '..'"),
    b"write/s\0x": (errno.EINVAL, "a path has no NUL"),
    b"read/s": (errno.EROFS, "the deployment grants the directory 'read' for reading only"),
    b"\0name": (
        errno.EACCES,
        "an abstract Unix socket is in no directory that a deployment could grant; use a path",
    ),
}


@pytest.mark.parametrize("path", REFUSED, ids=repr)
def test_what_is_not_granted_is_refused_by_name(desk: Desk, victim: socket.socket, path: bytes) -> None:
    """To listen and to connect: who may connect may say anything to whoever listens, so he has to write."""
    before = descriptors()
    for request in asked(path):
        answer = desk.ask(request)
        assert (answer.errno, answer.reason) == REFUSED[path]
    assert descriptors() <= before
    assert not was_connected(victim)


ESCAPES = [b"absolute", b"relative", b"up/outside/s", b"root/s", b"magic/s", b"loop/s", b"nothing"]


@pytest.mark.parametrize("openat2", [True, False])
@pytest.mark.parametrize("path", ESCAPES, ids=bytes.decode)
def test_no_link_leads_out(
    desk: Desk,
    victim: socket.socket,
    tmp_path: Path,
    path: bytes,
    monkeypatch: pytest.MonkeyPatch,
    *,
    openat2: bool,
) -> None:
    """Neither in the place of the socket nor on the way to it; nothing is made, removed or called outside."""
    if not openat2:
        monkeypatch.setattr(beneath, "has_openat2", lambda: False)
    elif not beneath.has_openat2():
        pytest.skip("this kernel has no openat2")
    write = tmp_path / "write"
    (write / "absolute").symlink_to(tmp_path / "outside" / "s")
    (write / "relative").symlink_to("../outside/s")
    (write / "up").symlink_to("..")
    (write / "root").symlink_to(tmp_path / "outside")
    (write / "magic").symlink_to("/proc/self/cwd")
    (write / "loop").symlink_to("loop")
    (write / "nothing").symlink_to("../outside/new")
    before = descriptors()
    for request in asked(b"write/" + path):
        assert isinstance(desk.ask(request), Failed)
    # The granted directory itself stays open.
    assert descriptors() <= before + 1
    assert not was_connected(victim)
    assert names(tmp_path / "outside") == ["s"]


def test_a_link_to_what_nobody_listens_at_is_no_stale_socket(desk: Desk, tmp_path: Path) -> None:
    """Neither it nor where it leads is removed."""
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(tmp_path / "stale"))
    (tmp_path / "write" / "s").symlink_to("../stale")
    assert desk.ask(asked(b"write/s")[0]).errno == errno.EADDRINUSE
    assert (tmp_path / "stale").is_socket()
    assert (tmp_path / "write" / "s").is_symlink()


def before_each(monkeypatch: pytest.MonkeyPatch, cls: type, method: str, call: Callable[[], object]) -> None:
    """Have ``call()`` called before a method is."""
    original = getattr(cls, method)

    def after_call(*arguments: Any) -> Any:
        call()
        return original(*arguments)

    monkeypatch.setattr(cls, method, after_call)


def test_a_directory_that_becomes_a_link_before_its_socket_is_bound(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The socket is in the directory that was looked at, wherever that is now."""
    (tmp_path / "outside").mkdir()
    sub = tmp_path / "write" / "sub"

    def swap() -> None:
        sub.rename(sub.with_name("moved"))
        sub.symlink_to(tmp_path / "outside")

    before_each(monkeypatch, Name, "bind", swap)
    assert desk.ask(asked(b"write/sub/s")[0]) == network.Bound(1, NOWHERE)
    assert names(tmp_path / "outside") == []
    assert (tmp_path / "write" / "moved" / "s").is_socket()
    desk.session.ended()
    assert names(tmp_path / "write" / "moved") == []


def test_a_socket_that_becomes_a_link_before_it_is_connected_to(
    desk: Desk, victim: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who was looked at is called, and not who stands there now."""
    name = tmp_path / "write" / "s"
    locate = Grants.locate

    def swapping(grants: Grants, path: bytes) -> int:
        found = locate(grants, path)
        name.unlink()
        name.symlink_to(tmp_path / "outside" / "s")
        return found

    monkeypatch.setattr(Grants, "locate", swapping)
    with anothers(name) as allowed:
        assert desk.ask(asked(b"write/s")[1]) == network.Connected(2, NOWHERE, NOWHERE)
        assert was_connected(allowed)
    assert not was_connected(victim)


def test_a_listener_that_ends_removes_nothing_outside(
    desk: Desk, victim: socket.socket, tmp_path: Path
) -> None:
    """Neither through a directory nor through a name that has become a link meanwhile."""
    sub = tmp_path / "write" / "sub"
    for number, name in ((1, b"write/sub/s"), (2, b"write/t")):
        request = network.Listen(number, number, "", 0, name, 5, reuse_port=False)
        assert desk.ask(request) == network.Bound(number, NOWHERE)
    sub.rename(sub.with_name("moved"))
    sub.symlink_to(tmp_path / "outside")
    (tmp_path / "write" / "t").unlink()
    (tmp_path / "write" / "t").symlink_to(tmp_path / "outside" / "s")
    desk.session.ended()
    assert (tmp_path / "outside" / "s").is_socket()
    assert (tmp_path / "write" / "t").is_symlink()
    assert not was_connected(victim)


def test_a_peer_tells_nothing_by_the_name_of_its_own_socket(desk: Desk, tmp_path: Path) -> None:
    """It is a path of the host, may be no text, and might otherwise end the process of all clients."""
    assert desk.ask(asked(b"write/s")[0]) == network.Bound(1, NOWHERE)
    for number, own in enumerate((os.fsencode(tmp_path) + b"/\xff", b"\0abstract \xff"), 10):
        with socket.socket(socket.AF_UNIX) as peer:
            peer.bind(own)
            peer.connect(str(tmp_path / "write" / "s"))
            assert desk.ask(network.Accept(number, 1, number)) == network.Connected(number, NOWHERE, NOWHERE)
