"""Spawn: a door-keeper gives each visitor an enclave of its own, and ends it when the visitor leaves."""

from eactors import Actor, Connector, Connectors
from eactors.services import Factory


class Street(Actor):
    """Where visitors come from: so many at a time, until so many have come."""

    params = {"visitors": 3, "at_once": 1}
    door = Connector("Keeper")

    def constructor(self):
        self.coming = iter(range(1, self.params["visitors"] + 1))
        self.inside = 0
        for _ in range(self.params["at_once"]):
            self.send_next()

    def send_next(self):
        number = next(self.coming, None)
        if number is not None:
            self.inside += 1
            self.door.send(b"%d" % number)

    @door.on_message
    def left(self, cargo):
        print(cargo.data.decode())
        self.inside -= 1
        self.send_next()
        if self.inside == 0:
            self.door.send(b"")
            self.stop()


class Keeper(Actor):
    """Starts an enclave for each visitor, and forgets it when it has ended."""

    street = Connector("Street")
    factory = Factory()
    visitors = Connectors("visitor")

    def constructor(self):
        self.rooms = {}

    @street.on_message
    def knocked(self, cargo):
        number = cargo.data
        if not number:
            self.stop()  # nobody comes any more
            return
        self.factory.start("visitor", ended=self.ended).then(
            lambda room: self.welcome(number, room), lambda error: self.sorry(number, error)
        )

    def welcome(self, number, room):
        self.rooms[room.name] = number, room
        self.visitors[room.name].send(number)

    def sorry(self, number, error):
        self.street.send(b"visitor %s was sent away: %s" % (number, str(error).encode()))

    @visitors.on_message
    def said(self, name, cargo):
        number, room = self.rooms[name]
        print(f"visitor {number.decode()}: {cargo.data.decode()}")
        room.stop()

    def ended(self, room):
        number, _ = self.rooms.pop(room.name)
        self.street.send(b"visitor %s has left: %s" % (number, room.how.encode()))


class Visitor(Actor, family="visitor"):
    """One visitor, alone in its enclave."""

    keeper = Connector("Keeper")

    def constructor(self):
        self.seen = 0

    @keeper.on_message
    def entered(self, cargo):
        self.seen += 1
        self.keeper.send(b"nobody was here before me" if self.seen == 1 else b"somebody was here")
