"""multiprocessing.Pipe: what the standard library offers two processes."""

from __future__ import annotations

import multiprocessing
import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

MESSAGE = b"0123456789abcdef"
LINE = 64
_FORK = multiprocessing.get_context("fork")


def pingpong_two_cores() -> float:
    """Round trips per second, each process on a core of its own."""
    return _pingpong(1)


def pingpong_one_core() -> float:
    """Round trips per second, both processes on one core: Pipe at its best."""
    return _pingpong(0)


def stream() -> float:
    """Messages of 16 bytes per second, one way."""
    return sized(16, 300_000)


def sized(size: int, count: int) -> float:
    """Messages of one size per second, one way."""
    sender, receiver = _FORK.Pipe()
    answer, result = _FORK.Pipe()
    process = _start(_receive, receiver, result, count)
    _pinned(0, lambda: _send(sender, b"x" * size, count))
    process.join()
    return float(answer.recv())


def _pingpong(cpu: int, count: int = 30_000) -> float:
    here, there = _FORK.Pipe()
    process = _start(_echo, there, cpu, count)
    rate = _pinned(0, lambda: _bounce(here, count))
    process.join()
    return rate


def _bounce(connection: Connection, count: int) -> float:
    begin = time.perf_counter_ns()
    for _ in range(count):
        connection.send_bytes(MESSAGE)
        connection.recv_bytes()
    return count * 1e9 / (time.perf_counter_ns() - begin)


def _echo(connection: Connection, cpu: int, count: int) -> None:
    os.sched_setaffinity(0, {cpu})
    for _ in range(count):
        connection.send_bytes(connection.recv_bytes())


def _send(connection: Connection, data: bytes, count: int) -> float:
    for _ in range(count):
        connection.send_bytes(data)
    return 0.0


def _receive(connection: Connection, result: Connection, count: int) -> None:
    os.sched_setaffinity(0, {1})
    begin = 0
    for number in range(count):
        data = connection.recv_bytes()
        if len(data) > LINE:
            memoryview(data)[::LINE].tobytes()
        if number == 0:
            begin = time.perf_counter_ns()
    result.send((count - 1) * 1e9 / (time.perf_counter_ns() - begin))


def _start(target: Callable[..., None], *arguments: object) -> multiprocessing.context.ForkProcess:
    process = _FORK.Process(target=target, args=arguments)
    process.start()
    return process


def _pinned(cpu: int, work: Callable[[], float]) -> float:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    try:
        return work()
    finally:
        os.sched_setaffinity(0, before)
