"""What pyzmq does: PUSH and PULL, and REQ and REP, with its I/O threads free on both cores."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import zmq
from contestants.processes import Part, together

MESSAGE = b"0123456789abcdef"
HIGH_WATER = 100_000
"""Messages a socket holds; more than the default of 1000 is faster here."""


def push_pull(transport: str, pushers: int, count: int, cpus: tuple[int, int]) -> float:
    """Return messages of 16 bytes per second from all ``pushers``, who send ``count`` each."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        place = Path(folder) / "address"
        total = pushers * count

        def pull() -> float:
            with zmq.Context() as context, context.socket(zmq.PULL) as socket:
                socket.set_hwm(HIGH_WATER)
                socket.bind(f"ipc://{folder}/socket" if transport == "ipc" else "tcp://127.0.0.1:*")
                draft = Path(folder) / "draft"
                draft.write_text(socket.getsockopt_string(zmq.LAST_ENDPOINT))
                draft.rename(place)
                socket.recv()
                start = time.perf_counter_ns()
                for _ in range(total - 1):
                    if socket.recv() != MESSAGE:
                        raise ValueError("a message is not what was sent")
                return (total - 1) * 1e9 / (time.perf_counter_ns() - start)

        def push() -> None:
            while not place.exists():
                time.sleep(0.001)
            with zmq.Context() as context, context.socket(zmq.PUSH) as socket:
                socket.set_hwm(HIGH_WATER)
                socket.connect(place.read_text())
                for _ in range(count):
                    socket.send(MESSAGE)

        both = frozenset(cpus)
        return together(Part(pull, both), *(Part(push, both) for _ in range(pushers)))


def req_rep(rounds: int, cpus: tuple[int, int]) -> float:
    """Return round trips of 16 bytes per second between two processes, over TCP on loopback."""
    warm_up = 1000
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        place = Path(folder) / "address"

        def reply() -> None:
            with zmq.Context() as context, context.socket(zmq.REP) as socket:
                socket.bind("tcp://127.0.0.1:*")
                draft = Path(folder) / "draft"
                draft.write_text(socket.getsockopt_string(zmq.LAST_ENDPOINT))
                draft.rename(place)
                for _ in range(warm_up + rounds):
                    socket.send(socket.recv())

        def request() -> float:
            while not place.exists():
                time.sleep(0.001)
            with zmq.Context() as context, context.socket(zmq.REQ) as socket:
                socket.connect(place.read_text())
                for number in range(warm_up + rounds):
                    if number == warm_up:
                        start = time.perf_counter_ns()
                    socket.send(MESSAGE)
                    socket.recv()
                return rounds * 1e9 / (time.perf_counter_ns() - start)

        both = frozenset(cpus)
        return together(Part(request, both), Part(reply, both))
