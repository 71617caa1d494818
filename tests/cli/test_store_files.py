"""``eactors store``: what people can see and do in the file of a store, with and without its key."""

from __future__ import annotations

import json
import os
import subprocess
from base64 import b64decode
from pathlib import Path

import pytest
from tests.conftest import COMMAND
from tests.store_reader import StoreReader

from eactors._store import Keeper, Store
from eactors.host.store_file import boot_id

KEY = bytes(range(32))
PAIRS = {b"alice": b"100", b"bob": b"60", b"\xff\x00\n": b"\x00\x01", b"": b"", b"k" * 1024: b"v" * 5000}


class Stores:
    """A folder with stores and a key, and the command.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = folder / "key"
        self.key.write_bytes(KEY)
        self.key.chmod(0o600)

    def make(
        self, name: str, pairs: dict[bytes, bytes], *, encrypted: bool = False, detects: bool = False
    ) -> Path:
        """Make a store."""
        path = self.folder / name
        keeper = Keeper(str(path), 20_000, boot_id(), encryption=int(encrypted), detects=detects)
        keys = (lambda _: KEY) if encrypted else None

        def provide(_: str) -> None:
            keeper.grow()

        store = Store(str(path), 20_000, keys=keys, detects=detects, wait=provide)
        store.commit(None, [], list(pairs.items()))
        store.close()
        keeper.close()
        return path

    def run(
        self, command: str, *arguments: str | Path, stdin: str | bytes = b""
    ) -> subprocess.CompletedProcess[str]:
        """Run ``eactors store``."""
        return subprocess.run(
            [COMMAND, "store", command, *arguments],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"]},
            input=stdin.decode("latin-1") if isinstance(stdin, bytes) else stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=30,
            check=False,
        )

    def good(self, command: str, *arguments: str | Path, stdin: str | bytes = b"") -> str:
        """Run what succeeds and warns of nothing; its output."""
        done = self.run(command, *arguments, stdin=stdin)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def refused(self, command: str, *arguments: str | Path, stdin: str | bytes = b"") -> str:
        """Run what is refused as a user's mistake; error and hint."""
        done = self.run(command, *arguments, stdin=stdin)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("error: ")
        assert "\nhint: " in done.stderr
        return done.stderr


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    """An empty folder."""
    return Stores(tmp_path)


@pytest.fixture(params=["plain", "encrypted"])
def options(request: pytest.FixtureRequest, stores: Stores) -> list[str | Path]:
    """A store with what is in `PAIRS`, and how commands are given it: all does the same with a key."""
    encrypted = request.param == "encrypted"
    path = stores.make("some.store", PAIRS, encrypted=encrypted)
    return [path, *(("--key", stores.key) if encrypted else ())]


def contents(options: list[str | Path]) -> dict[bytes, bytes]:
    """What the independent reader finds in a store."""
    return StoreReader(Path(options[0]).read_bytes(), boot_id(), KEY if len(options) > 1 else None).items


def test_what_is_put_is_got(stores: Stores, options: list[str | Path]) -> None:
    """From the command line, from standard input, and for scripts."""
    assert stores.good("put", *options, "alice", "1 000") == ""
    assert stores.good("get", *options, "alice") == "1 000"
    assert stores.good("put", *options, "00ff", "--hex", stdin="from\nstdin\n") == ""
    assert stores.good("get", *options, "00ff", "--hex") == "from\nstdin\n"
    assert b64decode(json.loads(stores.good("get", *options, "bob", "--json"))["value"]) == b"60"
    assert contents(options) == {**PAIRS, b"alice": b"1 000", b"\0\xff": b"from\nstdin\n"}


def test_a_key_that_is_not_there(stores: Stores, options: list[str | Path]) -> None:
    """Status 1, as of a search that finds nothing; nothing on standard output but what was asked for."""
    done = stores.run("get", *options, "carol")
    assert (done.returncode, done.stdout) == (1, "")
    assert "has no key 'carol'" in done.stderr
    done = stores.run("get", *options, "carol", "--json")
    assert (done.returncode, json.loads(done.stdout)) == (1, {"value": None})


def test_keys_are_listed_in_order(stores: Stores, options: list[str | Path]) -> None:
    """With sizes; what a terminal would obey is shown and not sent."""
    lines = stores.good("list", *options).splitlines()
    assert lines[:3] == ["           0  ", "           3  alice", "           2  bob"]
    assert lines[-1].endswith("\\xff\\x00\\n")
    assert stores.good("list", *options, "al") == "           3  alice\n"
    assert stores.good("list", *options, "ff", "--hex") == "           2  ff000a\n"
    listed = json.loads(stores.good("list", *options, "--json"))
    found = {b64decode(each["key"]): each["size"] for each in listed}
    assert found == {key: len(value) for key, value in PAIRS.items()}


def test_info_says_what_it_is_and_how_full(stores: Stores, options: list[str | Path]) -> None:
    """For people, and for scripts."""
    facts = json.loads(stores.good("info", *options, "--json"))
    assert facts["keys"] == len(PAIRS)
    assert facts["encrypted"] == (len(options) > 1)
    assert facts["bytes_at_most"] == 20_000 * 256
    assert 5_000 < facts["bytes_used"] < facts["bytes_on_disk"] <= facts["bytes_at_most"]
    assert "keys                 5\n" in stores.good("info", *options)


def test_an_exported_store_is_imported(stores: Stores, options: list[str | Path]) -> None:
    """Into a new one, which is made; again, and nothing changes; into one with other keys, which stay."""
    dump = stores.good("export", *options)
    header = json.loads(dump.splitlines()[0])
    assert (header["eactors store"], header["keys"], header["limit"]) == (1, 5, 20_000 * 256)
    assert stores.good("import", "new.store", stdin=dump) == (
        "new.store: made, 5 keys imported, 5 of them new or changed\n"
    )
    assert contents([stores.folder / "new.store"]) == PAIRS
    before = (stores.folder / "new.store").read_bytes()
    assert "0 of them new or changed" in stores.good("import", "new.store", stdin=dump)
    assert (
        StoreReader(before, boot_id()).commit
        == StoreReader((stores.folder / "new.store").read_bytes(), boot_id()).commit
    )
    other = stores.make("other.store", {b"alice": b"?", b"eve": b"1"})
    facts = json.loads(stores.good("import", other, "--json", stdin=dump))
    assert facts == {"keys": 5, "changed": 5, "made": False}
    assert contents([other]) == {**PAIRS, b"eve": b"1"}


@pytest.mark.parametrize("command", ["export", "list", "info"])
def test_output_that_has_no_room(stores: Stores, command: str) -> None:
    """It is said, and not shown where in the code."""
    path = stores.make("some.store", PAIRS)
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [COMMAND, "store", command, path], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2
    assert done.stderr == (
        "error: the output cannot be written: No space left on device\n"
        "hint: make room, or have it written elsewhere\n"
    )


def test_many_keys_are_imported(stores: Stores) -> None:
    """More than one transaction has."""
    pairs = {b"key %d" % number: b"value %d" % number for number in range(2_500)}
    path = stores.make("many.store", pairs)
    stores.good("import", "copy.store", stdin=stores.good("export", path))
    assert contents([stores.folder / "copy.store"]) == pairs


def test_verify_finds_a_changed_byte(stores: Stores, options: list[str | Path]) -> None:
    """Status 0 and what was checked, or status 1 and where it is wrong; the file stays as it is.

    In the clear it is a byte of a key: a value has no check there.
    """
    path = Path(options[0])
    before = path.read_bytes()
    assert stores.good("verify", *options).startswith(f"good   {path}: ")
    assert json.loads(stores.good("verify", *options, "--json"))["keys"] == len(PAIRS)
    assert path.read_bytes() == before
    at = before.index(
        b"alice" if len(options) == 1 else StoreReader(before, boot_id(), KEY).hash_of(b"alice")
    )
    damaged = bytearray(before)
    damaged[at] ^= 1
    path.write_bytes(damaged)
    done = stores.run("verify", *options)
    assert done.returncode == 1
    assert done.stdout.startswith(f"wrong  {path}: ")
    assert ("its key does not lead" if len(options) == 1 else "block") in done.stdout
    assert json.loads(stores.run("verify", *options, "--json").stdout)["wrong"] in done.stdout
    assert path.read_bytes() == damaged


def test_compact_gives_room_back(stores: Stores, options: list[str | Path]) -> None:
    """It is the same store afterwards, for the same people, only smaller."""
    path = Path(options[0])
    for number in range(3):
        stores.good("put", *options, f"large {number}", stdin="x" * 400_000)
    for number in range(3):
        stores.good("put", *options, f"large {number}", "")
    path.chmod(0o640)
    before = StoreReader(path.read_bytes(), boot_id(), KEY)
    said = json.loads(stores.good("compact", *options, "--json"))
    after = StoreReader(path.read_bytes(), boot_id(), KEY)
    assert said["bytes_before"] > 1_200_000
    assert said["bytes_after"] == path.stat().st_blocks * 512
    assert said["bytes_after"] < said["bytes_before"] - 1_000_000
    assert (after.items, after.id, after.limit) == (before.items, before.id, before.limit)
    assert path.stat().st_mode & 0o777 == 0o640
    assert [each.name for each in stores.folder.iterdir() if "compact" in each.name] == []
    assert stores.good("get", *options, "alice") == "100"
