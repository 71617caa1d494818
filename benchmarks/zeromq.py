"""pyzmq PUSH and PULL: what a Python user picks for fast messages between processes."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from typing import TYPE_CHECKING

import zmq

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

MESSAGE = b"0123456789abcdef"
_SPAWN = multiprocessing.get_context("spawn")


def stream_best() -> float:
    """Messages of 16 bytes per second, one way, over the better of ipc and tcp."""
    return _best(1, 400_000)


def merge_best() -> float:
    """The same from two pushers into one puller."""
    return _best(2, 200_000)


def _best(pushers: int, each: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        return max(
            _stream(f"ipc://{folder}/socket", pushers, each), _stream("tcp://127.0.0.1:*", pushers, each)
        )


def _stream(endpoint: str, pushers: int, each: int) -> float:
    here, there = _SPAWN.Pipe()
    puller = _SPAWN.Process(target=_pull, args=(endpoint, there, pushers * each))
    puller.start()
    bound = here.recv()
    processes = [_SPAWN.Process(target=_push, args=(bound, each)) for _ in range(pushers)]
    for process in processes:
        process.start()
    rate = float(here.recv())
    for process in [*processes, puller]:
        process.join()
    return rate


def _push(endpoint: str, count: int) -> None:
    os.sched_setaffinity(0, {0})
    with zmq.Context() as context, context.socket(zmq.PUSH) as socket:
        socket.connect(endpoint)
        for _ in range(count):
            socket.send(MESSAGE)


def _pull(endpoint: str, result: Connection, count: int) -> None:
    os.sched_setaffinity(0, {1})
    with zmq.Context() as context, context.socket(zmq.PULL) as socket:
        socket.bind(endpoint)
        result.send(socket.getsockopt_string(zmq.LAST_ENDPOINT))
        begin = 0
        for number in range(count):
            socket.recv()
            if number == 0:
                begin = time.perf_counter_ns()
        result.send((count - 1) * 1e9 / (time.perf_counter_ns() - begin))
