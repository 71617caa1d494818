"""The system actor for named pipes: both ends, and that neither holds what the other does not take."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest
from tests.sessions import Desk, open_descriptors

from eactors.services import pipes
from eactors.services.base import Done
from eactors.system.pipes import PipesSession

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A client with one directory to write to, and a pipe in it."""
    granted = [{"name": "data", "path": str(tmp_path), "access": "write", "actor": None}]
    made = Desk(PipesSession, pipes.Says, {"directories": granted})
    assert made.ask(pipes.Make(1, b"data/p")) == Done(1)
    return made


def test_from_one_end_to_the_other(desk: Desk) -> None:
    """One client has both ends; what is written is read, and the end comes behind it."""
    assert desk.ask(pipes.Open(2, 1, b"data/p", "read")) == Done(2)
    assert desk.ask(pipes.Open(3, 2, b"data/p", "write")) == Done(3)
    desk.put(pipes.Read(4, 1, 100))
    assert desk.ask(pipes.Write(5, 2, b"hello")) == Done(5)
    assert desk.until(lambda answer: answer.id == 4) == pipes.Data(4, b"hello")
    assert desk.ask(pipes.Close(6, 2)) == Done(6)
    assert desk.ask(pipes.Read(7, 1, 100)) == pipes.Data(7, b"")


def test_to_write_is_open_when_somebody_reads(desk: Desk, tmp_path: Path) -> None:
    """Until then nothing blocks, and the answer waits."""
    desk.put(pipes.Open(2, 1, b"data/p", "write"))
    for _ in range(5):
        desk.turn()
    assert desk.end.sent == []
    reader = os.open(tmp_path / "p", os.O_RDONLY | os.O_NONBLOCK)
    assert desk.until(lambda answer: answer.id == 2) == Done(2)
    os.close(reader)
    assert desk.ask(pipes.Write(3, 1, b"x")).errno == errno.EPIPE


def test_a_writer_waits_for_room(desk: Desk, tmp_path: Path) -> None:
    """What the reader does not take is answered when it has; one write at a time may wait."""
    reader = os.open(tmp_path / "p", os.O_RDONLY | os.O_NONBLOCK)
    assert desk.ask(pipes.Open(2, 1, b"data/p", "write")) == Done(2)
    assert desk.ask(pipes.Write(3, 1, bytes(pipes.CHUNK))) == Done(3)
    desk.put(pipes.Write(4, 1, bytes(pipes.CHUNK)))
    assert desk.ask(pipes.Write(5, 1, b"x")).errno == errno.EBUSY
    assert desk.end.sent == []
    got = len(os.read(reader, 1 << 20))
    assert desk.until(lambda answer: answer.id == 4) == Done(4)
    got += len(os.read(reader, 1 << 20))
    os.close(reader)
    assert got == 2 * pipes.CHUNK


def test_closing_ends_what_waits(desk: Desk) -> None:
    """A read that was asked for, and an opening that found no reader."""
    assert desk.ask(pipes.Open(2, 1, b"data/p", "read")) == Done(2)
    desk.put(pipes.Read(3, 1, 10))
    assert desk.ask(pipes.Close(4, 1)) == Done(4)
    assert desk.until(lambda answer: answer.id == 3).errno == errno.ECANCELED
    desk.put(pipes.Open(5, 2, b"data/p", "write"))
    assert desk.ask(pipes.Close(6, 2)) == Done(6)
    assert desk.until(lambda answer: answer.id == 5).errno == errno.ECANCELED


def test_what_is_no_pipe_or_the_wrong_end(desk: Desk, tmp_path: Path) -> None:
    """Refused, and nothing is left open."""
    (tmp_path / "file").write_text("x")
    before = open_descriptors()
    assert desk.ask(pipes.Open(2, 1, b"data/file", "read")).reason == "it is no named pipe"
    assert desk.ask(pipes.Open(3, 1, b"data/none", "read")).errno == errno.ENOENT
    assert desk.ask(pipes.Read(4, 1, 1)).errno == errno.EBADF
    assert desk.ask(pipes.Close(5, 1)).errno == errno.EBADF
    assert desk.ask(pipes.Open(6, 1, b"data/p", "read")) == Done(6)
    assert desk.ask(pipes.Write(7, 1, b"x")).reason == "pipe 1 is not open to write"
    assert desk.ask(pipes.Make(8, b"data/p")).errno == errno.EEXIST
    assert open_descriptors() == before + 1
    desk.put(pipes.Read(9, 1, 1))
    desk.turn()
    desk.session.ended()
    assert open_descriptors() == before - 1


def test_an_ended_pipe_that_nobody_reads_costs_nothing(desk: Desk) -> None:
    """The end is told to who reads, and not to the reactor again and again."""
    assert desk.ask(pipes.Open(2, 1, b"data/p", "read")) == Done(2)
    assert desk.ask(pipes.Open(3, 2, b"data/p", "write")) == Done(3)
    assert desk.ask(pipes.Close(4, 2)) == Done(4)
    desk.reactor.body()
    assert desk.reactor.body() is not True
