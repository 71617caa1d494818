"""Two actors that leave each other a letter in a directory of the host. See README.md."""

from eactors import Actor, Connector
from eactors.services import Files

LINES = ("Dear reader,", "an enclave has no files.", "It asks for them.")


class Writer(Actor, name="writer"):
    files = Files()
    reader = Connector("reader")

    @reader.on_message
    def heard(self, cargo):
        if cargo.data == b"watching":
            self.write()
        else:
            print("writer: the letter was read")
            self.files.remove("outbox/letter").then(lambda _: self.stop())

    def write(self):
        first, *rest = LINES
        # All of this is done in this order, though nobody waits for the answers.
        self.files.write("outbox/draft", f"{first}\n".encode()).then(self.wrote)
        for line in rest:
            self.files.append("outbox/draft", f"{line}\n".encode(), sync=True).then(self.wrote)
        self.files.stat("outbox/draft").then(self.finished)

    def wrote(self, _):
        print("writer: wrote a line")

    def finished(self, stat):
        print(f"writer: sends {stat.size} bytes")
        # Under its name there is never half a letter.
        self.files.rename("outbox/draft", "outbox/letter").then(lambda _: None)


class Reader(Actor, name="reader"):
    files = Files()
    writer = Connector("writer")

    def constructor(self):
        self.files.watch("inbox", self.changed).then(self.watching)

    def watching(self, watch):
        self.watch = watch
        self.writer.send(b"watching")

    def changed(self, what, name):
        if (what, name) == ("created", "letter"):
            self.watch.cancel()
            self.files.read("inbox/letter", limit=1000).then(self.read)

    def read(self, letter):
        for line in letter.decode().splitlines():
            print(f"reader: {line}")
        self.files.remove("inbox/letter").then(print, self.refused)
        self.files.read("inbox/../letters.py").then(print, self.refused)
        self.files.read("outbox/letter").then(print, self.last_refused)

    def refused(self, error):
        print(f"reader: {error}")

    def last_refused(self, error):
        self.refused(error)
        self.writer.send(b"read")
