from eactors import Actor
from eactors.services import Network


class Echo(Actor):
    network = Network()
    params = {"port": 7007, "visitors": 0}

    def constructor(self):
        self.left = self.params["visitors"]
        self.network.listen("127.0.0.1", self.params["port"], self.visited).then(self.listening)

    def listening(self, listener):
        print(f"echo: listening at {listener.address[1]}")

    def visited(self, visitor):
        visitor.on_data = visitor.write
        visitor.on_end = visitor.close
        visitor.on_closed = self.left_by

    def left_by(self, error):
        print("echo: a visitor has left" if error is None else f"echo: lost a visitor: {error}")
        self.left -= 1
        if self.left == 0:
            self.exit()
