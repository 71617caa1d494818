"""One-way streaming of 16 bytes: a body that sends batches, a handler that reads them."""

import json
import time

from eactors import Actor, Cargo, Connector

MESSAGE = b"0123456789abcdef"
EDGE = b"first or last..."


class Source(Actor):
    """Sends as fast as back-pressure lets it."""

    sink = Connector("Sink")
    params = {"count": 100_000, "batch": 256}

    def constructor(self) -> None:
        """Open the stream; the clock starts when this message arrives."""
        self.batches = self.params["count"] // self.params["batch"]
        self.batch = range(self.params["batch"])
        self.sink.send(EDGE)

    def body(self) -> bool:
        """Send one batch."""
        send = self.sink.send
        for _ in self.batch:
            send(MESSAGE)
        self.batches -= 1
        if not self.batches:
            send(EDGE)
            self.stop()
        return True


class Sink(Actor):
    """Looks at every message, and takes the time from the first to the last."""

    source = Connector("Source")
    params = {"count": 100_000}

    def constructor(self) -> None:
        """Wait for the first message."""
        self.start = 0

    @source.on_message
    def take(self, cargo: Cargo) -> None:
        """Read one message."""
        if cargo.data != MESSAGE:
            self.edge()

    def edge(self) -> None:
        """Handle the first or the last message."""
        now = time.perf_counter_ns()
        if not self.start:
            self.start = now
            return
        print(json.dumps({"per_second": self.params["count"] * 1e9 / (now - self.start)}))
        self.stop()
