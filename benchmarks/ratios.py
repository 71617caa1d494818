"""The ratios that must hold, computed from the rounds."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

Round = dict[str, float]


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times as many per second one contestant does as the best of ``others``."""

    title: str
    ours: str
    others: tuple[str, ...]
    target: float

    def of(self, rounds: list[Round]) -> list[float]:
        """Return the ratio of every round that has both sides."""
        return [
            each[self.ours] / max(each[other] for other in self.others)
            for each in rounds
            if self.ours in each and all(other in each for other in self.others)
        ]


@dataclass(frozen=True, slots=True)
class Result:
    """A ratio over all rounds."""

    title: str
    target: float
    median: float
    least: float
    most: float
    ours: float
    other: float

    @property
    def holds(self) -> bool:
        """Whether the target is met."""
        return self.median >= self.target


_LMDB_READS = ("store-reads/lmdb", "store-reads/lmdb-writemap")

RATIOS = (
    Ratio("ping-pong 16 B : Pipe, two cores", "pingpong/eactors", ("pingpong/pipe",), 40),
    Ratio("ping-pong 16 B : Pipe, one core", "pingpong/eactors", ("pingpong/pipe-one-core",), 12),
    Ratio("ping-pong 16 B : C", "pingpong/eactors", ("pingpong/c",), 0.2),
    Ratio("encrypted ping-pong : Pipe, in the clear", "pingpong/aes-128-gcm", ("pingpong/pipe",), 12),
    Ratio("stream 16 B : Pipe", "stream/eactors", ("stream/pipe",), 8),
    Ratio("stream 16 B : pyzmq, best", "stream/eactors", ("stream/zeromq-ipc", "stream/zeromq-tcp"), 2.5),
    Ratio("two into one : pyzmq, best", "fan-in/eactors", ("fan-in/zeromq-ipc", "fan-in/zeromq-tcp"), 2),
    Ratio("512 KiB in place : Pipe", "blocks-524288/in-place", ("blocks-524288/pipe",), 5),
    Ratio("512 KiB copied : Pipe", "blocks-524288/copied", ("blocks-524288/pipe",), 1),
    Ratio("512 KiB encrypted : Pipe, clear", "blocks-524288/encrypted", ("blocks-524288/pipe",), 1.2),
    Ratio("two servers, 16 B : pyzmq REQ/REP", "network/eactors", ("network/zeromq",), 1),
    Ratio("two servers, encrypted : pyzmq", "network/aes-128-gcm", ("network/zeromq",), 1),
    Ratio("HTTPS in an enclave : ordinary process", "https/enclave", ("https/uvicorn",), 0.8),
    Ratio("idle HTTPS per GiB : ordinary process", "https-idle/enclave", ("https-idle/uvicorn",), 0.5),
    Ratio("secure sum of five : MPyC", "secure-sum/eactors", ("secure-sum/mpyc",), 20),
    Ratio("store reads : py-lmdb, best", "store-reads/eactors", _LMDB_READS, 1.5),
    Ratio("store writes : py-lmdb, sync=False", "store-writes/eactors", ("store-writes/lmdb",), 3),
    Ratio("store writes : py-lmdb, writemap", "store-writes/eactors", ("store-writes/lmdb-writemap",), 1),
    Ratio("writes, synced : py-lmdb, never synced", "store-writes/synced", ("store-writes/lmdb",), 1),
    Ratio("two reading processes : one", "store-reads/two-processes", ("store-reads/eactors",), 1.6),
    Ratio("encrypted reads : py-lmdb, plain", "store-reads/encrypted", _LMDB_READS, 0.5),
    Ratio("store reads : Manager().dict()", "store-reads/eactors", ("store-reads/manager-dict",), 1),
    Ratio("store writes : Manager().dict()", "store-writes/eactors", ("store-writes/manager-dict",), 1),
    Ratio("store reads : sqlite3", "store-reads/eactors", ("store-reads/sqlite",), 1),
    Ratio("store writes : sqlite3", "store-writes/eactors", ("store-writes/sqlite",), 1),
    Ratio("store reads : Redis, Unix socket", "store-reads/eactors", ("store-reads/redis",), 1),
    Ratio("store writes : Redis, Unix socket", "store-writes/eactors", ("store-writes/redis",), 1),
)


def results(rounds: list[Round]) -> list[Result]:
    """Return every ratio that was measured."""
    found = []
    for ratio in RATIOS:
        if values := ratio.of(rounds):
            ours = median(each[ratio.ours] for each in rounds)
            other = median(max(each[name] for name in ratio.others) for each in rounds)
            spread = (median(values), min(values), max(values))
            found.append(Result(ratio.title, ratio.target, *spread, ours, other))
    return found
