"""A full mesh of eight actors: each greets all others, and has finished when all have greeted it."""

from collections.abc import Callable

from eactors import Actor, Connector, Placement

SIZE = 8


def other(number: int) -> Callable[[Placement], str]:
    """The peer of a connector: the other nodes in turn."""
    return lambda placement: f"node{((placement.index or 0) - 1 + number) % SIZE + 1}"


class Node(Actor, family="node"):
    """A node of the mesh; its n-th connector and the peer's (8 - n)-th are the ends of a channel."""

    for _number in range(1, SIZE):
        locals()[f"peer{_number}"] = Connector(other(_number))
    del _number

    def constructor(self) -> None:
        """Greet."""
        self.peers = [getattr(self, f"peer{number}") for number in range(1, SIZE)]
        self.greeted = 0
        for peer in self.peers:
            peer.send(b"hello")

    def body(self) -> None:
        """Count the greetings."""
        self.greeted += sum(peer.receive() is not None for peer in self.peers)
        if self.greeted == SIZE - 1:
            self.stop()
