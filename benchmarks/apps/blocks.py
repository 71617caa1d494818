"""Messages of any size, written in place; read in place, or from a private copy.

At most ``window`` messages are on their way: the sink answers every half window. So the
source always finds a free node to fill, and never falls back to private memory.
"""

import json
import time

from eactors import Actor, Cargo, Connector


def pattern(size: int) -> bytes:
    """Return what every message holds."""
    return (bytes(range(256)) * (size // 256 + 1))[:size]


class Source(Actor):
    """Fills messages where they lie."""

    sink = Connector("Sink")
    params = {"size": 16, "count": 1000, "window": 8}

    def constructor(self) -> None:
        """Send the first window."""
        self.prepared = pattern(self.params["size"])
        self.left = self.params["count"]
        self.send(self.params["window"])

    def send(self, number: int) -> None:
        """Write and send so many messages, or what is left of them."""
        prepared = self.prepared
        size = len(prepared)
        connector = self.sink
        for _ in range(min(number, self.left)):
            cargo = connector.create(size)
            cargo.view[:] = prepared
            connector.send(cargo)
        self.left -= min(number, self.left)

    @sink.on_message
    def answered(self, _: Cargo) -> None:
        """Half a window was read."""
        self.send(self.params["window"] // 2)
        if not self.left:
            self.stop()


class Sink(Actor):
    """Reads every byte, and takes the time from the first message to the last.

    This one reads a private copy, as is the default.
    """

    source = Connector("Source")
    params = {"size": 16, "count": 1000, "window": 8}

    def constructor(self) -> None:
        """Know what should come."""
        self.expected = pattern(self.params["size"])
        self.left = self.params["count"]
        self.half = self.params["window"] // 2
        self.start = 0

    @source.on_message
    def take(self, cargo: Cargo) -> None:
        """Read one message."""
        self.check(cargo.data)

    def check(self, message: bytes | memoryview) -> None:
        """Compare all of it: the cheapest way to read every byte of a bytes or a view."""
        if not self.expected.startswith(message):
            raise ValueError("a message is not what was sent")
        self.left -= 1
        if not self.start:
            self.start = time.perf_counter_ns()
        if not self.left:
            seconds = (time.perf_counter_ns() - self.start) / 1e9
            print(json.dumps({"per_second": (self.params["count"] - 1) / seconds}))
            self.stop()
        elif not self.left % self.half:
            self.source.send(b"")


class SinkInPlace(Sink):
    """Reads messages where they lie."""

    source = Connector("Source", copy=False)

    @source.on_message
    def take(self, cargo: Cargo) -> None:
        """Read one message."""
        self.check(cargo.view)
