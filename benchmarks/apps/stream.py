"""One-way messages; the receiver touches every cache line of each."""

import time

from eactors import Actor, Cargo, Connector

BATCH = 256
LINE = 64


class Sender(Actor):
    """Sends as fast as back-pressure lets it."""

    receiver = Connector("Receiver")
    params = {"count": 1000, "size": 16, "place": 0}

    def constructor(self) -> None:
        self.left = self.params["count"]
        self.data = b"x" * self.params["size"]

    def body(self) -> bool:
        count = min(BATCH if not self.params["place"] else 1, self.left)
        send = self.receiver.send
        for _ in range(count):
            if self.params["place"]:
                cargo = self.receiver.create(len(self.data))
                cargo.view[:] = self.data
                send(cargo)
            else:
                send(self.data)
        self.left -= count
        if not self.left:
            self.stop()
        return True


class Receiver(Actor):
    """Prints messages per second, from the first to the last."""

    sender = Connector("Sender")
    params = {"count": 1000, "size": 16}

    def constructor(self) -> None:
        self.seen = 0
        self.begin = 0

    @sender.on_message
    def got(self, cargo: Cargo) -> None:
        if self.params["size"] > LINE:
            cargo.view[::LINE].tobytes()
        self.seen += 1
        if self.seen == 1:
            self.begin = time.perf_counter_ns()
        elif self.seen == self.params["count"]:
            print((self.seen - 1) * 1e9 / (time.perf_counter_ns() - self.begin))
            self.stop()


class InPlace(Receiver, name="InPlace"):
    """Looks at the messages where they lie in shared memory."""

    sender = Connector("Sender", copy=False)
    got = sender.on_message(Receiver.got)
