"""Names as applications use them: run by ``eactors run``, in enclaves and out of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import App

IMPORT = "from eactors.services import *\n"

NAMES = """
class Bank(Actor):
    names = Names()
    asker = Connector("Asker")
    def constructor(self):
        self.names.publish("bank", b"accounts").then(lambda _: None)
    @asker.on_message
    def over(self, cargo):
        self.stop()

class Asker(Actor):
    names = Names()
    bank = Connector("Bank")
    def constructor(self):
        self.names.watch("bank", self.seen).then(lambda watch: setattr(self, "watch", watch))
        self.names.lookup("vault").then(print, lambda error: print(error))
    def seen(self, what):
        print(what)
        if what == "appeared":
            self.names.lookup("bank", enclave=3).then(print, lambda error: print(error))
            self.names.lookup("bank").then(self.found)
        else:
            self.watch.cancel()
    def found(self, publisher):
        print(publisher, publisher.about, publisher.measurement is not None)
        self.names.publish("bank").then(print, self.refused)
    def refused(self, error):
        print(error)
        self.bank.send(b"over")
"""


@pytest.mark.parametrize(
    ("places", "enclave"), [("Bank:1 | Asker:2", 1), ("Bank:1 Asker:1", 1), ("Bank:0 | Asker:1", 0)]
)
def test_names(app: App, places: str, enclave: int) -> None:
    """Published, found, proved between enclaves, demanded, and gone with its publisher."""
    done = app.write(IMPORT + NAMES, places).run()
    assert (done.returncode, done.stderr) == (0, "")
    who = f"it is published by 'Bank' in enclave {enclave}, which is not"
    lines = done.stdout.splitlines()
    lines.remove("lookup vault: nobody has published the name 'vault'")
    assert lines == [
        "appeared",
        f"lookup bank: {who} {'the one demanded' if enclave else 'proved'}",
        f"Publisher('bank', actor='Bank', enclave={enclave}) b'accounts' {bool(enclave)}",
        "publish bank: the name 'bank' is published by 'Bank'",
        "gone",
    ]
