"""Actors that fail, machines that refuse, options that are wrong: each with its own message."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.refusals import PAIR, edited, pair, refused

if TYPE_CHECKING:
    from tests.conftest import App


@pytest.mark.parametrize("place", ["Ping:0 | Pong:2", "Ping:1 | Pong:2", "Ping:1 Pong:1", "Ping:1 Pong:2"])
def test_a_handler_that_raises(app: App, place: str) -> None:
    """The traceback shows the user's file and line, and nothing of the runtime."""
    app.write(
        """
        class Ping(Actor):
            pong = Connector("Pong")
            def constructor(self):
                self.pong.send(b"x")

        class Pong(Actor):
            ping = Connector("Ping")
            @ping.on_message
            def on(self, cargo):
                self.deeper(cargo)
            def deeper(self, cargo):
                raise ValueError("no good")
        """,
        place,
    )
    done = app.run()
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "Traceback (most recent call last):\n"
        f'  File "{app.source}", line {app.line_of("self.deeper(cargo)")}, in on\n    self.deeper(cargo)\n'
        f'  File "{app.source}", line {app.line_of("raise")}, in deeper\n    raise ValueError("no good")\n'
        "error: actor 'Pong' failed: ValueError: no good\n"
    )


def test_a_constructor_that_raises(app: App) -> None:
    """As for a handler; the chain of causes is shown."""
    app.write(
        """
        class A(Actor):
            def constructor(self):
                try:
                    {}["key"]
                except KeyError as error:
                    raise RuntimeError("outer") from error
        """,
        "A:1",
    )
    done = app.run()
    assert (done.returncode, done.stdout) == (1, "")
    assert "KeyError: 'key'" in done.stderr
    assert done.stderr.endswith("error: actor 'A' failed: RuntimeError: outer\n")
    assert f"line {app.line_of('raise RuntimeError')}, in constructor" in done.stderr


def test_an_init_that_raises(app: App) -> None:
    """An actor's own __init__ is the application's code, too."""
    app.write("class A(Actor):\n    def __init__(self):\n        raise OSError('none')\n", "A:1")
    done = app.run()
    assert (done.returncode, done.stdout) == (1, "")
    assert "OSError: none" in done.stderr
    assert f"line {app.line_of('raise OSError')}, in __init__" in done.stderr
    assert "error: actor 'A' failed" in done.stderr


def test_an_exception_that_cannot_be_shown(app: App) -> None:
    """An exception whose own text raises is reported all the same."""
    app.write(
        """
        class Odd(Exception):
            def __str__(self):
                raise TypeError
        class A(Actor):
            def body(self):
                raise Odd
        """,
        "A:1",
    )
    done = app.run()
    assert done.returncode == 1
    assert "error: actor 'A' failed: Odd: (its message cannot be shown)" in done.stderr


@pytest.mark.parametrize(
    "exception", ["KeyboardInterrupt", "GeneratorExit", "BaseException('b')", "MemoryError"]
)
def test_odd_exceptions_fail_the_actor(app: App, exception: str) -> None:
    """Whatever leaves an actor ends the application with status 1 and the actor's name."""
    app.write(f"class A(Actor):\n    def body(self):\n        raise {exception}\n", "A:1")
    done = app.run()
    assert done.returncode == 1
    assert f"error: actor 'A' failed: {exception.partition('(')[0]}" in done.stderr


@pytest.mark.parametrize("place", ["Ping:1 | Pong:2", "Ping:1 Pong:1"])
def test_a_send_from_a_stopped_actor(app: App, place: str) -> None:
    """stop() comes after the last message."""
    source = PAIR.replace("self.exit()", "self.stop()\n        self.pong.send(b'')")
    done = app.write(source, place).run()
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith(
        "error: actor 'Ping' failed: ActorStopped:"
        " actor 'Ping' has stopped and can send nothing more to 'Pong'\n"
        "hint: send before stop()\n"
    )


def test_a_message_that_is_no_bytes(app: App) -> None:
    """The type is named."""
    done = app.write(PAIR.replace("self.exit()", "self.pong.send('text')"), "Ping:1 | Pong:2").run()
    assert done.returncode == 1
    assert "TypeError: actor 'Ping' sends str to 'Pong'; a message is bytes" in done.stderr


def test_a_cpu_that_this_machine_lacks(app: App) -> None:
    """A warning on stderr, and the application runs."""
    edited(pair(app), "<cpu>1</cpu>", "<cpu>1</cpu><cpu>4000</cpu>")
    done = app.run()
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "warning: worker 1: this machine has no CPU 4000\n"


def test_only_cpus_that_this_machine_lacks(app: App) -> None:
    """Then the worker runs where it can."""
    edited(pair(app), "<cpu>1</cpu>", "<cpu>4001</cpu><cpu>4000</cpu>")
    done = app.run()
    assert done.returncode == 0
    assert done.stderr == "warning: worker 1: this machine has no CPU 4000, 4001\n"


def test_too_little_shared_memory(app: App) -> None:
    """What is needed and what is free are said; nothing is left behind."""
    extra = '<channel between="Ping Pong" capacity="65536" node-size="268435456"/>'
    process = app.write(PAIR, "Ping:1 | Pong:2", extra).start()
    stdout, stderr = process.communicate(timeout=20)
    assert (process.returncode, stdout) == (2, "")
    assert stderr.startswith("error: cannot reserve ")
    assert " KiB of shared memory in /dev/shm: " in stderr
    assert " KiB are free there; lower capacity= or node-size= of channels\n" in stderr
    needed = int(stderr.split()[3])
    assert needed > 65536 * 268435456 >> 10
    assert app.left_behind(process.pid) == []


def test_a_little_more_than_the_shared_memory_there_is(app: App) -> None:
    """The room is reserved before anything starts: no enclave is killed by a write that finds none."""
    import shutil  # noqa: PLC0415

    size = 2**28
    capacity = 1 << (shutil.disk_usage("/dev/shm").free // size).bit_length()
    extra = f'<channel between="Ping Pong" capacity="{capacity}" node-size="{size}"/>'
    process = app.write(PAIR, "Ping:1 | Pong:2", extra).start()
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "error: cannot reserve " in stderr
    assert app.left_behind(process.pid) == []


@pytest.mark.parametrize("missing", ["source", "deployment"])
def test_a_file_that_is_missing(app: App, missing: str) -> None:
    """Which one, and why."""
    pair(app)
    (app.source if missing == "source" else app.deployment).unlink()
    words = {
        "source": (f"cannot read {app.source}: No such file or directory", "give the path of a Python file"),
        "deployment": (
            "app.xml: cannot read the deployment: No such file or directory",
            "give the path of a deployment XML file",
        ),
    }
    refused(app.run(), *words[missing])


def test_a_file_of_zeros_as_source(app: App) -> None:
    """Binary rubbish is no Python."""
    pair(app)
    app.source.write_bytes(bytes(100))
    done = app.run()
    assert (done.returncode, done.stdout) == (2, "")
    assert f"error: {app.source} cannot be imported: " in done.stderr


@pytest.mark.parametrize("text", ["rounds=1", "Ping.rounds", "=", ".=1", "Ping.=1", ".rounds=1"])
def test_a_param_option_of_another_form(app: App, text: str) -> None:
    """The form is shown."""
    refused(
        pair(app).run("--param", text),
        f"--param {text!r} is no ACTOR.NAME=VALUE",
        "for example --param Ping.rounds=10",
    )


PARAMS = PAIR.replace("    pong =", '    params = {"rounds": 5}\n    pong =')


def test_a_param_option_for_an_unknown_actor(app: App) -> None:
    """The actor is guessed."""
    app.write(PARAMS, "Ping:1 | Pong:2")
    refused(
        app.run("--param", "Pig.rounds=1"),
        "--param: there is no actor 'Pig' to give parameter 'rounds' to",
        "did you mean 'Ping'? the placed actors are Ping, Pong",
    )


def test_a_param_option_with_an_unknown_name(app: App) -> None:
    """The name is guessed."""
    app.write(PARAMS, "Ping:1 | Pong:2")
    refused(
        app.run("--param", "Ping.round=1"),
        "--param: actor 'Ping' has no parameter 'round'; it has rounds",
        "did you mean 'rounds'? add 'round' to Ping.params",
    )


def test_a_param_of_another_type(app: App) -> None:
    """From the option, and from the deployment with its line."""
    app.write(PARAMS, "Ping:1 | Pong:2", '<param actor="Ping" name="rounds">many</param>\n')
    words = "parameter 'rounds' of actor 'Ping' is 'many', which is no int"
    hint = "its default is 5: give a value of the same type"
    refused(app.run(), f"app.xml:14: {words}", hint)
    refused(app.run("--param", "Ping.rounds=much"), f"--param: {words.replace('many', 'much')}", hint)


def test_a_json_file_that_cannot_be_written(app: App) -> None:
    """Said as an error, not as a traceback."""
    done = pair(app).run("--json", "no/such/folder.json")
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


BREAKERS = {
    "open('/etc/hostname')": "cannot call open('/etc/hostname') from inside an enclave",
    "os.listdir('/')": "cannot call os.listdir('/') from inside an enclave",
    "socket.socket()": "cannot call socket.socket(",
    "os.stat('/')": "made a system call that its enclave refuses",
}


@pytest.mark.parametrize("statement", BREAKERS)
def test_the_sandbox_names_the_actor_and_the_way_out(app: App, statement: str) -> None:
    """An actor in an enclave that opens a file or a socket is refused; untrusted, it is not."""
    source = (
        f"import os, socket\nclass A(Actor):\n    def body(self):\n        {statement}\n        self.stop()\n"
    )
    done = app.write(source, "A:1").run()
    assert (done.returncode, done.stdout) == (1, "")
    assert f"    {statement}\n" in done.stderr
    assert f"SandboxViolation: actor 'A' {BREAKERS[statement]}" in done.stderr
    assert done.stderr.endswith(
        "hint: use a system actor, or place this one in enclave 0, the untrusted side\n"
    )
    assert app.write(source, "A:0").run().returncode == 0


def test_a_refusal_is_a_permission_error(app: App) -> None:
    """An actor may catch it as what the operating system would raise, and go on."""
    app.write(
        """
        class A(Actor):
            def body(self):
                try:
                    open("/etc/passwd")
                except PermissionError as error:
                    print(type(error).__name__, error.actor, error.errno)
                self.stop()
        """,
        "A:1",
    )
    done = app.run()
    assert (done.returncode, done.stdout, done.stderr) == (0, "SandboxViolation A 1\n", "")


def test_a_late_import(app: App) -> None:
    """The message says where the import belongs."""
    app.write("class A(Actor):\n    def body(self):\n        import decimal\n", "A:1")
    done = app.run()
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        "actor 'A' cannot import decimal: an enclave loads no code once its actors are constructed"
        in done.stderr
    )
    assert done.stderr.endswith("hint: put 'import decimal' at the top of the source file\n")


def test_without_the_sandbox(app: App) -> None:
    """--no-sandbox warns, and lets actors do what any process may."""
    app.write(
        "class A(Actor):\n    def body(self):\n        open('/etc/passwd').close()\n        self.stop()\n",
        "A:1",
    )
    done = app.run("--no-sandbox")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("warning: --no-sandbox: enclaves are ordinary processes")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("how", ["", "--no-sandbox"])
def test_an_environment_of_the_host_does_not_reach_an_enclave(app: App, how: str) -> None:
    """Neither variables, nor descriptors, nor modules of the launcher are inherited."""
    app.write(
        """
        import os
        class A(Actor):
            def constructor(self):
                print(dict(os.environ), sorted(os.listdir("/proc/self/fd"))[:3], "click" in sys.modules)
                self.exit()
        """,
        "A:1",
    )
    done = app.run(*[how] if how else [])
    assert done.stdout.startswith("{")
    variables, rest = done.stdout.split("}", 1)
    assert "TMPDIR" not in variables
    assert "PATH" not in variables
    assert rest == " ['0', '1', '2'] False\n"
