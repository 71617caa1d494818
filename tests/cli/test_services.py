"""System actors as applications use them: run by ``eactors run``, in enclaves and out of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest
from tests.conftest import all_processes, command_line

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import App

IMPORT = "from eactors.services import *\n"
WRITE = '<directory name="data" path="data" access="write"/>'
READ = '<directory name="data" path="data"/>'


@pytest.fixture
def data(app: App) -> Path:
    """The directory that deployments of these tests grant."""
    folder = app.folder / "data"
    folder.mkdir()
    return folder


TIMERS = """
class A(Actor):
    clock = Clock()
    def constructor(self):
        self.heard = []
        self.clock.after(0.03, lambda: self.hear("after"))
        self.clock.after(60.0, lambda: self.hear("never")).cancel()
        self.ticker = self.clock.every(0.005, self.tick)
        self.clock.time().then(self.told)
    def told(self, time):
        wall, self.start = time
        self.clock.at(wall + 0.06, lambda: self.hear("at"))
    def tick(self):
        if self.ticker.times >= 3:
            self.ticker.cancel()
    def hear(self, what):
        self.heard.append(what)
        if what == "at":
            self.clock.time().then(self.over)
    def over(self, time):
        print(self.heard, self.ticker.times < 20, 0.06 <= time[1] - self.start + 0.001)
"""


@pytest.mark.parametrize("places", ["A:1", "A:0"])
def test_timers(app: App, places: str) -> None:
    """Once, again and again, at a time of day; and an actor whose timers are all through has ended."""
    done = app.write(IMPORT + TIMERS, places).run()
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "['after', 'at'] True True\n")


FILES = """
class A(Actor):
    files = Files()
    def constructor(self):
        self.content = bytes(range(256)) * 3000
        self.files.make_directory("data/d").then(self.made)
    def made(self, _):
        self.files.write("data/d/a", self.content, sync=True).then(self.wrote)
    def wrote(self, _):
        self.files.append("data/d/a", b"end").then(lambda _: self.files.read("data/d/a").then(self.read))
    def read(self, content):
        print("read", content == self.content + b"end")
        self.files.rename("data/d/a", "data/b").then(lambda _: self.files.list("data").then(self.listed))
    def listed(self, entries):
        print(entries)
        self.files.read("data/none").then(print, self.failed)
    def failed(self, error):
        print(type(error).__name__, error.errno, error)
        self.files.open("data/b", "r+").then(self.opened)
    def opened(self, file):
        file.write(1, b"XYZ")
        file.truncate(5)
        file.read(0, 100).then(print)
        file.close()
        self.files.remove("data/d")
        self.files.stat("data/b").then(lambda stat: print(stat.kind, stat.size))
"""


@pytest.mark.parametrize("places", ["A:1", "A:0"])
def test_files(app: App, data: Path, places: str) -> None:
    """Whole ones and parts of them, directories, failures; in the order in which they were asked for."""
    done = app.write(IMPORT + FILES, places, WRITE).run()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "read True",
        "(Entry('b', 'file'), Entry('d', 'directory'))",
        "SystemActorError 2 open data/none: No such file or directory",
        r"b'\x00XYZ\x04'",
        "file 5",
    ]
    assert [path.name for path in data.iterdir()] == ["b"]


def test_a_built_deployment_opens_the_same_directory_from_anywhere(app: App, data: Path) -> None:
    """The path is relative to the deployment file, not to whoever runs it."""
    source = """
    class A(Actor):
        files = Files()
        def constructor(self):
            self.files.read("data/a").then(print)
    """
    app.write(IMPORT, "A:1", READ)
    app.source.write_text(app.source.read_text() + "\n".join(line[4:] for line in source.splitlines()))
    (data / "a").write_text("here")
    built = app.run("-o", "built", command="build")
    assert built.returncode == 0, built.stderr
    elsewhere = app.folder / "elsewhere"
    elsewhere.mkdir()
    done = app.run_in(elsewhere, "run", "../built")
    assert (done.returncode, done.stdout) == (0, "b'here'\n")


@pytest.mark.parametrize("mode", ["missing", "file"])
def test_a_directory_that_is_not_there(app: App, mode: str) -> None:
    """Refused before anything starts, by name, with what to do."""
    if mode == "file":
        (app.folder / "data").write_text("")
    done = app.write(IMPORT + "class A(Actor):\n    files = Files()\n", "A:1", READ).run()
    what = "does not exist" if mode == "missing" else "is no directory"
    assert f"error: the directory 'data' of the deployment, {app.folder}/data, {what}" in done.stderr
    assert "mkdir -p" in done.stderr
    assert done.returncode != 0
    assert done.stdout == ""


def test_two_actors_have_directories_of_their_own(app: App, data: Path) -> None:
    """One name, two places; and what one may write the other cannot even see."""
    (app.folder / "other").mkdir()
    (data / "who").write_text("for A")
    (app.folder / "other" / "who").write_text("for B")
    app.write(
        IMPORT
        + """class A(Actor):
    files = Files()
    def constructor(self):
        self.files.read("mine/who").then(lambda data: print(self.name, data.decode()))
        self.files.write("mine/who", b"").then(print, lambda error: print(self.name, error.reason))
class B(A):
    pass
""",
        "A:1 | B:2",
        '<directory name="mine" path="data" actor="A"/><directory name="mine" path="other" actor="B"/>',
    )
    done = app.run()
    assert (done.returncode, done.stderr) == (0, "")
    refused = "the deployment grants the directory 'mine' for reading only"
    assert sorted(done.stdout.splitlines()) == ["A for A", f"A {refused}", "B for B", f"B {refused}"]


LINES = """
class A(Actor):
    console = Console()
    params = {"lines": 2}
    def constructor(self):
        self.console.read_line().then(self.line)
    def line(self, line):
        if line is None:
            self.console.write(f"{self.name} has heard the end\\n")
            return
        self.console.write(f"{self.name} {line}\\n").then(lambda _: self.console.read_line().then(self.line))
"""


@pytest.mark.parametrize("how", ["pipe", "file", "nothing"])
def test_lines_of_standard_input(app: App, how: str) -> None:
    """Two actors take turns, each line goes to one, and both hear of the end."""
    app.write(IMPORT + LINES, "a:1 | b:2", classes={"a": "A", "b": "A"})
    text = "".join(f"line {number}\n" for number in range(20)) + "last"
    if how == "file":
        (app.folder / "input").write_text(text)
        with (app.folder / "input").open() as file:
            process = app.start(stdin=file.fileno())
        out, err = process.communicate(timeout=30)
    elif how == "pipe":
        process = app.start(stdin=subprocess.PIPE)
        out, err = process.communicate(text, timeout=30)
    else:
        process = app.start()
        out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")
    lines = out.splitlines()
    assert {"a has heard the end", "b has heard the end"} <= set(lines)
    read = [line.split(" ", 1)[1] for line in lines if not line.endswith("the end")]
    assert sorted(read) == ([] if how == "nothing" else sorted(text.splitlines()))


def test_input_is_left_alone_where_no_actor_reads(app: App) -> None:
    """Whoever runs the application next in the same shell finds it."""
    app.write("class A(Actor):\n    def constructor(self): print('over')\n", "A:1")
    (app.folder / "input").write_text("kept\n")
    with (app.folder / "input").open() as file:
        process = app.start(stdin=file.fileno())
        out, _ = process.communicate(timeout=30)
        assert (out, os.lseek(file.fileno(), 0, os.SEEK_CUR)) == ("over\n", 0)


def test_a_named_pipe_to_an_ordinary_program(app: App, data: Path) -> None:
    """Ten megabytes through a pipe that holds 64 KiB, both ways, and the end behind them."""
    app.write(
        IMPORT
        + """class A(Actor):
    pipes = Pipes()
    def constructor(self):
        self.got = 0
        self.pipes.make("data/in").then(lambda _: self.pipes.make("data/out").then(self.made))
    def made(self, _):
        print("made", flush=True)
        self.pipes.open("data/out", "write").then(self.opened)
    def opened(self, pipe):
        pipe.write(b"x" * 10_000_000).then(lambda _: pipe.close().then(self.closed))
    def closed(self, _):
        self.pipes.open("data/in", "read").then(self.reading)
    def reading(self, pipe):
        self.pipe = pipe
        pipe.read().then(self.read)
    def read(self, data):
        self.got += len(data)
        if data:
            self.pipe.read().then(self.read)
        else:
            print("got", self.got)
""",
        "A:1",
        WRITE,
    )
    process = app.start()
    assert process.stdout is not None
    assert process.stdout.readline() == "made\n"
    with (data / "out").open("rb") as out:
        content = out.read()
    assert content == b"x" * 10_000_000
    with (data / "in").open("wb") as back:
        back.write(content)
    out_text, err = process.communicate(timeout=30)
    assert (process.returncode, out_text, err) == (0, "got 10000000\n", "")


def test_an_actor_ends_when_nothing_can_come(app: App, data: Path) -> None:
    """Its peers have finished and it awaits nothing: it has no need to call stop()."""
    app.write(
        IMPORT
        + """class Teller(Actor):
    log = Connector("Log")
    def constructor(self):
        for number in range(100):
            self.log.send(b"%d\\n" % number)
        self.stop()

class Log(Actor):
    teller = Connector("Teller")
    files, clock = Files(), Clock()
    @teller.on_message
    def told(self, cargo):
        self.files.append("data/log", cargo.data).then(lambda _: None)
""",
        "Teller:1 | Log:2",
        WRITE,
    )
    done = app.run()
    assert (done.returncode, done.stderr) == (0, "")
    assert (data / "log").read_text() == "".join(f"{number}\n" for number in range(100))


def system_process(app: App) -> int | None:
    """The process of the system actors of this application's run."""
    for pid in all_processes():
        words = command_line(pid)
        if b"eactors.system" in words and os.fsencode(app.temporary) in words:
            return pid
    return None


READY = """
class A(Actor):
    clock = Clock()
    def constructor(self):
        self.clock.after(0, lambda: print("ready"))
        self.clock.after(3600, print)
"""


def test_a_killed_system_actor_ends_the_run(app: App) -> None:
    """It is said what has ended, and nobody and nothing is left."""
    app.write(IMPORT + READY, "A:1")
    process = app.start()
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    pid = system_process(app)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "error: system actors was killed by signal 9" in err.replace("SIGKILL", "signal 9"), err
    assert app.wait_until(lambda: app.left_behind(process.pid) == [])


def test_a_killed_launcher_takes_the_system_actors_along(app: App) -> None:
    """No process outlives the run."""
    app.write(IMPORT + READY, "A:1")
    process = app.start()
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.kill()
    process.wait()
    assert app.wait_until(lambda: app.left_behind(process.pid) == [])


SECRET = """
class A(Actor):
    secret = True
    files = Files({})
"""


def test_a_secret_actor_has_to_say_why(app: App, data: Path) -> None:
    """What it asks a system actor for is the host's to read; `eactors check` shows the reason."""
    refused = app.write(IMPORT + SECRET.format(""), "A:1", READ).run()
    assert refused.returncode == 2
    assert (
        "actor 'A' is secret, but A.files tells the system actor 'files', which is the host's"
        in refused.stderr
    )
    assert data.exists()
    app.write(IMPORT + SECRET.format('declassify="sealed before"'), "A:1", READ)
    assert app.run().returncode == 0
    assert "declassified: sealed before" in app.check().stdout


def test_check_shows_system_actors_and_directories(app: App) -> None:
    """In words, and as JSON; the directory need not be there."""
    extra = '<directory name="data" path="data" access="write"/><directory name="x" path="/x" actor="A"/>'
    app.write(IMPORT + "class A(Actor):\n    files = Files()\n", "A:1", extra)
    shown = app.check()
    assert (shown.returncode, shown.stderr) == (0, "")
    for line in (
        "A.files - system files: plain, the host reads it",
        f"data: {app.folder}/data, which all actors may read and write",
        "x: /x, which A may read",
    ):
        assert line in shown.stdout
    plan = json.loads(app.check("--json").stdout)
    assert plan["directories"] == [
        {"name": "data", "path": f"{app.folder}/data", "access": "write", "actor": None},
        {"name": "x", "path": "/x", "access": "read", "actor": "A"},
    ]
    assert [each["system"] for each in plan["system_actors"]] == ["files"]
