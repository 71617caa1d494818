"""Ping-pong over a channel: one actor of handlers, and one with a body that receives."""

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

    def body(self) -> None:
        cargo = self.ping.receive()
        if cargo is None:
            if self.ping.closed:
                print("apong: aping has finished")
                self.stop()
            return
        print(f"apong: got {cargo.data.decode()}")
        # The other way to send: fill the message in place, in shared memory if it goes through that.
        answer = self.ping.create(len(cargo))
        with answer.view as view:
            view[:] = cargo.data.replace(b"ping", b"pong")
        self.ping.send(answer)
