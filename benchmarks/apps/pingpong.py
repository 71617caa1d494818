"""Round trips of 16 bytes between two handlers; the rate goes to stdout as a line of JSON."""

import json
import time

from eactors import Actor, Cargo, Connector

MESSAGE = b"0123456789abcdef"
WARM_UP = 1000


class Ping(Actor):
    """Sends, waits for the echo, sends again, and takes the time."""

    pong = Connector("Pong")
    params = {"rounds": 100_000}

    def constructor(self) -> None:
        """Begin with round trips that are not counted, so that both sides are awake."""
        self.left = WARM_UP
        self.start = 0
        self.pong.send(MESSAGE)

    @pong.on_message
    def again(self, cargo: Cargo) -> None:
        """One round trip is over."""
        data = cargo.data
        self.left -= 1
        if self.left:
            self.pong.send(data)
        elif not self.start:
            self.left = self.params["rounds"]
            self.start = time.perf_counter_ns()
            self.pong.send(data)
        else:
            seconds = (time.perf_counter_ns() - self.start) / 1e9
            print(json.dumps({"per_second": self.params["rounds"] / seconds}))
            self.stop()


class Pong(Actor):
    """Sends back what it gets."""

    ping = Connector("Ping")

    @ping.on_message
    def reply(self, cargo: Cargo) -> None:
        """Echo the message."""
        self.ping.send(cargo.data)
