"""``eactors run`` as a user runs it: what comes out, in which order, and with which status."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.pingpong import PING_PONG, PLACEMENTS

if TYPE_CHECKING:
    from tests.conftest import App


@pytest.mark.parametrize("places", PLACEMENTS)
def test_the_placement_changes_nothing_that_is_seen(app: App, places: str) -> None:
    """The same source prints the same lines wherever its actors live."""
    done = app.write(PING_PONG, places).run()
    assert (done.returncode, done.stdout, done.stderr) == (0, "done after 100\n", "")


def test_long_lines_of_several_enclaves_are_never_torn(app: App) -> None:
    """Four enclaves print lines of 100 KB at once: each comes out whole, and each actor's in order."""
    app.write(
        """
        class Printer(Actor):
            def body(self):
                for number in range(10):
                    print(f"{self.name} {number} " + self.name[-1] * 100_000)
                self.stop()
        """,
        "p1:1 | p2:2 | p3:3 | p4:0",
        classes={f"p{number}": "Printer" for number in range(1, 5)},
    )
    done = app.run()
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    for name in ("p1", "p2", "p3", "p4"):
        own = [line for line in lines if line.startswith(name)]
        assert own == [f"{name} {number} " + name[-1] * 100_000 for number in range(10)]
    assert len(lines) == 40


def test_two_workers_of_one_enclave_do_not_mix_their_lines(app: App) -> None:
    """A line that one worker builds from many small writes is not broken into by the other."""
    app.write(
        """
        class Writer(Actor):
            def body(self):
                for _ in range(200):
                    for _ in range(20):
                        sys.stdout.write(self.name)
                    print()
                self.stop()
        """,
        "a:1 | b:1",
        classes={"a": "Writer", "b": "Writer"},
    )
    done = app.run()
    assert done.returncode == 0
    assert sorted(done.stdout.splitlines()) == ["a" * 20] * 200 + ["b" * 20] * 200


def test_a_line_printed_before_a_message_comes_out_before_its_receivers(app: App) -> None:
    """What two enclaves print in turn, as messages pass between them, keeps that order."""
    app.write(
        """
        class A(Actor):
            b = Connector("B")
            def constructor(self):
                self.n = 0
                self.b.send(b"0")
            @b.on_message
            def back(self, cargo):
                print("A", cargo.data.decode())
                self.n += 1
                if self.n == 200:
                    return self.stop()
                self.b.send(b"%d" % self.n)

        class B(Actor):
            a = Connector("A")
            @a.on_message
            def back(self, cargo):
                print("B", cargo.data.decode())
                self.a.send(cargo.data)
        """,
        "A:1 | B:2",
    )
    done = app.run()
    assert done.stdout == "".join(f"B {n}\nA {n}\n" for n in range(200))
    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_printed_last_without_an_end_of_line_comes_out(app: App) -> None:
    """A line that nobody ended is ended by the end; odd characters pass as they are."""
    app.write(
        """
        class Last(Actor):
            def body(self):
                print("grüße \\N{SNOWMAN} \\x1b[1m", end="")
                print("to stderr", file=sys.stderr)
                self.stop()
        """,
        "Last:1",
    )
    done = app.run()
    assert (done.returncode, done.stdout, done.stderr) == (0, "grüße ☃ \x1b[1m\n", "to stderr\n")


@pytest.mark.parametrize(
    ("statement", "status"),
    [
        ("self.exit(7)", 7),
        ("self.exit()", 0),
        ("sys.exit(3)", 3),
        ("sys.exit()", 0),
        ("sys.exit(True)", 1),
        ("sys.exit(7 + (1 << 20000))", 7),
    ],
)
@pytest.mark.parametrize("enclave", [0, 1])
def test_an_actor_chooses_the_status(app: App, statement: str, status: int, enclave: int) -> None:
    """exit(code) and sys.exit(code) end the whole application, though another never would."""
    app.write(
        f"""
        class Leaver(Actor):
            def body(self):
                {statement}

        class Eternal(Actor):
            def body(self):
                pass
        """,
        f"Leaver:{enclave} | Eternal:2",
    )
    done = app.run()
    assert (done.returncode, done.stdout, done.stderr) == (status, "", "")


@pytest.mark.parametrize("wish", ['"no such thing"', 'ValueError("no such thing")'])
def test_sys_exit_with_words_prints_them(app: App, wish: str) -> None:
    """As everywhere in Python, sys.exit("words") prints the words on stderr and is status 1."""
    app.write(f"class A(Actor):\n    def body(self):\n        sys.exit({wish})\n", "A:1")
    done = app.run()
    assert (done.returncode, done.stdout) == (1, "")
    assert "no such thing" in done.stderr
    assert "failed" not in done.stderr


def test_exit_in_a_constructor(app: App) -> None:
    """An application may find in its constructor that there is nothing to do."""
    app.write(
        "class A(Actor):\n    def constructor(self):\n        self.exit(4)\n    def body(self): ...\n", "A:1"
    )
    done = app.run()
    assert (done.returncode, done.stdout, done.stderr) == (4, "", "")


PARAMS = """
class Shower(Actor):
    params = {"count": 1, "rate": 0.5, "loud": False, "word": "hello"}

    def body(self):
        print(dict(self.params))
        self.stop()

class Free(Actor):
    def body(self):
        print(dict(self.params))
        self.stop()
"""


def test_parameters_have_the_types_of_their_defaults(app: App) -> None:
    """A deployment sets parameters; what it does not set keeps its default."""
    extra = """<param actor="Shower" name="count">12</param><param actor="Shower" name="loud">yes</param>"""
    done = app.write(PARAMS, "Shower:1", extra).run()
    assert done.stdout == "{'count': 12, 'rate': 0.5, 'loud': True, 'word': 'hello'}\n"
    assert (done.returncode, done.stderr) == (0, "")


def test_the_command_line_overrides_the_deployment(app: App) -> None:
    """--param can be repeated, and wins."""
    app.write(PARAMS, "Shower:1", '<param actor="Shower" name="count">12</param>')
    done = app.run("--param", "Shower.count=3", "--param", "Shower.rate=2", "--param", "Shower.word=a=b c")
    assert done.stdout == "{'count': 3, 'rate': 2.0, 'loud': False, 'word': 'a=b c'}\n"
    assert done.returncode == 0


def test_a_class_without_defaults_takes_any_parameter(app: App) -> None:
    """A whole number comes as an int, anything else as a text."""
    done = app.write(PARAMS, "Free:1", '<param actor="Free" name="n">-4</param>').run("--param", "Free.s=x 1")
    assert (done.returncode, done.stdout) == (0, "{'n': -4, 's': 'x 1'}\n")
