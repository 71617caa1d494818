"""Bank: tellers move money between accounts, each in an enclave of its own. None is made, none is lost."""

import random

from eactors import Actor, Store


class Accident(Exception):
    """Stands for whatever ends an enclave in the middle of its work."""


class Teller(Actor, family="teller"):
    """One transfer in each turn; how many it has done is part of the transfer."""

    params = {"transfers": 500, "accounts": 10, "unlucky": ""}
    accounts = Store("accounts")

    def constructor(self):
        self.done = b"done/%s" % self.name.encode()
        self.random = random.Random(f"{self.name}, {self.accounts.counter(self.done)}")
        for number in range(self.params["accounts"]):
            self.accounts.put_if_absent(b"account/%d" % number, b"100")

    def body(self):
        if self.accounts.counter(self.done) == self.params["transfers"]:
            self.stop()
        else:
            self.accounts.transact(self.transfer)

    def transfer(self, transaction):
        giver, taker = self.random.sample(range(self.params["accounts"]), 2)
        of, to = b"account/%d" % giver, b"account/%d" % taker
        amount = self.random.randint(0, int(transaction[of]))
        transaction[of] = b"%d" % (int(transaction[of]) - amount)
        unlucky = transaction.add(self.done, 1) == 100 and self.name == self.params["unlucky"]
        if unlucky and self.accounts.put_if_absent(b"accident", self.done):
            raise Accident("the money has left one account, and is in no other")
        transaction[to] = b"%d" % (int(transaction[to]) + amount)


class Auditor(Actor):
    """Looks at the bank whenever something has been done: all at one moment, whatever the tellers do."""

    params = {"tellers": 4, "transfers": 500}
    accounts = Store("accounts")

    def constructor(self):
        self.finished = set()

    @accounts.on_change(b"done/")
    def changed(self, key, old, new):
        with self.accounts.snapshot() as bank:
            total = sum(int(balance) for _, balance in bank.scan(b"account/"))
        if total != 1000:
            print(f"the bank has {total}")
            self.exit(1)
        if self.accounts.counter(key) == self.params["transfers"]:
            self.finished.add(key)
        if len(self.finished) == self.params["tellers"]:
            print(f"{len(self.finished)} tellers have done their transfers, and the bank has {total}")
            self.stop()
