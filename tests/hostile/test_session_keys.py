"""Where the keys of channels are while an application runs: in the enclaves at its ends, nowhere else.

What they came from is looked for in `test_forward_secrecy`.
"""

from __future__ import annotations

import contextlib
import os
import struct
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.coldboot import Memory, aes_keys, round_keys, schedule
from tests.conftest import all_processes, command_line

from eactors import _native

if TYPE_CHECKING:
    from tests.conftest import App

SOURCE = """
class Alice(Actor):
    bob = Connector("Bob")
    def constructor(self):
        self.bob.send(b"for Bob, from Alice")
    @bob.on_message
    def got(self, cargo):
        self.last = cargo.data

class Bob(Actor):
    alice, carol = Connector("Alice"), Connector("Carol")
    def constructor(self):
        self.seen = 0
        self.alice.send(b"for Alice")
        self.carol.send(b"for Carol")
    @alice.on_message
    def from_alice(self, cargo):
        self.ready()
    @carol.on_message
    def from_carol(self, cargo):
        self.ready()
    def ready(self):
        self.seen += 1
        if self.seen == 2:
            print("ready")

class Carol(Actor):
    bob = Connector("Bob")
    def constructor(self):
        self.bob.send(b"from Carol")
    @bob.on_message
    def got(self, cargo):
        self.last = cargo.data

class Idle(Actor):
    def body(self):
        pass
"""
TEXT = b"for Bob, from Alice"
DERIVATION = bytes(range(32))
"""Not secret: CTR_DRBG condenses its seed with this key (NIST SP 800-90A, section 10.3.2)."""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can read the memory of enclaves")


def started(app: App, cipher: str) -> dict[str, Memory]:
    """Run the application until all channels have been used; the memory of its processes."""
    settings = "".join(
        f'<channel between="{between}" cipher="{cipher}"/>' for between in ("Alice Bob", "Bob Carol")
    )
    app.write(SOURCE, "Alice:1 | Bob:2 Idle:0 | Carol:3", settings)
    process = app.start()
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    pids = {Path(os.fsdecode(command_line(pid).strip(b"\0"))).name: pid for pid in app.processes()}
    pids["launcher"] = process.pid
    (pids["guard"],) = (
        pid for pid in children(process.pid) if command_line(pid) == command_line(process.pid)
    )
    (pids["CPU"],) = (pid for pid in children(process.pid) if b"eactors.cpu" in command_line(pid))
    memories = {name: Memory(pid) for name, pid in pids.items()}
    process.kill()
    assert memories.keys() == {"enclave-1", "enclave-2", "enclave-3", "untrusted", "launcher", "guard", "CPU"}
    # The region is among what is searched, in each of those that have it.
    for name in memories.keys() - {"CPU", "guard"}:
        (line,) = memories[name].shared
        assert f"eactors-{process.pid}-" in line
    return memories


def children(parent: int) -> list[int]:
    """Return the processes whose parent this is."""
    found = []
    for pid in all_processes():
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):
            stat = Path(f"/proc/{pid}/stat").read_text()
            if int(stat.rpartition(")")[2].split()[1]) == parent:
                found.append(pid)
    return found


@as_root
@pytest.mark.parametrize(("cipher", "size"), [("aes-128-gcm", 16), ("aes-256-gcm", 32)])
def test_only_the_two_ends_of_a_channel_have_its_round_keys(app: App, cipher: str, size: int) -> None:
    """Each end has one key per direction, as expanded; no other process has a part of it.

    Of AES-256 there are also the two keys from which each process draws its random numbers.
    """
    memories = started(app, cipher)
    found = {name: memory.aes_keys(size) - {DERIVATION} for name, memory in memories.items()}
    del found["guard"]  # a copy of the launcher from before there were enclaves
    alice, bob, carol = (found.pop(f"enclave-{enclave}") for enclave in (1, 2, 3))
    with_alice, with_carol = alice & bob, carol & bob
    # The control: the search finds them, at both ends, and finds them all.
    assert (len(with_alice), len(with_carol), len(alice & carol)) == (2, 2, 0)
    own = 0 if size == 16 else 2
    assert [len(keys) for keys in (alice, bob, carol)] == [2 + own, 4 + own, 2 + own]
    assert {name: len(keys) for name, keys in found.items()} == dict.fromkeys(found, own)
    ends = {"enclave-1": with_alice, "enclave-2": with_alice | with_carol, "enclave-3": with_carol}
    for name, memory in memories.items():
        strange = (with_alice | with_carol) - ends.get(name, set())
        for key in strange:
            assert not [part for part in {*round_keys(key), key} if part in memory], name
    # Nor has anyone the state of another's random numbers, which are the keys to come.
    for one, other in combinations((alice - bob, bob - alice - carol, carol - bob, *found.values()), 2):
        assert not one & other


@as_root
def test_only_the_two_ends_of_a_channel_have_a_key_that_does_not_show(app: App) -> None:
    """ChaCha20 expands no key, so every 32 bytes of memory are tried on a frame that lies in the region."""
    memories = started(app, "chacha20-poly1305")
    frames = sealed_frames(next(iter(memories["launcher"].shared.values())))
    assert frames
    found = {
        name: {window for window in memories[name].windows(32) if any(opens(window, each) for each in frames)}
        for name in ("enclave-1", "enclave-2")
    }
    # The control: both ends have it, and it is one.
    (key,) = found["enclave-1"]
    assert found["enclave-2"] == {key}
    for name in memories.keys() - found.keys():
        assert key not in memories[name], name
        assert key[:16] not in memories[name], name
        assert key[16:] not in memories[name], name
    assert not [part for memory in memories.values() for part in memory.shared.values() if key in part]


def sealed_frames(region: bytes) -> list[bytes]:
    """Return what may be the frame with Alice's text: ciphertext and tag behind a header of its length."""
    header = struct.pack("<III", len(TEXT), 0, 0)
    places = (at + 32 for at in range(0, len(region) - 96, 64) if region[at + 12 : at + 24] == header)
    return [region[at : at + len(TEXT) + 16] for at in places]


def opens(key: bytes, frame: bytes) -> bool:
    """Whether a key opens the first frame that side 0 of channel 0 sent."""
    bound = struct.pack("<QBBHIIQI", 0, 0, 0, 0, len(TEXT), 0, 0, 0)
    try:
        return _native.aead_open("chacha20-poly1305", key, bytes(12), frame, bound) == TEXT
    except ValueError:
        return False


def test_the_search_finds_keys() -> None:
    """The control of the control: known schedules of FIPS 197, anywhere, and nothing in empty memory."""
    key = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
    long = bytes.fromhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")
    assert schedule(key)[-16:].hex() == "d014f9a8c9ee2589e13f0cc8b6630ca6"
    assert schedule(long)[-16:].hex() == "fe4890d1e6188d0b046df344706c631e"
    memory = bytes(100) + schedule(key) + os.urandom(333) + schedule(long) + bytes(1000)
    assert (aes_keys(memory, 16), aes_keys(memory, 32)) == ({key}, {long})
    spoilt = bytearray(memory)
    spoilt[100 + 90] ^= 1
    assert aes_keys(bytes(spoilt), 16) == set()
    assert aes_keys(bytes(1 << 16), 16) == set()
