"""Objects: one actor puts a thousand elements into a store, others find all of them there."""

from eactors import Actor, Connector, Connectors, Store


def small(number):
    return b"element %d" % number


def large(number):
    return b"%d|" % number * (1 + number * 4 // 5)


class Writer(Actor):
    """Puts small values and large ones, and has the readers look for them."""

    params = {"elements": 1000}
    objects = Store("objects")
    readers = Connectors("reader")

    def constructor(self):
        for number in range(self.params["elements"]):
            self.objects.put(b"small/%d" % number, small(number))
            self.objects.put(b"large/%d" % number, large(number))
        self.found = {}
        for reader in self.readers.values():
            reader.send(b"%d" % self.params["elements"])

    @readers.on_message
    def told(self, name, cargo):
        self.found[name] = cargo.data.decode()
        if len(self.found) == len(self.readers):
            for each in sorted(self.found):
                print(f"{each} has found {self.found[each]}")
            print(f"{len(self.objects)} elements are left")
            self.stop()


class Reader(Actor, family="reader"):
    """Gets every element, sees that it is right, and takes one away that nobody else takes."""

    objects = Store("objects")
    writer = Connector("Writer")

    @writer.on_message
    def look(self, cargo):
        elements = int(cargo.data)
        right = 0
        for number in range(elements):
            right += self.objects.get(b"small/%d" % number) in (small(number), None)
            right += self.objects.get(b"large/%d" % number) == large(number)
        mine = next(n for n in range(elements) if self.objects.delete(b"small/%d" % n))
        missing = self.objects.get(b"small/%d" % mine) is None
        self.writer.send(b"%d elements, and one less after it took one" % right if missing else b"a fault")
        self.stop()
