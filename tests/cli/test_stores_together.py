"""Stores that several actors use at the same time, some of which are killed, restarted or started later."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from tests.conftest import command_line

if TYPE_CHECKING:
    from tests.conftest import App

RIVALS = """
class Rival(Actor):
    accounts = Store("accounts")
    left = 100

    def constructor(self):
        self.accounts.put_if_absent(b"purse", b"0")

    def body(self):
        self.left -= 1
        self.accounts.transact(self.earn)
        if not self.left:
            self.accounts.add(b"ready")
            self.stop()
        return True

    def earn(self, t):
        t[b"purse"] = b"%d" % (int(t[b"purse"]) + 1)


class One(Rival):
    pass


class Two(Rival):
    pass


class Judge(Actor):
    accounts = Store("accounts")

    def constructor(self):
        self.changed(b"ready", None, None)

    @accounts.on_change(b"ready")
    def changed(self, key, old, new):
        if self.accounts.counter(key) == 2:
            print(self.accounts[b"purse"])
            self.stop()
"""


def test_no_transaction_of_two_enclaves_is_lost(app: App) -> None:
    """Who comes second does it again."""
    done = app.write(RIVALS, "One:1 | Two:2 | Judge:3").run()
    assert (done.returncode, done.stdout, done.stderr) == (0, "b'200'\n", "")


CONFLICT = """
class Slow(Actor):
    accounts = Store("accounts")
    quick = Connector("Quick")

    def constructor(self):
        self.t = self.accounts.transaction()
        self.t.__enter__()
        print(self.t.get(b"a"))
        self.t[b"b"] = b"1"
        self.quick.send(b"")

    @quick.on_message
    def done(self, cargo):
        self.t.__exit__(None, None, None)


class Quick(Actor):
    accounts = Store("accounts")
    slow = Connector("Slow")

    @slow.on_message
    def go(self, cargo):
        self.accounts[b"a"] = b"2"
        self.slow.send(b"")
"""


def test_a_conflict_of_two_enclaves(app: App) -> None:
    """The error names the store and the key, and what to do instead."""
    done = app.write(CONFLICT, "Slow:1 | Quick:2").run()
    assert (done.returncode, done.stdout) == (1, "None\n")
    words = "TransactionConflict: store 'accounts': a transaction was not written: b'a', which it had read"
    assert words in done.stderr
    assert "hint: do all of it again, best by transact(function)" in done.stderr


RESTARTED = """
class Writer(Actor):
    items = Store("items")

    def constructor(self):
        self.items.add(b"runs")

    def body(self):
        self.items.add(b"turns")
        return 0.001


class Watcher(Actor):
    items = Store("items")
    runs = 0

    @items.on_change(b"turns")
    def turned(self, key, old, new):
        runs = self.items.counter(b"runs")
        if runs > self.runs:
            self.runs = runs
            print("run", runs, self.items.counter(key) > 0)
        if runs == 2:
            self.exit()
"""


def test_a_store_goes_on_when_an_enclave_is_killed(app: App) -> None:
    """What it has written stays, what it held is given back, and its next life writes on."""
    extra = '<enclave-settings enclave="2" restart="on-failure"/>'
    process = app.write(RESTARTED, "Watcher:1 | Writer:2", extra).start()
    assert process.stdout is not None
    assert process.stdout.readline() == "run 1 True\n"
    (enclave,) = (pid for pid in app.processes() if command_line(pid).rstrip(b"\0").endswith(b"enclave-2"))
    os.kill(enclave, signal.SIGKILL)
    stdout, stderr = process.communicate(timeout=30)
    assert (process.returncode, stdout) == (0, "run 2 True\n")
    assert "enclave 2 with Writer was killed by SIGKILL; it has been started anew" in stderr


def test_a_shared_key_is_for_enclaves_that_stay(app: App) -> None:
    """It is given at the start; who comes again later would wait for it in vain."""
    extra = '<store name="items" key="shared"/><enclave-settings enclave="2" restart="on-failure"/>'
    done = app.write(RESTARTED, "Watcher:1 | Writer:2", extra).check()
    assert done.returncode == 2
    assert (
        "store 'items' has a key that its enclaves give each other at the start, but enclave 2 is"
        in done.stderr
    )


LATE = """
import msgspec
from eactors.services import Factory

class Account(msgspec.Struct):
    cents: int

class Host(Actor):
    accounts = Store("accounts")
    factory = Factory()
    clerks = Connectors("clerk")

    def constructor(self):
        self.left = 2
        self.start()

    def start(self):
        self.factory.start("clerk", ended=self.ended).then(self.there)

    def there(self, clerk):
        self.accounts.add(b"n")
        self.clerks[clerk.name].send(b"")

    @clerks.on_message
    def said(self, name, cargo): ...

    def ended(self, clerk):
        self.left -= 1
        if self.left:
            self.start()
        else:
            print(self.accounts.counter(b"seen"), dict(self.accounts)[b"typed"])
            self.stop()

class Clerk(Actor, family="clerk"):
    accounts = Store("accounts")
    typed = Store("accounts", value=Account)
    host = Connector("Host")

    @accounts.on_change(b"n")
    def changed(self, key, old, new):
        self.accounts.add(b"seen")
        self.typed[b"typed"] = Account(5)
        self.stop()

    @host.on_message
    def on(self, cargo): ...
"""


@pytest.mark.parametrize("places", ["Host:1 clerk:1", "Host:2 | clerk:1 Other:1"])
def test_an_actor_that_is_started_later_has_its_store(app: App, places: str) -> None:
    """In each of its lives, though its enclave was sealed before it came."""
    source = LATE + "\nclass Other(Actor):\n    def body(self):\n        self.stop()\n"
    done = app.write(source, places, '<actor-settings actor="clerk" start="on-demand" instances="1"/>').run()
    assert (done.returncode, done.stdout, done.stderr) == (0, "2 b'\\x81\\xa5cents\\x05'\n", "")
