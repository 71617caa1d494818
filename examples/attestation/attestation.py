"""The exchange of local attestation by hand: two enclaves prove to each other who they are."""

from eactors import Actor, Mbox, Pool, ReportInvalid

NODES = Pool("nodes")
QUESTION = b"alice wants to know who bob is".ljust(64, b".")
ANSWER = b"bob says so, and asks back".ljust(64, b".")


def show(name, report):
    """Print the parts of a report (Intel SDM volume 3D, section 38.15)."""
    debug = " debug" if report[48] & 2 else ""
    print(f"{name}: a report of {len(report)} bytes{debug}: {report[320:384].decode().rstrip('.')}")


class Party(Actor):
    """Sends and takes reports through mboxes that anyone can read and write."""

    nodes = NODES
    to_bob = Mbox("to bob", NODES)
    to_alice = Mbox("to alice", NODES)
    params = {"peer": 0}

    def send(self, mbox, message):
        node = self.nodes.pop_front()
        node.write(message)
        mbox.push_back(node)

    def take(self, mbox):
        node = mbox.pop_front()
        if node is None:
            return None
        message = node.data  # read once: in shared memory it may change between two looks
        self.nodes.push_front(node)
        return message


class Alice(Party):
    def constructor(self):
        self.send(self.to_bob, self.report(self.params["peer"], QUESTION))
        print("alice: sent a report that only bob's enclave can check")

    def body(self):
        report = self.take(self.to_alice)
        if report is None:
            return
        show("alice", report)
        assert self.check_report(self.params["peer"], report) == ANSWER
        print("alice: it is bob's enclave, as the manifest says")
        changed = bytes((report[0] ^ 1,)) + report[1:]
        try:
            self.check_report(self.params["peer"], changed)
        except ReportInvalid:
            print("alice: with one bit changed it proves nothing")
        self.stop()


class Bob(Party):
    def body(self):
        report = self.take(self.to_bob)
        if report is None:
            return
        show("bob", report)
        assert self.check_report(self.params["peer"], report) == QUESTION
        print("bob: it is alice's enclave, as the manifest says")
        self.send(self.to_alice, self.report(self.params["peer"], ANSWER))
        self.stop()
