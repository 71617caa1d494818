"""What is measured, against what, and which ratio we promise."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import native
import ours
import pipe
import zeromq

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES = {16: 300_000, 1 << 10: 200_000, 1 << 14: 40_000, 1 << 17: 6_000, 1 << 19: 2_000}
"""Message sizes in bytes, and how many of each are sent."""

CONTESTANTS: dict[str, Callable[[], float]] = {
    "ping-pong, ours": ours.pingpong,
    "ping-pong, Pipe on two cores": pipe.pingpong_two_cores,
    "ping-pong, Pipe on one core": pipe.pingpong_one_core,
    "ping-pong, C on our queue": native.pingpong,
    "stream, ours": ours.stream,
    "stream, Pipe": pipe.stream,
    "stream, pyzmq": zeromq.stream_best,
    "two into one, ours": ours.merge,
    "two into one, pyzmq": zeromq.merge_best,
    **{
        f"{size} B in place, ours": partial(ours.sized, size, count, place=True)
        for size, count in SIZES.items()
    },
    **{f"{size} B copied, ours": partial(ours.sized, size, count) for size, count in SIZES.items()},
    **{f"{size} B, Pipe": partial(pipe.sized, size, count) for size, count in SIZES.items()},
}
"""Each measures something per second."""


@dataclass(frozen=True)
class Ratio:
    """One promise: ours over theirs is at least ``target``."""

    name: str
    ours: str
    theirs: str
    target: float


RATIOS = [
    Ratio("round trips / Pipe on two cores", "ping-pong, ours", "ping-pong, Pipe on two cores", 40),
    Ratio("round trips / Pipe on one core", "ping-pong, ours", "ping-pong, Pipe on one core", 12),
    Ratio("round trips / C on our queue", "ping-pong, ours", "ping-pong, C on our queue", 0.2),
    Ratio("stream / Pipe", "stream, ours", "stream, Pipe", 8),
    Ratio("stream / pyzmq, the best of ipc and tcp", "stream, ours", "stream, pyzmq", 2.5),
    Ratio("two into one / pyzmq", "two into one, ours", "two into one, pyzmq", 2),
    Ratio("512 KiB in place / Pipe", "524288 B in place, ours", "524288 B, Pipe", 5),
    Ratio("512 KiB copied / Pipe", "524288 B copied, ours", "524288 B, Pipe", 1),
]
