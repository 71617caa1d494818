"""Two producers into one consumer over one mbox."""

import time

from eactors import Actor, Mbox, Pool

MESSAGE = b"0123456789abcdef"
BATCH = 64


class Producer(Actor, family="producer"):
    """Fills nodes as long as there are empty ones."""

    nodes = Pool("nodes")
    box = Mbox("box", nodes)
    params = {"count": 1000}

    def constructor(self) -> None:
        self.left = self.params["count"]

    def body(self) -> None:
        for _ in range(min(BATCH, self.left)):
            node = self.nodes.pop_front()
            if node is None:
                return
            node.write(MESSAGE)
            self.box.push_back(node)
            self.left -= 1
        if not self.left:
            self.stop()


class Consumer(Actor, name="consumer"):
    """Reads and returns them, and prints messages per second."""

    nodes = Pool("nodes")
    box = Mbox("box", nodes)
    params = {"count": 2000}

    def constructor(self) -> None:
        self.seen = 0
        self.begin = 0

    def body(self) -> None:
        for _ in range(BATCH):
            node = self.box.pop_front()
            if node is None:
                return
            assert node.data == MESSAGE
            self.nodes.push_front(node)
            self.seen += 1
            if self.seen == 1:
                self.begin = time.perf_counter_ns()
            elif self.seen == self.params["count"]:
                print((self.seen - 1) * 1e9 / (time.perf_counter_ns() - self.begin))
                self.stop()
                return
