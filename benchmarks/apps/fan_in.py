"""Two producers into one consumer over one mbox, by hand: pool, mbox and bodies."""

import json
import time

from eactors import Actor, Mbox, Pool

NODES = Pool("nodes")
MESSAGE = b"0123456789abcdef"
LAST = b"the last message"
PRODUCERS = 2


class Producer(Actor, family="Producer"):
    """Fills nodes as long as the pool has some."""

    nodes = NODES
    queue = Mbox("queue", NODES)
    params = {"count": 100_000, "batch": 256}

    def constructor(self) -> None:
        """Nothing is sent before the worker runs."""
        self.left = self.params["count"]
        self.batch = self.params["batch"]

    def body(self) -> bool:
        """Send up to one batch; when the pool is empty, let the worker wait for it."""
        take = self.nodes.pop_front
        give = self.queue.push_back
        left = self.left
        for _ in range(min(self.batch, left)):
            node = take()
            if node is None:
                self.left = left
                return False
            left -= 1
            node.write(MESSAGE if left else LAST)
            give(node)
        self.left = left
        if not left:
            self.stop()
        return True


class Consumer(Actor):
    """Reads every message, and takes the time from the first to the last."""

    nodes = NODES
    queue = Mbox("queue", NODES)
    params = {"count": 100_000, "batch": 256}

    def constructor(self) -> None:
        """Wait for the first message."""
        self.start = 0
        self.open = PRODUCERS
        self.batch = range(self.params["batch"])

    def body(self) -> bool:
        """Read up to one batch."""
        take = self.queue.pop_front
        give = self.nodes.push_front
        for _ in self.batch:
            node = take()
            if node is None:
                return False
            if not self.start:
                self.start = time.perf_counter_ns()
            last = node.data != MESSAGE
            give(node)
            if last:
                self.closed()
        return True

    def closed(self) -> None:
        """One producer has sent all."""
        self.open -= 1
        if not self.open:
            seconds = (time.perf_counter_ns() - self.start) / 1e9
            print(json.dumps({"per_second": PRODUCERS * self.params["count"] / seconds}))
            self.stop()
