"""``eactors store`` refuses what it should not or cannot do, and leaves every store as it was."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from tests.cli.test_store_files import KEY, PAIRS, Stores
from tests.conftest import COMMAND
from tests.store_reader import StoreReader

from eactors._store import Keeper
from eactors.host.store_file import boot_id

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COMMANDS = {
    "info": [],
    "get": ["alice"],
    "put": ["alice", "1"],
    "list": [],
    "export": [],
    "verify": [],
    "compact": [],
    "import": [],
}
DUMP = '{"eactors store": 1, "id": "", "keys": 1, "limit": 1048576}\n{"key": "YQ==", "value": "MQ=="}\n'


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    """An empty folder."""
    return Stores(tmp_path)


@pytest.mark.parametrize("command", COMMANDS)
def test_an_encrypted_store_is_refused_without_its_key(stores: Stores, command: str) -> None:
    """And with another one, and with one for a store that is not encrypted. It stays as it was."""
    path = stores.make("sealed.store", PAIRS, encrypted=True)
    plain = stores.make("plain.store", PAIRS)
    other = stores.folder / "other"
    other.write_text("ab" * 32 + "\n")
    other.chmod(0o600)
    arguments = COMMANDS[command]
    said = stores.refused(command, path, *arguments, stdin=DUMP)
    assert f"error: {path}: it is encrypted\nhint: give its key: --key KEYFILE" in said
    done = stores.run(command, path, *arguments, "--key", other, stdin=DUMP)
    assert done.returncode == (1 if command == "verify" else 2)
    assert "give the key" in done.stderr or command == "verify"
    assert "it is not encrypted" in stores.refused(command, plain, *arguments, "--key", other, stdin=DUMP)
    assert StoreReader(path.read_bytes(), boot_id(), KEY).items == PAIRS
    assert StoreReader(plain.read_bytes(), boot_id()).items == PAIRS


def test_an_encrypted_store_s_shape_is_checked_without_its_key(stores: Stores) -> None:
    """For those who keep it for others, and ask for it in so many words."""
    path = stores.make("sealed.store", PAIRS, encrypted=True)
    assert stores.good("verify", path, "--without-key").startswith(f"good   {path}: ")


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        (b"short", 0o600, "holds no key of a store"),
        (b"g" * 64, 0o600, "holds no key of a store"),
        (KEY, 0o644, "others than its owner may read"),
        (None, 0o600, "cannot be read: No such file"),
    ],
)
def test_a_key_file_that_is_none(stores: Stores, content: bytes | None, mode: int, words: str) -> None:
    """Said of the key, and not of the store."""
    path, key = stores.make("sealed.store", PAIRS, encrypted=True), stores.folder / "bad key"
    if content is not None:
        key.write_bytes(content)
        key.chmod(mode)
    said = stores.refused("info", path, "--key", key)
    assert words in said
    assert str(key) in said


def _cut_short(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(100_000)


def _other_version(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(7)
        file.write(b"\2")


def _nonsense(path: Path) -> None:
    path.write_text("accounts: none\n" * 1000)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _missing(path: Path) -> None:
    path.unlink()


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("command", [each for each in COMMANDS if each != "import"])
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_cut_short, "cut short"),
        (_other_version, "version"),
        (_nonsense, "no store"),
        (_empty, "no store"),
        (_missing, "No such file or directory"),
        (_folder, "Is a directory"),
    ],
)
def test_what_is_no_store(stores: Stores, command: str, spoil: Callable[[Path], None], words: str) -> None:
    """Is named, with what it is instead, and not touched."""
    path = stores.make("some.store", PAIRS)
    spoil(path)
    before = path.read_bytes() if path.is_file() else path.exists()
    said = stores.refused(command, path, *COMMANDS[command])
    assert said.startswith(f"error: {path}: ")
    assert words in said
    assert (path.read_bytes() if path.is_file() else path.exists()) == before


@pytest.mark.parametrize("command", COMMANDS)
def test_a_store_in_use_is_refused(stores: Stores, command: str) -> None:
    """With the process that has it, and what to do."""
    path = stores.make("used.store", PAIRS)
    with closing(Keeper(str(path), 0, boot_id())):
        said = stores.refused(command, path, *COMMANDS[command], stdin=DUMP)
    assert f"{path}: " in said
    assert f"process {os.getpid()}" in said
    assert "wait until" in said


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("k" * 1025, "v", "a key of a store has at most 1024 bytes, not 1025\nhint: use a digest of it"),
        (
            "k",
            "v" * ((16 << 20) + 1),
            "at most 16777216 bytes, not 16777217\nhint: put it under several",
        ),
    ],
)
def test_what_is_too_long_is_refused(stores: Stores, key: str, value: str, words: str) -> None:
    """With the limits; the store stays as it was."""
    path = stores.make("some.store", PAIRS)
    said = stores.refused("put", path, key, stdin=value)
    assert words in said
    assert StoreReader(path.read_bytes(), boot_id()).items == PAIRS


def test_a_full_store_says_how_it_may_grow(stores: Stores) -> None:
    """And stays as it was."""
    path = stores.make("some.store", PAIRS)
    said = stores.refused("put", path, "large", stdin="x" * 6_000_000)
    assert "full" in said
    assert "larger size=" in said
    assert StoreReader(path.read_bytes(), boot_id()).items == PAIRS


@pytest.fixture(scope="session")
def full_disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """To be preloaded: a disk that has no room for more than a mebibyte of any file."""
    folder = tmp_path_factory.mktemp("disk")
    source = folder / "full.c"
    source.write_text(
        "#include <errno.h>\n"
        "int posix_fallocate(int fd, long offset, long size) {\n"
        "    (void)fd;\n"
        "    return offset + size > 1 << 20 ? ENOSPC : 0;\n"
        "}\n"
    )
    subprocess.run(["cc", "-shared", "-fPIC", "-o", folder / "full.so", source], check=True)
    return folder / "full.so"


@pytest.mark.parametrize("command", ["put", "import"])
def test_a_full_disk_is_no_harm(stores: Stores, full_disk: Path, command: str) -> None:
    """The store is as it was, and can be used."""
    path = stores.make("some.store", PAIRS)
    large = "x" * 2_000_000
    dump = stores.good("export", stores.make("large.store", {b"large": large.encode()}))
    done = subprocess.run(
        [COMMAND, "store", command, path, *(["large"] if command == "put" else [])],
        env={"PATH": os.environ["PATH"], "LD_PRELOAD": str(full_disk)},
        input=large if command == "put" else dump,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {path}: No space left on device\nhint: make room on that disk")
    assert StoreReader(path.read_bytes(), boot_id()).items == PAIRS
    assert stores.good("get", path, "alice") == "100"


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_store_of_somebody_else_is_refused(stores: Stores, command: str) -> None:
    """With the system's words."""
    path = stores.make("some.store", PAIRS)
    path.chmod(0)
    assert f"{path}: Permission denied" in stores.refused(command, path, *COMMANDS[command], stdin=DUMP)


def test_a_store_that_detects_rollbacks_is_not_compacted(stores: Stores) -> None:
    """Its enclaves would take it for an old one."""
    path = stores.make("detecting.store", PAIRS, encrypted=True, detects=True)
    before = path.read_bytes()
    assert "it detects rollbacks" in stores.refused("compact", path, "--key", stores.key)
    assert [each.name for each in stores.folder.iterdir() if "compact" in each.name] == []
    assert StoreReader(before, boot_id(), KEY).items == PAIRS


@pytest.mark.parametrize(
    ("dump", "words"),
    [
        ("", "no dump of a store"),
        ("hello\n", "no dump of a store"),
        ("\xff\xfe\n", "no dump of a store"),
        ("[" * 100_000, "no dump of a store"),
        (DUMP.replace('store": 1', 'store": 2'), "is of version 2"),
        (DUMP.replace('"keys": 1', '"keys": -1'), "line 1 of the dump"),
        (DUMP.replace("1048576", "1"), "line 1 of the dump"),
        (DUMP.replace('"keys": 1', '"keys": 2'), "the dump has 1 keys, and its first line says 2"),
        (DUMP.replace("YQ==", "Y?=="), "line 2 of the dump is no key"),
        (DUMP.replace('"value"', '"values"'), "line 2 of the dump is no key"),
        (DUMP + "\n", "line 3 of the dump is no key"),
        (DUMP.replace("YQ==", "YWFh" * 342), "line 2 of the dump has a key of 1,026 bytes"),
    ],
)
def test_what_is_no_dump(stores: Stores, dump: str, words: str) -> None:
    """Is refused with its line."""
    assert words in stores.refused("import", "new.store", stdin=dump)


def test_a_broken_dump_can_be_imported_once_it_is_mended(stores: Stores) -> None:
    """What came before the broken line may be there; the rest is added."""
    path = stores.make("some.store", {f"{number}".encode(): b"1" for number in range(2_000)})
    lines = stores.good("export", path).splitlines(keepends=True)
    broken = [*lines[:1_500], "{}\n", *lines[1_501:]]
    assert "line 1,501 of the dump" in stores.refused("import", "new.store", stdin="".join(broken))
    facts = json.loads(stores.good("import", "new.store", "--json", stdin="".join(lines)))
    assert facts == {"keys": 2_000, "changed": 1_000, "made": False}


def test_a_new_store_that_is_encrypted_is_its_enclaves_to_make(stores: Stores) -> None:
    """One made here would have a key that no enclave has."""
    said = stores.refused("import", "new.store", "--key", stores.key, stdin=DUMP)
    assert "an encrypted store is made by its enclaves" in said
    assert not (stores.folder / "new.store").exists()


def test_hexadecimal_that_is_none(stores: Stores) -> None:
    """Is said before the store is opened."""
    assert "'xy' is not hexadecimal" in stores.refused("get", "no.store", "xy", "--hex")
