"""Where the secrets of a running application are: searched for, byte by byte."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.conftest import all_processes, command_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import App

# In the source each is written in two halves, so that finding it whole means that an actor made it.
CONSTANT, PLAINTEXT = b"constant-of-alice-8f1d20c7", b"plaintext-for-bob-77aa03e9"
SOURCE = """
CONSTANT = "constant-of-alice-" + "8f1d20c7"

class Alice(Actor):
    bob = Connector("Bob")
    def constructor(self):
        self.kept = CONSTANT.encode() + b"!"
        self.text = b"plaintext-for-bob-" + b"77aa03e9"
        self.bob.send(self.text)
    def body(self):
        pass

class Bob(Actor):
    alice = Connector("Alice")
    @alice.on_message
    def got(self, cargo):
        self.text = cargo.data
        print("ready", len(self.text))

class Idle(Actor):
    def body(self):
        pass
"""


def memory(pid: int) -> Iterator[bytes]:
    """Yield the readable memory of a process, mapping by mapping."""
    maps = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8", errors="surrogateescape")
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as file:
        for line in maps.splitlines():
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line)
            if found is None or "[v" in line:
                continue
            start, end = (int(address, 16) for address in found.groups())
            try:
                file.seek(start)
                yield file.read(end - start)
            except (OSError, ValueError, OverflowError):
                continue


def holds(pid: int, secret: bytes) -> bool:
    """Whether a process has these bytes anywhere."""
    return any(secret in part for part in memory(pid))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can read the memory of enclaves")
def test_secrets_are_where_they_belong_and_nowhere_else(app: App) -> None:
    """Not in shared memory, another enclave or its image, the untrusted side, the launcher, guard or CPU."""
    app.write(SOURCE, "Alice:1 | Bob:2 Idle:0")
    process = app.start()
    assert process.stdout is not None
    assert process.stdout.readline() == f"ready {len(PLAINTEXT)}\n"

    homes = {
        name: pid for pid in app.processes() if (name := command_line(pid).rsplit(b"/", 1)[-1].strip(b"\0"))
    }
    alice, bob, untrusted = homes[b"enclave-1"], homes[b"enclave-2"], homes[b"untrusted"]
    others = {pid for pid in all_processes() if b"eactors.cpu" in command_line(pid)} | {
        process.pid,
        untrusted,
    }
    # The control: the search finds what is there.
    assert holds(alice, CONSTANT)
    assert holds(alice, PLAINTEXT)
    assert holds(bob, PLAINTEXT)
    # Shared memory is mapped into all of them, so this searches it, too.
    assert not holds(bob, CONSTANT)
    for pid in others:
        # Those of other tests that run beside this one may end meanwhile.
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):
            assert not holds(pid, CONSTANT), command_line(pid)
            assert not holds(pid, PLAINTEXT), command_line(pid)
    root = (Path(os.environ["XDG_STATE_HOME"]) / "eactors/cpu-secret").read_bytes()
    for pid in (alice, bob, untrusted, process.pid):
        assert not holds(pid, root), command_line(pid)
    process.kill()


def test_no_other_image_holds_a_secret(app: App) -> None:
    """A constant, and a class, that only one enclave's actors use."""
    app.write(SOURCE, "Alice:1 | Bob:2 Idle:0")
    built = app.folder / "built"
    assert app.run("-o", str(built), command="build").returncode == 0
    for name, expected in (("enclave-1", True), ("enclave-2", False), ("untrusted", False)):
        found = [
            file for file in (built / name).rglob("*") if file.is_file() and b"8f1d20c7" in file.read_bytes()
        ]
        assert bool(found) == expected, found
    assert (
        b"8f1d20c7" not in (built / "deployment.json").read_bytes() + (built / "manifest.json").read_bytes()
    )
