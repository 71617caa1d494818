"""Ping and Pong: as many round trips as the deployment says."""

from eactors import Actor, Cargo, Connector


class Ping(Actor):
    pong = Connector("Pong")
    params = {"rounds": 1000}

    def constructor(self) -> None:
        self.left = self.params["rounds"]
        self.pong.send(b"ping")

    @pong.on_message
    def again(self, cargo: Cargo) -> None:
        self.left -= 1
        if self.left:
            self.pong.send(b"ping")
        else:
            print("done")
            self.stop()


class Pong(Actor):
    ping = Connector("Ping")

    @ping.on_message
    def reply(self, cargo: Cargo) -> None:
        self.ping.send(b"pong")
