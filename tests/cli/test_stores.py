"""Stores in running applications: private, public and persistent, plain and encrypted, and watched."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import App

BANK = """
class Teller(Actor):
    accounts = Store("accounts")
    auditor = Connector("Auditor")

    def constructor(self):
        with self.accounts.transaction() as t:
            t[b"alice"], t[b"bob"] = b"100", b"0"

    @auditor.on_message
    def go(self, cargo):
        for _ in range(10):
            self.accounts.transact(self.move)
        self.accounts.add(b"done")
        self.stop()

    def move(self, t):
        t[b"alice"], t[b"bob"] = b"%d" % (int(t[b"alice"]) - 10), b"%d" % (int(t[b"bob"]) + 10)


class Auditor(Actor):
    accounts = Store("accounts")
    teller = Connector("Teller")

    def constructor(self):
        self.teller.send(b"go")

    @accounts.on_change(b"done")
    def changed(self, key, old, new):
        with self.accounts.snapshot() as snapshot:
            print(snapshot[b"alice"], snapshot[b"bob"])
        self.stop()
"""
DONE = "b'0' b'100'\n"
PERSISTENT = '<store name="accounts" kind="persistent" file="accounts.store" {}/>'
OWNERS = (
    '<key name="alice" file="alice.pem"/><key name="bob" file="bob.pem"/>'
    '<enclave-settings enclave="1" signer="alice"/><enclave-settings enclave="2" signer="bob"/>'
)


@pytest.mark.parametrize(
    ("places", "extra"),
    [
        ("Teller:0 Auditor:0", ""),
        ("Teller:1 Auditor:1", ""),
        ("Teller:1 | Auditor:1", ""),
        ("Teller:1 | Auditor:0", ""),
        ("Teller:1 | Auditor:2", ""),
        ("Teller:1 Auditor:2", ""),
        ("Teller:1 | Auditor:2", '<store name="accounts" encryption="none"/>'),
        ("Teller:1 Auditor:1", PERSISTENT.format("")),
        ("Teller:1 | Auditor:2", PERSISTENT.format('rollback="detect"')),
        ("Teller:1 | Auditor:2", PERSISTENT.format('key="shared"')),
    ],
)
def test_the_same_source_wherever_the_store_is(app: App, places: str, extra: str) -> None:
    """Actors in one enclave, in several and outside see one state, and the last change is told."""
    done = app.write(BANK, places, extra).run()
    assert (done.returncode, done.stdout, done.stderr) == (0, DONE, "")


KEEP = """
class Keep(Actor):
    memory = Store("memory")

    def constructor(self):
        print(self.memory.add(b"runs"), self.memory.get(b"text"))
        self.memory[b"text"] = b"the crown jewels"
        self.memory.sync().then(self.kept)

    def kept(self, version):
        print(version >= self.memory.version, self.memory.statistics()["durable"] == version)
        self.stop()
"""
STAY = KEEP.replace("self.stop()", "pass") + "\n    def body(self):\n        return 1.0\n"
MEMORY = '<store name="memory" kind="persistent" file="memory.store" {}/>'


@pytest.mark.parametrize(
    ("place", "attributes", "readable"),
    [
        ("Keep:1", "", False),
        ("Keep:1", 'key="signer"', False),
        ("Keep:1", 'encryption="none"', True),
        ("Keep:0", "", True),
    ],
)
def test_what_was_written_is_there_in_the_next_run(
    app: App, place: str, attributes: str, *, readable: bool
) -> None:
    """And in the file, which only enclaves can read if it is encrypted."""
    app.write(KEEP, place, MEMORY.format(attributes))
    first, second = app.run(), app.run()
    assert (first.stdout, first.stderr) == ("1 None\nTrue True\n", "")
    assert (second.stdout, second.stderr) == ("2 b'the crown jewels'\nTrue True\n", "")
    file = app.folder / "memory.store"
    assert file.stat().st_mode & 0o777 == 0o600
    assert (b"the crown jewels" in file.read_bytes()) == readable


def test_a_store_survives_a_new_build_if_its_key_is_the_signers(app: App) -> None:
    """That of the measurement does not, and the error says why; the file is as it was."""
    for policy, after in (("signer", "2 b'the crown jewels'\nTrue True\n"), ("measurement", "")):
        app.write(KEEP, "Keep:1", MEMORY.format(f'key="{policy}"'))
        assert app.run().returncode == 0
        app.write(KEEP + "    version = 2\n", "Keep:1", MEMORY.format(f'key="{policy}"'))
        done = app.run()
        assert done.stdout == after
        if not after:
            words = (
                "error: enclave 1 does not start: StoreKeyMissing: the key of store 'memory' is for another"
                " measurement than this enclave has"
            )
            assert words in done.stderr
            assert "hint: use the enclave that has made it" in done.stderr
        (app.folder / "memory.store").unlink()


def test_a_store_is_given_more_room(app: App) -> None:
    """Though its key is that of a measurement: how large a file may be is not measured."""
    assert app.write(KEEP, "Keep:1", MEMORY.format('size="1 MiB"')).run().returncode == 0
    done = app.write(KEEP, "Keep:1", MEMORY.format('size="2 MiB"')).run()
    assert (done.stdout, done.stderr) == ("2 b'the crown jewels'\nTrue True\n", "")
    assert (app.folder / "memory.store").stat().st_size == 2 << 20


def test_a_key_that_enclaves_of_two_signers_share(app: App) -> None:
    """The first gives it to the second, which seals it for itself: the next run asks nobody."""
    for name in ("alice", "bob"):
        assert app.run_in(app.folder, "key", "new", f"{name}.pem").returncode == 0
    app.write(BANK, "Teller:1 | Auditor:2", OWNERS + PERSISTENT.format(""))
    assert "aes-gcm with a key shared by its enclaves" in " ".join(app.check().stdout.split())
    for _ in range(2):
        done = app.run()
        assert (done.returncode, done.stdout, done.stderr) == (0, DONE, "")
        assert b"alice" not in (app.folder / "accounts.store").read_bytes()


LIST = """
class Writer(Actor):
    items = Store("items")

    def constructor(self):
        for number in range(40):
            self.items[b"%d" % number] = bytes(1 << 16)
        print(len(self.items))
        self.stop()
"""


@pytest.mark.parametrize("kind", ["private", "public", "persistent"])
def test_a_store_grows_as_far_as_it_may(app: App, kind: str) -> None:
    """In a sealed enclave, too; then it is full, says so, and says what to do."""
    file = ' file="items.store" key="signer"' if kind == "persistent" else ""
    extra = f'<store name="items" kind="{kind}"{file} size="4 MiB"/>'
    source = LIST.replace("def constructor(self):", "def body(self):")
    done = app.write(source, "Writer:1", extra).run()
    assert (done.returncode, done.stdout, done.stderr) == (0, "40\n", "")
    done = app.write(source.replace("40", "400"), "Writer:1", extra).run()
    assert done.returncode == 1
    assert "error: actor 'Writer' failed: StoreFull: " in done.stderr
    assert "size=" in done.stderr


def test_watching_costs_an_idle_actor_nothing(app: App) -> None:
    """Its process sleeps; it is woken by the next change, and ends when it says so."""
    source = """
    class Watcher(Actor):
        items = Store("items")
        clock = Connector("Clock")

        @items.on_change()
        def changed(self, key, old, new):
            print(key.decode(), new.decode())
            if new == b"9":
                self.stop()

    class Clock(Actor):
        items = Store("items")
        watcher = Connector("Watcher")
        turns = 0

        def body(self):
            self.turns += 1
            if self.turns > 10:
                self.stop()
            else:
                self.items[b"x"] = b"%d" % (self.turns - 1)
    """
    done = app.write(source, "Watcher:1 | Clock:2").run()
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[-1] == "x 9"
    assert lines == sorted(set(lines))


ASYNC = """
from eactors.aio import AsyncActor

class Watcher(AsyncActor):
    items = Store("items")

    async def main(self):
        self.seen = self.loop.create_future()
        self.items[b"mine"] = b"1"
        print(await self.items.sync() >= 2)
        print(await self.seen)

    @items.on_change(b"theirs")
    async def changed(self, key, old, new):
        self.seen.set_result(new)

class Writer(Actor):
    items = Store("items")

    def body(self):
        if b"mine" in self.items:
            self.items[b"theirs"] = b"2"
            self.stop()
"""


def test_an_async_actor_watches_and_awaits(app: App) -> None:
    """Handlers may be coroutine functions, and a sync can be awaited."""
    extra = '<store name="items" kind="persistent" file="items.store"/>'
    done = app.write(ASYNC, "Watcher:1 | Writer:2", extra).run()
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\nb'2'\n", "")


def test_typed_values_in_an_enclave(app: App) -> None:
    """The library msgspec is in the image because the store names a type."""
    source = """
    import msgspec

    class Account(msgspec.Struct):
        cents: int

    class Typed(Actor):
        accounts = Store("accounts", value=Account)

        def constructor(self):
            self.accounts[b"a"] = Account(5)
            print(self.accounts[b"a"].cents)
            self.accounts[b"a"] = "five"
    """
    done = app.write(source, "Typed:1").run()
    assert (done.returncode, done.stdout) == (1, "5\n")
    assert "WrongType: store 'accounts', key b'a': str is not a Account" in done.stderr


REFUSED = {
    "no store": (b"something else, and long enough to be a header" * 400, "", "memory.store is no store"),
    "encrypted": (
        None,
        'encryption="none"',
        "memory.store: the file is encrypted, and the deployment says that",
    ),
    "larger": (
        None,
        'size="1 MiB"',
        "memory.store: the file may grow to 16 MiB already, and the deployment says 1 MiB",
    ),
    "without rollback": (
        None,
        'rollback="detect"',
        'memory.store: the file was made without rollback="detect"',
    ),
}


@pytest.mark.parametrize(("content", "attributes", "words"), REFUSED.values(), ids=REFUSED)
def test_a_file_that_is_not_what_the_deployment_says(
    app: App, content: bytes | None, attributes: str, words: str
) -> None:
    """Refused before anything starts, with the file's name; and left as it is."""
    file = app.folder / "memory.store"
    if content is None:
        assert app.write(KEEP, "Keep:1", MEMORY.format("")).run().returncode == 0
    else:
        file.write_bytes(content)
    before = file.read_bytes()
    done = app.write(KEEP, "Keep:1", MEMORY.format(attributes)).run()
    assert (done.returncode, done.stdout) == (2, "")
    assert f"error: store 'memory': {file.parent.resolve()}/{words}" in done.stderr
    assert "hint: " in done.stderr
    assert file.read_bytes()[:4096] == before[:4096]


def test_a_file_in_a_folder_that_is_not_there(app: App) -> None:
    """The system's words, and what to look at."""
    done = app.write(KEEP, "Keep:1", MEMORY.replace("memory.store", "no/memory.store").format("")).run()
    assert (done.returncode, done.stdout) == (2, "")
    assert "no/memory.store: No such file or directory" in done.stderr


def test_nothing_of_a_public_store_is_left_after_kill_9(app: App) -> None:
    """The guard removes its file, too, and nobody else can open it meanwhile."""
    process = app.write(BANK.replace("self.stop()", "print(1)"), "Teller:1 | Auditor:2").start()
    assert process.stdout is not None
    assert process.stdout.readline()
    (file,) = Path("/dev/shm").glob(f"eactors-{process.pid}-*-store-0")
    assert file.stat().st_mode & 0o777 == 0o600
    os.kill(process.pid, signal.SIGKILL)
    assert app.wait_until(lambda: not app.left_behind(process.pid))


def test_an_application_that_is_killed_loses_nothing(app: App) -> None:
    """What was committed is in the file, though nobody closed it."""
    process = app.write(STAY, "Keep:1", MEMORY.format("")).start()
    assert process.stdout is not None
    assert process.stdout.readline() == "1 None\n"
    assert process.stdout.readline() == "True True\n"
    os.kill(process.pid, signal.SIGKILL)
    assert app.wait_until(lambda: not app.left_behind(process.pid))
    second = app.start()
    assert second.stdout is not None
    assert second.stdout.readline() == "2 b'the crown jewels'\n"


def test_one_application_at_a_time_has_a_file(app: App) -> None:
    """The second is refused, and the first does not notice."""
    process = app.write(STAY, "Keep:1", MEMORY.format("")).start()
    assert process.stdout is not None
    assert process.stdout.readline()
    done = app.run()
    assert done.returncode == 2
    assert f"memory.store is in use by process {process.pid}\nhint: wait until it has ended" in done.stderr
    assert process.poll() is None


def test_an_enclave_without_a_store_has_nothing_of_it(app: App) -> None:
    """Neither the code in Python nor the module; an enclave with one has the part that it needs."""
    source = BANK + "\nclass Other(Actor):\n    def constructor(self):\n        self.stop()\n"
    app.write(source, "Teller:1 Other:3 | Auditor:2")
    assert app.run("-o", "built", command="build").returncode == 0

    def has(enclave: int) -> set[str]:
        image = app.folder / "built" / f"enclave-{enclave}" / "eactors"
        return {str(path.relative_to(image)).partition(".")[0] for path in image.rglob("*.*")}

    assert not {name for name in has(3) if "store" in name}
    assert {"_store", "enclave/stores", "enclave/store_keys", "store/live"} <= has(1)
    assert "store/watching" not in has(1)
    assert "store/watching" in has(2)
    assert "store/syncing" not in has(2)
