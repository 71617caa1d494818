"""Ping-pong between two servers: nothing here says that there are two."""

from eactors import Actor, Cargo, Connector


class Ping(Actor, name="aping"):
    pong = Connector("apong")
    params = {"rounds": 3}

    def constructor(self) -> None:
        self.round = 1
        self.pong.send(b"ping 1")

    @pong.on_message
    def answered(self, cargo: Cargo) -> None:
        print(f"aping: got {cargo.data.decode()}")
        if self.round == self.params["rounds"]:
            self.stop()  # closes the channel behind the last message
            return
        self.round += 1
        self.pong.send(b"ping %d" % self.round)


class Pong(Actor, name="apong"):
    ping = Connector("aping")

    @ping.on_message
    def asked(self, cargo: Cargo) -> None:
        print(f"apong: got {cargo.data.decode()}")
        self.ping.send(cargo.data.replace(b"ping", b"pong"))
