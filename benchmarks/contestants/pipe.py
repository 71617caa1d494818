"""What multiprocessing.Pipe does."""

from __future__ import annotations

import time

from contestants.processes import FORK, Part, together

MESSAGE = b"0123456789abcdef"
SOCKET_FROM = 16384
"""From this size on the socket pair of Pipe() is faster than the pipe of Pipe(duplex=False)."""


def pingpong(rounds: int, cpus: tuple[int, int]) -> float:
    """Return round trips of 16 bytes per second."""
    here, there = FORK.Pipe()

    def pong() -> None:
        for _ in range(rounds):
            there.send_bytes(there.recv_bytes())

    def ping() -> float:
        start = time.perf_counter_ns()
        data = MESSAGE
        for _ in range(rounds):
            here.send_bytes(data)
            data = here.recv_bytes()
        return rounds * 1e9 / (time.perf_counter_ns() - start)

    return together(Part(pong, frozenset({cpus[1]})), Part(ping, frozenset({cpus[0]})))


def stream(size: int, count: int, cpus: tuple[int, int]) -> float:
    """Return messages of ``size`` bytes per second, one way; written and read like ours."""
    reader, writer = FORK.Pipe(duplex=size >= SOCKET_FROM)
    prepared = (bytes(range(256)) * (size // 256 + 1))[:size]

    def source() -> None:
        message = bytearray(size)
        for _ in range(count):
            message[:] = prepared
            writer.send_bytes(message)

    def sink() -> float:
        start = 0
        for left in range(count, 0, -1):
            if not prepared.startswith(reader.recv_bytes()):
                raise ValueError("a message is not what was sent")
            if left == count:
                start = time.perf_counter_ns()
        return (count - 1) * 1e9 / (time.perf_counter_ns() - start)

    return together(Part(source, frozenset({cpus[0]})), Part(sink, frozenset({cpus[1]})))


def small(count: int, cpus: tuple[int, int]) -> float:
    """Return messages of 16 bytes per second, one way, ready-made as in apps/stream.py."""
    reader, writer = FORK.Pipe(duplex=False)

    def source() -> None:
        for _ in range(count):
            writer.send_bytes(MESSAGE)

    def sink() -> float:
        reader.recv_bytes()
        start = time.perf_counter_ns()
        for _ in range(count - 1):
            if reader.recv_bytes() != MESSAGE:
                raise ValueError("a message is not what was sent")
        return (count - 1) * 1e9 / (time.perf_counter_ns() - start)

    return together(Part(source, frozenset({cpus[0]})), Part(sink, frozenset({cpus[1]})))
