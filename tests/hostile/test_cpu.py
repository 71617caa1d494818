"""Enclaves that attack the software CPU, or each other through it."""

from __future__ import annotations

import _socket
import errno
import os
import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.enclaves import Launcher

from eactors.cpu.structures import Body

if TYPE_CHECKING:
    from collections.abc import Iterator

OWN_REPORT = "ask(b'\\1' + bytes(512 + 64))"


@pytest.fixture
def launcher(tmp_path: Path) -> Iterator[Launcher]:
    """A launcher with a CPU."""
    with Launcher(tmp_path) as launcher:
        yield launcher


def healthy(launcher: Launcher, name: str = "healthy") -> bool:
    """Whether a new enclave gets its own identity."""
    enclave = launcher.run(f"say({OWN_REPORT})", name)
    measurement = Body.parse(enclave.said()[1:385]).measurement
    return measurement == bytes.fromhex(enclave.answer["measurement"])


def test_garbage_is_answered_with_words(launcher: Launcher) -> None:
    """Random requests of any length get an answer each; nothing of the CPU's leaks, nothing breaks."""
    seed = 31
    print(f"seed {seed}")  # noqa: T201
    rand = random.Random(seed)
    sizes = (1, 2, 64, 65, 512, 513, 576, 577, 578, 1024)
    requests = [rand.randbytes(rand.choice(sizes)) for _ in range(200)]
    requests += [bytes([code]) + rand.randbytes(size) for code in range(6) for size in (0, *sizes)]
    requests += [bytes(1025), bytes(60000), b"\4\0"]
    enclave = launcher.run(
        f"""
for request in {requests!r}:
    answer = ask(request)
    assert answer[0] == 0 or answer[0] == 1 and answer[1:].decode("ascii").isprintable(), (request, answer)
say("done")
"""
    )
    assert enclave.said() == "done"
    assert healthy(launcher)


def test_a_flood_that_is_never_read_delays_nobody(launcher: Launcher) -> None:
    """Its answers pile up until its own socket is full; then only its own requests wait."""
    flood = launcher.run(
        """
os.set_blocking(3, False)
sent = 0
while True:
    try:
        os.write(3, b"\\1" + bytes(576))
        sent += 1
    except BlockingIOError:
        if sent:
            say("full")
            break
while True:
    os.sched_yield()
""",
        "flood",
    )
    assert flood.said() == "full"
    assert healthy(launcher)


def test_a_flood_is_answered_in_order(launcher: Launcher) -> None:
    """Many requests before the first answer is read: none is lost, none overtakes."""
    enclave = launcher.run(
        """
for i in range(20):
    os.write(3, b"\\1" + bytes(512) + bytes([i]) * 64)
say([os.read(3, 1000)[321] for i in range(20)])
"""
    )
    assert enclave.said() == list(range(20))


def test_many_enclaves_at_once_each_get_their_own(launcher: Launcher) -> None:
    """All ask at the same time, again and again; every report is of the one that asked."""
    program = f"""
said = {{ {OWN_REPORT}[65:97] for i in range(300) }}
say(said)
"""
    enclaves = [launcher.run(f"{program}# {number}\n", f"enclave-{number}") for number in range(6)]
    for enclave in enclaves:
        assert enclave.said() == {bytes.fromhex(enclave.answer["measurement"])}
    assert len({enclave.answer["measurement"] for enclave in enclaves}) == 6


def test_an_enclave_cannot_name_another(launcher: Launcher) -> None:
    """The target of a report, or a key request, says nothing of who asks: a fork asks as its parent."""
    enclave = launcher.run(
        f"""
pid = os.fork()
if not pid:
    say({OWN_REPORT})
    os._exit(0)
os.waitpid(pid, 0)
"""
    )
    assert Body.parse(enclave.said()[1:385]).measurement.hex() == enclave.answer["measurement"]


def test_the_end_of_an_enclave_is_no_concern_of_others(launcher: Launcher) -> None:
    """Killed, closed, or with a farewell in the middle of its requests."""
    for number, how in enumerate(
        (
            "os.write(3, b'\\1' + bytes(576)); os.kill(os.getpid(), 9)",
            "os.close(3); say(0)",
            "os.write(3, b'')",
            "os.write(3, b'\\1' + bytes(576)); os.write(3, b'')",
        )
    ):
        launcher.run(how, f"enclave-{number}").wait()
        assert healthy(launcher, f"healthy-{number}")


def test_descriptors_sent_to_the_cpu_are_dropped(launcher: Launcher) -> None:
    """An enclave cannot fill the CPU's table of descriptors by sending its own."""
    home = f"/proc/{launcher.process.pid}/fd"
    if not os.access(home, os.R_OK):
        pytest.skip("only root may list the descriptors of the CPU")
    assert healthy(launcher)
    before = len(list(Path(home).iterdir()))
    enclave = launcher.run(
        """
import _socket
end = _socket.socket(fileno=3)
passed = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, bytes(80))
for i in range(50):
    end.sendmsg([b"\\1" + bytes(576)], [passed])
    assert len(os.read(3, 1000)) == 433
say("sent")
while True:
    os.sched_yield()
""",
        "sender",
        modules=[_socket],
    )
    assert enclave.said() == "sent"
    # The sender's own socket is one more, and that of the first enclave may be gone by now.
    assert len(list(Path(home).iterdir())) <= before + 1


def test_nobody_of_the_same_user_looks_into_the_cpu(launcher: Launcher) -> None:
    """It is not dumpable: its memory, with the root secret, belongs to nobody's debugger."""
    assert healthy(launcher)
    if os.geteuid() == 0:
        pytest.skip("root may look at everything")
    with pytest.raises(PermissionError) as info, Path(f"/proc/{launcher.process.pid}/mem").open("rb"):
        pass
    assert info.value.errno == errno.EACCES
