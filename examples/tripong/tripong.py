"""A chain of three: what aping sends to apong goes through aming, there and back."""

from eactors import Actor, Cargo, Connector

BYE = b"bye"


class Ping(Actor, name="aping"):
    ming = Connector("aming")
    params = {"rounds": 3}

    def constructor(self) -> None:
        self.round = 1
        self.ming.send(b"ping 1")

    @ming.on_message
    def answered(self, cargo: Cargo) -> None:
        print(f"aping: got {cargo.data.decode()}")
        if self.round == self.params["rounds"]:
            self.ming.send(BYE)
            self.stop()
            return
        self.round += 1
        self.ming.send(b"ping %d" % self.round)


class Ming(Actor, name="aming"):
    ping = Connector("aping")
    pong = Connector("apong")

    @ping.on_message
    def there(self, cargo: Cargo) -> None:
        print(f"aming: {cargo.data.decode()} to apong")
        self.pong.send(cargo)
        if cargo.data == BYE:
            self.stop()

    @pong.on_message
    def back(self, cargo: Cargo) -> None:
        print(f"aming: {cargo.data.decode()} to aping")
        self.ping.send(cargo)


class Pong(Actor, name="apong"):
    ming = Connector("aming")

    @ming.on_message
    def reply(self, cargo: Cargo) -> None:
        print(f"apong: got {cargo.data.decode()}")
        if cargo.data != BYE:
            self.ming.send(cargo.data.replace(b"ping", b"pong"))
        # Once aming has finished nobody can call apong any more: it has finished, too.
