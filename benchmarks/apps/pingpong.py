"""Round trips of 16 bytes, handlers on both sides."""

import time

from eactors import Actor, Cargo, Connector

MESSAGE = b"0123456789abcdef"


class Ping(Actor):
    """Counts round trips and prints how many there were per second."""

    pong = Connector("Pong")
    params = {"count": 1000}

    def constructor(self) -> None:
        self.left = self.params["count"]
        self.begin = 0
        self.pong.send(MESSAGE)

    @pong.on_message
    def again(self, cargo: Cargo) -> None:
        if not self.begin:
            self.begin = time.perf_counter_ns()
        self.left -= 1
        if self.left >= 0:
            self.pong.send(MESSAGE)
        else:
            print(self.params["count"] * 1e9 / (time.perf_counter_ns() - self.begin))
            self.stop()


class Pong(Actor):
    """Answers."""

    ping = Connector("Ping")

    @ping.on_message
    def reply(self, cargo: Cargo) -> None:
        self.ping.send(MESSAGE)
