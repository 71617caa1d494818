"""The system actor for files: what it does for whom, its limits, and who does not wait for whom."""

from __future__ import annotations

import errno
import os
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import pytest
from tests.sessions import Desk, open_descriptors

from eactors.services import files_messages as files
from eactors.services.base import MOST_WORDS, Done, Failed
from eactors.services.paths import LONGEST_PATH
from eactors.system.files import MOST_FILES, FilesSession
from eactors.system.watches import MOST_WATCHES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A client with one directory to write to."""
    return desk_of(tmp_path)


def desk_of(path: Path) -> Desk:
    """Return a client that may write to ``path``."""
    granted = [{"name": "data", "path": str(path), "access": "write", "actor": None}]
    return Desk(FilesSession, files.Says, {"directories": granted})


def test_a_file_from_beginning_to_end(desk: Desk, tmp_path: Path) -> None:
    """Opened, written, synced, read, given another length, closed; answered in this order."""
    assert desk.ask(files.Open(1, 7, b"data/a", "w+")) == files.Opened(1, 0)
    assert desk.ask(files.Write(2, 7, 2, b"hello")) == Done(2)
    assert desk.ask(files.Sync(3, 7)) == Done(3)
    assert (tmp_path / "a").read_bytes() == b"\0\0hello"
    assert desk.ask(files.Read(4, 7, 1, 100)) == files.Data(4, b"\0hello")
    assert desk.ask(files.Truncate(5, 7, 3)) == Done(5)
    assert desk.ask(files.Read(6, 7, 0, 3)) == files.Data(6, b"\0\0h")
    assert desk.ask(files.Read(7, 7, 3, 1)) == files.Data(7, b"")
    assert desk.ask(files.Close(8, 7)) == Done(8)
    assert desk.ask(files.Read(9, 7, 0, 1)) == Failed(9, errno.EBADF, "read", "file 7 is not open")


MODES: dict[str, tuple[bytes | int, bytes | int]] = {
    "r": (errno.ENOENT, errno.EBADF),
    "r+": (errno.ENOENT, b"Xld"),
    "w": (b"X", b"X"),
    "w+": (b"X", b"X"),
    "a": (b"X", b"oldX"),
    "x": (b"X", errno.EEXIST),
    "x+": (b"X", errno.EEXIST),
}


@pytest.mark.parametrize("mode", MODES)
def test_modes(desk: Desk, tmp_path: Path, mode: Any) -> None:
    """What each makes of no file, and of one."""
    for wanted, before in zip(MODES[mode], (None, b"old"), strict=True):
        if before is not None:
            (tmp_path / "a").write_bytes(before)
        answer = desk.ask(files.Open(1, 1, b"data/a", mode))
        if isinstance(answer, files.Opened):
            answer = desk.ask(files.Write(2, 1, 0, b"X"))
            desk.ask(files.Close(3, 1))
        got = answer.errno if isinstance(answer, Failed) else (tmp_path / "a").read_bytes()
        assert got == wanted


def test_a_refusal_is_no_longer_than_its_client_reads(desk: Desk) -> None:
    """Of the longest path, too, in which no byte is text; else an honest host would be held for a liar."""
    refused = desk.ask(files.Stat(1, b"\xff" * LONGEST_PATH))
    assert refused.errno == errno.EACCES
    assert refused.reason.startswith(r"the deployment grants no directory '\\xff\\xff")
    assert len(refused.reason) == MOST_WORDS


def test_names(desk: Desk, tmp_path: Path) -> None:
    """Made, listed, renamed, looked at, removed."""
    assert desk.ask(files.Make(1, b"data/d")) == Done(1)
    (tmp_path / "a").write_bytes(b"abc")
    (tmp_path / "l").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "p")
    listed = [(b"a", "file"), (b"d", "directory"), (b"l", "link"), (b"p", "pipe")]
    assert desk.ask(files.List(2, b"data", b"")) == files.Listed(2, listed, more=False)  # type: ignore[arg-type]
    assert desk.ask(files.List(3, b"data", b"d")).entries == listed[2:]
    assert desk.ask(files.Rename(4, b"data/a", b"data/d/b")) == Done(4)
    facts = (tmp_path / "d" / "b").stat()
    assert desk.ask(files.Stat(5, b"data/d/b")) == files.Status(5, "file", 3, facts.st_mtime_ns)
    assert desk.ask(files.Settle(6, b"data/d")) == Done(6)
    assert desk.ask(files.Remove(7, b"data/d")).errno == errno.ENOTEMPTY
    for number, name in enumerate((b"d/b", b"d", b"l", b"p"), 8):
        assert desk.ask(files.Remove(number, b"data/" + name)) == Done(number)
    assert list(tmp_path.iterdir()) == []
    assert desk.ask(files.Stat(20, b"data")).kind == "directory"
    assert desk.ask(files.Stat(21, b"data/l")).errno == errno.ENOENT


@pytest.mark.parametrize(
    "request_",
    [
        files.Open(1, 1, b"data/out", "r"),
        files.Open(1, 1, b"data/out", "w"),
        files.Stat(1, b"data/out"),
        files.List(1, b"data/up", b""),
        files.Rename(1, b"data/up/secret", b"data/mine"),
        files.Rename(1, b"data/mine", b"data/up/theirs"),
        files.Remove(1, b"data/up/secret"),
        files.Make(1, b"data/up/made"),
        files.Settle(1, b"data/up"),
        files.Watch(1, 1, b"data/up"),
        files.Stat(1, b"data/../secret"),
        files.Stat(1, b"data/\0"),
    ],
    ids=lambda request: f"{type(request).__name__} {request.path!r}",
)
def test_nothing_leads_out(tmp_path: Path, request_: Any) -> None:
    """Whatever is asked for: neither links nor '..', and nothing has happened outside."""
    data = tmp_path / "data"
    data.mkdir()
    (tmp_path / "secret").write_text("secret")
    (data / "mine").write_text("mine")
    (data / "out").symlink_to("../secret")
    (data / "up").symlink_to("..")
    answer = desk_of(data).ask(request_)
    assert isinstance(answer, Failed)
    assert answer.errno in (errno.EACCES, errno.EINVAL, errno.ELOOP, errno.ENOTDIR)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "secret"]
    assert (tmp_path / "secret").read_text() == "secret"


def test_only_files_are_opened(desk: Desk, tmp_path: Path) -> None:
    """A named pipe would block, and a directory is no file; neither is opened for good."""
    os.mkfifo(tmp_path / "p")
    (tmp_path / "d").mkdir()
    assert desk.ask(files.Open(1, 1, b"data/p", "r")).reason == "it is no file but of the kind 'pipe'"
    assert desk.ask(files.Open(2, 1, b"data/d", "r")).errno == errno.EISDIR
    assert desk.ask(files.Open(3, 1, b"data/p", "w")).errno == errno.ENXIO


def test_open_files_are_bounded_and_closed_with_their_client(desk: Desk, tmp_path: Path) -> None:
    """One client cannot take all descriptors, and none are left when it has gone."""
    (tmp_path / "a").write_bytes(b"")
    desk.ask(files.Stat(1, b"data/a"))
    before = open_descriptors()
    for number in range(1, MOST_FILES + 1):
        assert isinstance(desk.ask(files.Open(number, number, b"data/a", "r")), files.Opened)
    assert desk.ask(files.Open(99, 99, b"data/a", "r")).errno == errno.EMFILE
    assert desk.ask(files.Watch(100, 1, b"data")) == Done(100)
    assert desk.ask(files.Watch(101, 1, b"data")).errno == errno.EMFILE
    assert MOST_WATCHES >= 1
    desk.session.ended()
    assert open_descriptors() == before - 1  # the directory itself, too


def test_one_request_at_a_time(desk: Desk) -> None:
    """While a thread is at work for a client, nothing else of it is begun: the order is kept."""
    begun: list[Callable[[], Any]] = []
    held: list[Callable[[], None]] = []

    def in_thread(function: Callable[[], Any], then: Callable[[Future[Any]], object]) -> None:
        def finish() -> None:
            future: Future[Any] = Future()
            future.set_result(function())
            then(future)

        begun.append(function)
        held.append(finish)

    desk.reactor.in_thread = in_thread  # type: ignore[method-assign]
    desk.put(files.Open(1, 1, b"data/a", "w"))
    desk.put(files.Write(2, 1, 0, b"x"))
    for _ in range(5):
        desk.turn()
    assert (len(begun), desk.end.sent) == (1, [])
    held[0]()
    desk.turn()
    assert len(begun) == 2
    held[1]()
    assert [answer.id for answer in desk.end.sent] == [1, 2]


def test_nothing_is_taken_from_a_client_that_does_not_read(desk: Desk) -> None:
    """So that answers never pile up: requests wait where they were made."""
    desk.end.waiting = 1
    desk.put(files.Stat(1, b"data"))
    for _ in range(5):
        desk.turn()
    assert (desk.end.sent, len(desk.end.inbox)) == ([], 1)
    desk.end.waiting = 0
    assert desk.until(lambda answer: answer.id == 1).kind == "directory"


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x91\x0a", b"\x93\x0b\x01\x01", b"\x94\x63\x01\x01\x01"])
def test_who_sends_what_is_no_request_is_left(desk: Desk, data: bytes) -> None:
    """It is no honest client; the session ends, and the process goes on."""
    desk.end.inbox.append(data)
    desk.turn()
    assert desk.session.stopped


def test_a_full_disk_is_a_failure_and_keeps_what_was_synced(tmp_path: Path) -> None:
    """The write that found no room fails; what was acknowledged before it is there."""
    desk = desk_of(tmp_path)
    desk.ask(files.Open(1, 1, b"data/a", "w"))
    desk.ask(files.Write(2, 1, 0, b"kept"))
    assert desk.ask(files.Sync(3, 1)) == Done(3)
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, desk.session._files[1].descriptor)  # type: ignore[attr-defined]
    os.close(full)
    answer = desk.ask(files.Write(4, 1, 4, b"lost"))
    assert (answer.errno, answer.reason) == (errno.ENOSPC, "No space left on device")
    assert (tmp_path / "a").read_bytes() == b"kept"


def changes(desk: Desk, watch: int, *wanted: tuple[str, bytes]) -> None:
    """Wait for changes, in this order."""
    for what, name in wanted:
        message = desk.until(lambda message: isinstance(message, files.Changed))
        assert message == files.Changed(watch, what, name)  # type: ignore[arg-type]


def test_watching_a_directory_and_a_file(desk: Desk, tmp_path: Path) -> None:
    """Names appear and go, content changes; and after that nothing is told."""
    assert desk.ask(files.Watch(1, 5, b"data")) == Done(1)
    (tmp_path / "a").write_bytes(b"x")
    changes(desk, 5, ("created", b"a"), ("changed", b"a"))
    assert desk.ask(files.Watch(2, 6, b"data/a")) == Done(2)
    assert desk.ask(files.Unwatch(3, 5)) == Done(3)
    with (tmp_path / "a").open("ab") as file:
        file.write(b"y")
    changes(desk, 6, ("changed", b""))
    (tmp_path / "a").unlink()
    assert desk.ask(files.Unwatch(4, 6)) == Done(4)
    assert desk.ask(files.Unwatch(5, 6)) == Done(5)


def test_changes_wait_for_a_client_that_is_behind(desk: Desk, tmp_path: Path) -> None:
    """Nothing is read from the kernel until the client reads, and equal changes are told once."""
    assert desk.ask(files.Watch(1, 5, b"data")) == Done(1)
    desk.end.waiting = 3
    for number in range(200):
        (tmp_path / "a").write_bytes(b"%d" % number)
    for _ in range(5):
        desk.turn()
    assert desk.end.sent == []
    desk.end.waiting = 0
    changes(desk, 5, ("created", b"a"), ("changed", b"a"))
    assert len(desk.end.sent) < 20


def test_a_client_that_comes_again_hears_nothing_of_its_earlier_life(desk: Desk) -> None:
    """What a thread brings too late is closed and not answered, and all that was open is closed."""
    desk.session.comes_again = True
    desk.ask(files.Stat(1, b"data"))
    desk.session.ended()
    before = open_descriptors()
    assert desk.ask(files.Open(2, 1, b"data/a", "w")) == files.Opened(2, 0)
    desk.put(files.Open(3, 2, b"data/b", "w"))
    desk.session.body()
    desk.session.over()
    assert desk.ask(files.Open(4, 1, b"data/a", "r")) == files.Opened(4, 0)
    assert desk.end.sent == []
    desk.session.over()
    assert open_descriptors() == before
    desk.end.closed = True
    desk.turn()
    assert not desk.session.stopped
