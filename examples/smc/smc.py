"""Secure sum: parties in a ring add up secret vectors, and nobody learns another's.

A vector of n numbers is one whole number below MODULUS = 2**(72 n), with 72 bits for each of
its elements: a number from -2**63 to 2**63 - 1 takes 64 of them, shifted by 2**63, and the
sum of eight such still fits. The first party adds a random number below the modulus, each
keeper adds its vector, and the first party subtracts the random number again. Addition modulo
a number is a group, so what a keeper sees is uniformly random, whatever the vectors are.
"""

import json
import os
import random
import time

from eactors import Actor, Connector

LANE = 9
"""Bytes for each element."""

SHIFT = 1 << 63
LEAST, MOST = -SHIFT, SHIFT - 1
MOST_DIGITS = 19
HEADER = 9
"""Bytes before each vector on its way: the number of the round, and how many parties are in it."""


class SecretInvalid(ValueError):
    """A party's vector is malformed; the message tells whose and where, not what it holds."""

    hint = "correct the file of that party, and give it again: eactors provision FILE --to PARTY DIR"


def pack(values):
    return int.from_bytes(b"".join((value + SHIFT).to_bytes(LANE, "little") for value in values), "little")


def unpack(packed, length, parties):
    data = packed.to_bytes(length * LANE, "little")
    lanes = (data[at : at + LANE] for at in range(0, len(data), LANE))
    return [int.from_bytes(lane, "little") - parties * SHIFT for lane in lanes]


def parse(party, text, scale):
    """Read one number per line, as whole multiples of 10**-scale."""
    values = []
    for number, line in enumerate(text.decode("utf-8", "replace").removeprefix("\ufeff").splitlines(), 1):
        whole, point, fraction = line.strip().removeprefix("-").partition(".")
        digits = whole + fraction
        if not (digits.isascii() and digits.isdecimal() and whole and bool(point) == bool(fraction)):
            raise SecretInvalid(f"{party}: line {number} is no number")
        if len(fraction) > scale:
            raise SecretInvalid(f"{party}: line {number} has more than {scale} decimal places")
        if len(digits.lstrip("0")) > MOST_DIGITS:  # far out of range, and longer than int() may take
            raise SecretInvalid(f"{party}: line {number} is out of range")
        value = int(digits.lstrip("0") or "0") * 10 ** (scale - len(fraction))
        value = -value if line.strip().startswith("-") else value
        if not LEAST <= value <= MOST:
            raise SecretInvalid(f"{party}: line {number} is out of range")
        values.append(value)
    if not values:
        raise SecretInvalid(f"{party}: there are no numbers")
    return values


def decimal(value, scale):
    digits = str(abs(value)).rjust(scale + 1, "0")
    text = f"{digits[:-scale]}.{digits[-scale:]}" if scale else digits
    return f"-{text}" if value < 0 else text


class Party(Actor):
    secret = True
    params = {"length": 1000, "rounds": 10, "dynamic": False, "scale": 0, "seed": 0}

    def prepare(self):
        """Have the secret vector: the party's own file, or random numbers."""
        length, rounds = self.params["length"], self.params["rounds"]
        if not 1 <= length <= 10_000:
            raise SecretInvalid(f"{self.name}: a vector has 1 to 10,000 elements, not {length}")
        if self.provisioned is not None:
            values = parse(self.name, self.provisioned, self.params["scale"])
            if len(values) != length:
                raise SecretInvalid(
                    f"{self.name}: there are {len(values)} numbers, and the others have {length}"
                )
        else:
            seed = self.params["seed"]
            dice = random.Random(f"{seed} {self.name}") if seed else random.SystemRandom()
            values = [dice.randrange(-(1 << 40), 1 << 40) for _ in range(length)]
        if self.params["dynamic"] and max(values) + rounds > MOST:
            raise SecretInvalid(f"{self.name}: the numbers would leave their range within {rounds} rounds")
        self.packed = pack(values)
        self.size = length * LANE
        self.modulus = 1 << (8 * self.size)
        self.ones = sum(1 << (8 * LANE * at) for at in range(length)) if self.params["dynamic"] else 0

    def vector(self, number):
        """The secret vector of a round; a dynamic one grows by one in every element."""
        return self.packed + number * self.ones

    def opened(self, message):
        """The number of the round, how many parties are in, and their sum with the mask."""
        if len(message) != HEADER + self.size:
            raise SecretInvalid(
                f"{self.name}: the ring adds vectors of another length than {self.params['length']}"
            )
        return int.from_bytes(message[:8], "little"), message[8], int.from_bytes(message[HEADER:], "little")

    def closed(self, number, parties, total):
        header = number.to_bytes(8, "little") + bytes((parties,))
        return header + (total % self.modulus).to_bytes(self.size, "little")


class First(Party, name="first"):
    params = {**Party.params, "window": 16}
    following = Connector(lambda placement: placement.family("keeper")[0])
    previous = Connector(lambda placement: placement.family("keeper")[-1])

    def constructor(self):
        self.prepare()
        self.masks = {}
        self.begun = self.done = 0
        self.started = time.monotonic()
        while self.begun < min(self.params["window"], self.params["rounds"]):
            self.begin()

    def begin(self):
        mask = int.from_bytes(os.urandom(self.size), "little")
        self.masks[self.begun] = mask
        self.following.send(self.closed(self.begun, 1, self.vector(self.begun) + mask))
        self.begun += 1

    @previous.on_message
    def finish(self, cargo):
        number, parties, total = self.opened(cargo.data)
        total = (total - self.masks.pop(number)) % self.modulus
        self.done += 1
        if self.done == 1:
            self.started = time.monotonic()
        if self.begun < self.params["rounds"]:
            self.begin()
        elif self.done == self.params["rounds"]:
            self.publish(unpack(total, self.params["length"], parties))

    def publish(self, sums):
        rate = (self.done - 1) / max(time.monotonic() - self.started, 1e-9)
        shown = [decimal(value, self.params["scale"]) for value in sums[:3]]
        print(json.dumps({"sums": self.done, "last": shown, "per_second": round(rate)}))
        self.exit()


def before(placement):
    """The party that a keeper hears from."""
    return "first" if placement.index == 1 else f"keeper{placement.index - 1}"


def after(placement):
    """The party that a keeper speaks to: the next, and the last one to the first."""
    name = f"keeper{placement.index + 1}"
    return name if name in placement.family("keeper") else "first"


class Keeper(Party, family="keeper"):
    previous = Connector(before)
    following = Connector(after)

    def constructor(self):
        self.prepare()

    @previous.on_message
    def add(self, cargo):
        number, parties, total = self.opened(cargo.data)
        self.following.send(self.closed(number, parties + 1, total + self.vector(number)))
