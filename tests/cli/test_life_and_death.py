"""However a run ends, nobody is left running, nothing is left lying, and it is said why."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import subprocess

    from tests.conftest import App

ENDLESS = """
class Ping(Actor):
    pong = Connector("Pong")
    def constructor(self):
        print("started")
        self.pong.send(b"")
    @pong.on_message
    def again(self, cargo):
        self.pong.send(b"")

class Pong(Actor):
    ping = Connector("Ping")
    @ping.on_message
    def again(self, cargo):
        self.ping.send(b"")
"""

IDLE = """
class Idle(Actor):
    other = Connector("Other")
    def constructor(self):
        print("started")
    @other.on_message
    def on(self, cargo): ...

class Other(Actor):
    idle = Connector("Idle")
    @idle.on_message
    def on(self, cargo): ...
"""

STUCK = """
class Stuck(Actor):
    def body(self):
        print("started")
        while True:
            pass
"""


def started(app: App, *options: str) -> subprocess.Popen[str]:
    """Start the application and return once an actor has run."""
    process = app.start(*options)
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    return process


def enclaves(app: App, process: subprocess.Popen[str], count: int) -> dict[str, int]:
    """Return the processes of a running application by the names of their folders."""
    found: dict[str, int] = {}

    def look() -> bool:
        for pid in app.processes():
            with contextlib.suppress(OSError):
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                found[Path(words[-2].decode()).name] = pid
        return len(found) == count or process.poll() is not None

    assert app.wait_until(look)
    return found


def ended(app: App, process: subprocess.Popen[str]) -> tuple[str, str]:
    """Wait for the end and see that nothing is left; what was printed."""
    output = process.communicate(timeout=20)
    assert app.left_behind(process.pid) == []
    return output


@pytest.mark.parametrize("places", ["Ping:1 | Pong:2", "Ping:0 | Pong:1", "Ping:1 Pong:2", "Ping:1 Pong:1"])
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_a_busy_application(app: App, places: str, number: signal.Signals, status: int) -> None:
    """Ctrl-C is status 130; there is no traceback, and every enclave ends by itself."""
    process = started(app.write(ENDLESS, places), "--json", "outcome.json")
    process.send_signal(number)
    assert ended(app, process) == ("", "")
    assert process.returncode == status
    outcome = json.loads((app.folder / "outcome.json").read_text())
    assert {enclave["status"] for enclave in outcome["enclaves"]} == {0}


def test_ctrl_c_on_a_terminal_reaches_the_whole_group(app: App) -> None:
    """The terminal sends SIGINT to the whole process group: the enclaves are not in it."""
    process = started(app.write(ENDLESS, "Ping:1 | Pong:2"))
    os.killpg(process.pid, signal.SIGINT)
    assert ended(app, process) == ("", "")
    assert process.returncode == 130


def test_an_idle_application_hears_a_signal_at_once(app: App) -> None:
    """Sleeping workers are woken, not waited for."""
    process = started(app.write(IDLE, "Idle:1 | Other:2"))
    enclaves(app, process, 2)
    before = time.monotonic()
    process.send_signal(signal.SIGINT)
    ended(app, process)
    assert process.returncode == 130
    assert time.monotonic() - before < 1.5


def test_an_actor_in_an_endless_loop_is_killed(app: App) -> None:
    """What does not answer within the grace ends by force."""
    process = started(app.write(STUCK, "Stuck:1"))
    before = time.monotonic()
    process.send_signal(signal.SIGINT)
    ended(app, process)
    assert process.returncode == 130
    assert time.monotonic() - before < 5


def test_a_second_ctrl_c_does_not_wait(app: App) -> None:
    """Who presses Ctrl-C twice means it: the second cuts the grace short."""
    process = started(app.write(STUCK, "Stuck:1"))
    before = time.monotonic()
    process.send_signal(signal.SIGINT)
    # Sent again and again, as two signals at once are one.
    while process.poll() is None and time.monotonic() < before + 10:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(Exception):
            process.wait(timeout=0.1)
    took = time.monotonic() - before
    ended(app, process)
    assert process.returncode == 130
    assert took < 1.5


@pytest.mark.parametrize("victim", ["untrusted", "enclave-1", "enclave-2"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_an_enclave_that_is_killed(app: App, victim: str, number: signal.Signals) -> None:
    """The message says which enclave died, who was in it, and of what; status 1."""
    source = ENDLESS + "\nclass Lone(Actor):\n    def body(self): ...\n"
    process = started(app.write(source, "Ping:1 | Pong:2 | Lone:0"))
    os.kill(enclaves(app, process, 3)[victim], number)
    stdout, stderr = ended(app, process)
    title, actor = {
        "untrusted": ("untrusted", "Lone"),
        "enclave-1": ("enclave 1", "Ping"),
        "enclave-2": ("enclave 2", "Pong"),
    }[victim]
    assert (process.returncode, stdout) == (1, "")
    assert stderr == (
        f"error: {title} with {actor} was killed by {number.name}\n"
        "hint: the application cannot go on without it and has been ended\n"
    )


def test_an_enclave_that_leaves_by_itself(app: App) -> None:
    """An actor that ends its process behind our back is reported as its enclave's end."""
    app.write("import os\nclass A(Actor):\n    def body(self):\n        os._exit(5)\n", "A:1")
    process = app.start()
    _, stderr = ended(app, process)
    assert process.returncode == 1
    assert "error: enclave 1 with A exited with status 5\n" in stderr


def test_an_exception_ends_the_others(app: App) -> None:
    """When one actor fails, busy others end within the grace."""
    source = ENDLESS + "\nclass Bad(Actor):\n    def body(self):\n        raise ValueError('bad')\n"
    process = app.write(source, "Ping:1 | Pong:2 | Bad:3").start()
    _, stderr = ended(app, process)
    assert process.returncode == 1
    assert stderr.endswith("error: actor 'Bad' failed: ValueError: bad\n")


def nothing_left(app: App, launcher: int) -> bool:
    """Whether nothing is left, now or soon."""
    return app.wait_until(lambda: app.left_behind(launcher) == [], 10)


@pytest.mark.parametrize("places", ["Ping:1 | Pong:2", "Ping:0 Pong:1"])
def test_a_launcher_that_is_killed_leaves_nothing(app: App, places: str) -> None:
    """Not a process, not a file in /dev/shm, not a temporary folder."""
    process = started(app.write(ENDLESS, places))
    enclaves(app, process, 2)
    process.kill()
    process.wait()
    assert nothing_left(app, process.pid), app.left_behind(process.pid)


@pytest.mark.parametrize("seed", range(12))
def test_a_launcher_that_is_killed_while_it_starts(app: App, seed: int) -> None:
    """Killed at a random moment of its start, it leaves nothing either."""
    process = app.write(ENDLESS, "Ping:1 | Pong:2").start()
    assert app.wait_until(lambda: app.temporary_files() != [])
    moment = time.monotonic() + random.Random(seed).random() * 0.15
    while time.monotonic() < moment:
        os.sched_yield()
    process.kill()
    process.wait()
    assert nothing_left(app, process.pid), app.left_behind(process.pid)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("seed", range(5))
def test_a_signal_while_it_starts(app: App, seed: int, number: signal.Signals) -> None:
    """Interrupted at a random moment of its start, it ends with that signal's status, quietly."""
    process = app.write(ENDLESS, "Ping:1 | Pong:2").start()
    assert app.wait_until(lambda: app.temporary_files() != [])
    moment = time.monotonic() + random.Random(seed).random() * 0.15
    while time.monotonic() < moment:
        os.sched_yield()
    process.send_signal(number)
    _, stderr = ended(app, process)
    assert stderr == ""
    assert process.returncode in {130, 143, -signal.SIGTERM}


def test_the_region_loses_its_name_as_soon_as_all_have_mapped_it(app: App) -> None:
    """In a running application /dev/shm shows nothing that could be left behind."""
    process = started(app.write(ENDLESS, "Ping:1 | Pong:2"))
    assert app.wait_until(lambda: not list(Path("/dev/shm").glob(f"eactors-{process.pid}-*")))
    process.send_signal(signal.SIGINT)
    ended(app, process)


def ticks(pid: int) -> int:
    """Return the CPU time that a process has used, in clock ticks."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


@pytest.mark.parametrize("places", ["Idle:1 | Other:2", "Idle:1 Other:2", "Idle:1 Other:1"])
def test_an_idle_application_uses_no_cpu(app: App, places: str) -> None:
    """Under 1 % of a core for launcher and enclaves together, while nobody sends anything."""
    process = started(app.write(IDLE, places))
    count = 2 if "2" in places else 1
    pids = [process.pid, *enclaves(app, process, count).values()]
    # The start itself takes time: measure from when two looks in a row see no difference.
    used = [0]

    def settled() -> bool:
        used.append(sum(ticks(pid) for pid in pids))
        with contextlib.suppress(Exception):
            process.wait(timeout=0.2)
        return bool(used[-1] == used[-2])

    assert app.wait_until(settled)
    before, since = sum(ticks(pid) for pid in pids), time.monotonic()
    with contextlib.suppress(Exception):
        process.wait(timeout=2)
    spent = (sum(ticks(pid) for pid in pids) - before) / os.sysconf("SC_CLK_TCK")
    share = spent / (time.monotonic() - since)
    process.send_signal(signal.SIGINT)
    ended(app, process)
    assert share < 0.02  # twice the promise: one tick of 10 ms in 2 s is already half of it


def test_busy_actors_pay_no_system_call_per_message(app: App) -> None:
    """Two busy actors on two cores sleep and wake far less often than messages pass."""
    app.write(
        ENDLESS.replace(
            'self.pong.send(b"")\n    @',
            'self.n = 0\n        self.pong.send(b"")\n    @',
        ).replace(
            "    def again(self, cargo):\n        self.pong",
            "    def again(self, cargo):\n        self.n += 1\n"
            "        if self.n == 100_000:\n            self.exit()\n        else:\n            self.pong",
        ),
        "Ping:1 | Pong:2",
    )
    done = app.run("--json", "outcome.json")
    assert done.returncode == 0
    counters = json.loads((app.folder / "outcome.json").read_text())["counters"].values()
    received = sum(each["received"] for each in counters)
    assert received >= 199_999
    assert sum(each["sleeps"] + each["wakes"] for each in counters) < received / 10
