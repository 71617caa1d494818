"""A channel whose two ends agree on keys without knowing each other."""

from eactors import Actor, Connector


class Alice(Actor):
    bob = Connector("Bob")

    def constructor(self):
        self.bob.send(b"can anyone hear us?")

    @bob.on_message
    def answered(self, cargo):
        print(f"alice: {cargo.data.decode()}")
        self.stop()


class Bob(Actor):
    alice = Connector("Alice")

    @alice.on_message
    def asked(self, cargo):
        print(f"bob: {cargo.data.decode()}")
        self.alice.send(b"nobody who only listens")
        self.stop()
