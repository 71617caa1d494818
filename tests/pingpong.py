"""The application that many tests of the command line run."""

from __future__ import annotations

PING_PONG = """
class Ping(Actor):
    pong = Connector("Pong")
    params = {"rounds": 100}

    def constructor(self):
        self.left = self.params["rounds"]
        self.pong.send(b"ping")

    @pong.on_message
    def again(self, cargo):
        self.left -= 1
        if self.left:
            self.pong.send(b"ping")
        else:
            print("done after", self.params["rounds"])
            self.stop()

class Pong(Actor):
    ping = Connector("Ping")

    @ping.on_message
    def reply(self, cargo):
        assert cargo.data == b"ping"
        self.ping.send(b"pong")
"""


PLACEMENTS = [
    "Ping:0 | Pong:0",
    "Ping:0 Pong:0",
    "Ping:0 | Pong:1",
    "Ping:1 | Pong:0",
    "Ping:1 | Pong:2",
    "Ping:1 Pong:1",
    "Ping:1 | Pong:1",
    "Ping:1 Pong:2",
    "Ping:0 Pong:1",
]
