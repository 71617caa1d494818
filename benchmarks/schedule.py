"""Who is measured, and in which order: contestants of one event take turns, round after round."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from contestants import (
    eactors,
    https,
    key_value,
    lmdb_file,
    manager_dict,
    mpyc_sum,
    native,
    pipe,
    redis_socket,
    sqlite_file,
    store,
    zeromq,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

CPUS = (0, 1)
SIZES = (16, 1024, 16 * 1024, 128 * 1024, 512 * 1024)
_OURS = {16: 400_000, 1024: 300_000, 16384: 100_000, 131072: 20_000, 524288: 6_000}
_PIPE = {16: 80_000, 1024: 60_000, 16384: 15_000, 131072: 2_000, 524288: 600}


@dataclass(frozen=True, slots=True)
class Tool:
    """A program that a contestant needs, and Debian's package that has it."""

    program: str
    package: str


WRK, REDIS = Tool("wrk", "wrk"), Tool("redis-server", "redis-server")


@dataclass(frozen=True, slots=True)
class Contestant:
    """One thing to measure; ``run`` gives a rate per second."""

    event: str
    name: str
    run: Callable[[], float]
    needs: Tool | None = None

    @property
    def key(self) -> str:
        """What the results call it."""
        return f"{self.event}/{self.name}"


def contestants() -> list[Contestant]:
    """All of them, event by event."""
    first, _ = CPUS
    found = [
        Contestant("pingpong", "eactors", partial(eactors.pingpong, 1_000_000)),
        Contestant("pingpong", "pipe", partial(pipe.pingpong, 10_000, CPUS)),
        Contestant("pingpong", "pipe-one-core", partial(pipe.pingpong, 20_000, (first, first))),
        Contestant("pingpong", "c", partial(native.pingpong, 2_000_000, CPUS)),
        *(
            Contestant("pingpong", cipher, partial(eactors.encrypted, 300_000, cipher))
            for cipher in ("aes-128-gcm", "aes-256-gcm", "chacha20-poly1305")
        ),
        Contestant("network", "eactors", partial(eactors.network, 50_000, "none")),
        Contestant("network", "aes-128-gcm", partial(eactors.network, 50_000, "aes-128-gcm")),
        Contestant("network", "zeromq", partial(zeromq.req_rep, 50_000, CPUS)),
        Contestant("secure-sum", "eactors", partial(eactors.secure_sum, 5_000)),
        Contestant("secure-sum", "mpyc", partial(mpyc_sum.per_second, 50)),
        Contestant("https", "enclave", partial(https.in_enclave, 4), WRK),
        Contestant("https", "uvicorn", partial(https.ordinary, 4), WRK),
        Contestant("https-idle", "enclave", https.idle_in_enclave),
        Contestant("https-idle", "uvicorn", https.idle_ordinary),
        Contestant("stream", "eactors", partial(eactors.stream, 3_072_000)),
        Contestant("stream", "pipe", partial(pipe.small, 120_000, CPUS)),
        Contestant("fan-in", "eactors", partial(eactors.fan_in, 1_000_000)),
    ]
    for event, pushers, count in (("stream", 1, 600_000), ("fan-in", 2, 400_000)):
        found += [
            Contestant(
                event, f"zeromq-{transport}", partial(zeromq.push_pull, transport, pushers, count, CPUS)
            )
            for transport in ("ipc", "tcp")
        ]
    found += _stores()
    for size in SIZES:
        event = f"blocks-{size}"
        found += [
            Contestant(event, "in-place", partial(eactors.blocks, size, _OURS[size], copy=False)),
            Contestant(event, "copied", partial(eactors.blocks, size, _OURS[size], copy=True)),
            Contestant(event, "encrypted", partial(_encrypted, size, _OURS[size] // 2)),
            Contestant(event, "pipe", partial(pipe.stream, size, _PIPE[size], CPUS)),
        ]
    return found


def _stores() -> list[Contestant]:
    first, second = CPUS
    ours = partial(store.store, second)
    encrypted = partial(store.store, second, encrypted=True)
    synced = partial(store.store, second, every=1.0)
    found = [
        Contestant("store-reads", "two-processes", partial(key_value.reads, ours, CPUS)),
        Contestant("store-reads", "encrypted", partial(key_value.reads, encrypted, [first])),
        Contestant("store-writes", "encrypted", partial(key_value.writes, encrypted, first)),
        Contestant("store-writes", "synced", partial(key_value.writes, synced, first)),
    ]
    for name, opening, needs in (
        ("eactors", ours, None),
        ("lmdb", partial(lmdb_file.store, writemap=False), None),
        ("lmdb-writemap", partial(lmdb_file.store, writemap=True), None),
        ("manager-dict", partial(manager_dict.store, first), None),
        ("sqlite", sqlite_file.store, None),
        ("redis", partial(redis_socket.store, first), REDIS),
    ):
        found += [
            Contestant("store-reads", name, partial(key_value.reads, opening, [first]), needs),
            Contestant("store-writes", name, partial(key_value.writes, opening, first), needs),
        ]
    return found


def _encrypted(size: int, count: int) -> float:
    return eactors.blocks(size, count, copy=True, cipher="aes-128-gcm")


def in_turn(all_of_them: Iterable[Contestant], number: int) -> Iterator[Contestant]:
    """Yield the contestants of round ``number``: event by event, each time another one first."""
    events: dict[str, list[Contestant]] = {}
    for contestant in all_of_them:
        events.setdefault(contestant.event, []).append(contestant)
    for members in events.values():
        start = number % len(members)
        yield from members[start:] + members[:start]
