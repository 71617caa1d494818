from eactors import Actor, Connector


class Ping(Actor):
    pong = Connector("Pong")
    params = {"rounds": 1000}

    def constructor(self):
        self.left = self.params["rounds"]
        self.pong.send(b"ping")

    @pong.on_message
    def again(self, cargo):
        self.left -= 1
        if self.left:
            self.pong.send(b"ping")
        else:
            print("done")
            self.stop()


class Pong(Actor):
    ping = Connector("Ping")

    @ping.on_message
    def reply(self, cargo):
        self.ping.send(b"pong")
