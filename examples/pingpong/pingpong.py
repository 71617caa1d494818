"""Ping-pong by hand: one pool of nodes, two mboxes, and bodies that look into them."""

from eactors import Actor, Mbox, Pool

NODES = Pool("nodes")
BYE = b"bye"


class Ping(Actor, name="aping"):
    nodes = NODES
    pings = Mbox("pings", NODES)
    pongs = Mbox("pongs", NODES)
    params = {"rounds": 3}

    def constructor(self) -> None:
        self.sent = 0
        self.answered = 0

    def body(self) -> None:
        if (node := self.pongs.pop_front()) is not None:
            print(f"aping: got {node.data.decode()}")
            self.nodes.push_front(node)
            self.answered += 1
        if self.answered < self.sent or (node := self.nodes.pop_front()) is None:
            return
        if self.sent < self.params["rounds"]:
            self.sent += 1
            node.write(b"ping %d" % self.sent)
        else:
            node.write(BYE)
            self.stop()
        self.pings.push_back(node)


class Pong(Actor, name="apong"):
    nodes = NODES
    pings = Mbox("pings", NODES)
    pongs = Mbox("pongs", NODES)

    def body(self) -> None:
        node = self.pings.pop_front()
        if node is None:
            return
        message = node.data  # read once: in shared memory it may change between two looks
        print(f"apong: got {message.decode()}")
        if message == BYE:
            self.nodes.push_front(node)
            self.stop()
        else:
            # The node that brought the ping takes the pong back.
            node.write(message.replace(b"ping", b"pong"))
            self.pongs.push_back(node)
