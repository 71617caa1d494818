"""Wrong deployments and sources: each with its own message, and nothing started."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.refusals import PAIR, edited, pair, refused

if TYPE_CHECKING:
    from tests.conftest import App


def test_an_actor_that_the_source_lacks(app: App) -> None:
    """The deployment declares and places an actor that no class is."""
    app.write(PAIR, "Ping:1 | Pong:2 Pang:2")
    done = app.run()
    assert done.returncode == 2
    assert (
        "error: app.xml:5: app.py has no actor 'Pang'; it has Ping, Pong\nhint: did you mean 'P"
        in done.stderr
    )


def test_a_placed_actor_that_is_not_declared(app: App) -> None:
    """An enclave holds a name that the declarations lack."""
    edited(pair(app), "<actor>Pong</actor>", "<actor>Pogn</actor>")
    refused(
        app.run(),
        "app.xml:11: unknown actor 'Pogn': an enclave holds it, but it is not declared",
        "did you mean 'Pong'? declare it in the <actors> below <data>, or delete it from the enclave",
    )


def test_a_class_that_the_source_lacks(app: App) -> None:
    """<class> names nothing."""
    app.write(PAIR, "Ping:1 | Pong:2", classes={"Pong": "Pnog"})
    refused(app.run(), "app.xml:4: app.py has no class 'Pnog'; it has Ping, Pong", "did you mean 'Pong'?")


def test_an_actor_without_a_worker(app: App) -> None:
    """An actor declared and not placed does not run; whoever needs it is told."""
    edited(pair(app), "<enclave><id>2</id><actors><actor>Pong</actor></actors></enclave>\n", "")
    done = app.run()
    assert done.returncode == 2
    assert done.stderr.startswith("error: app.xml:10: worker 1 has no enclave")
    app.write(PAIR, "Ping:1")
    refused(
        app.run(),
        "app.xml:3: Ping.pong of actor 'Ping' names 'Pong', which is not placed",
        "place 'Pong' on a worker",
    )


def test_a_setting_of_an_actor_without_a_worker(app: App) -> None:
    """A parameter for an actor that is declared and would not run."""
    app.write("class A(Actor): ...\nclass B(Actor): ...\n", "A:1", '<param actor="B" name="n">1</param>')
    edited(app, "</actors>\n<servers>", "<actor><id>7</id><name>B</name></actor></actors>\n<servers>")
    done = app.run()
    assert done.returncode == 2
    assert "<param> names the actor 'B', which has no worker" in done.stderr


def test_an_actor_placed_twice(app: App) -> None:
    """Both lines are named."""
    edited(pair(app), "<actor>Pong</actor>", "<actor>Pong</actor><actor>Ping</actor>")
    refused(
        app.run(),
        "app.xml:11: actor 'Ping' is placed twice: here and in line 8",
        "an actor runs in exactly one place; delete one of the two",
    )


def test_an_enclave_id_that_is_no_number(app: App) -> None:
    """The value is shown with what would be right."""
    edited(pair(app), "<id>2</id>", "<id>two</id>")
    refused(app.run(), "app.xml:11: <id> is not a number: 'two'", "write a number from 0 to 65535")


def test_a_malformed_file(app: App) -> None:
    """The parser's words, the line, and the rule."""
    edited(pair(app), "</workers>", "</worker>")
    done = app.run()
    assert done.returncode == 2
    assert done.stderr.startswith("error: app.xml:13: malformed XML: Opening and ending tag mismatch")
    assert "\nhint: every element must be closed" in done.stderr


def test_an_external_entity(app: App) -> None:
    """Never resolved: not a byte of the file that it names comes out."""
    secret = app.folder / "secret"
    secret.write_text("Pong")
    edited(pair(app), "<data>", f'<!DOCTYPE data [<!ENTITY it SYSTEM "file://{secret}">]>\n<data>')
    edited(app, "<actor>Pong</actor>", "<actor>&it;</actor>")
    refused(
        app.run(),
        "app.xml:1: a document type (<!DOCTYPE>) is not allowed",
        "delete it and write out what its entities stand for: a deployment refers to no other file",
    )


def test_an_unknown_element(app: App) -> None:
    """Unknown elements are errors, not ignored."""
    edited(pair(app), "</data>", '<parm actor="Ping" name="n">1</parm></data>')
    done = app.run()
    assert done.returncode == 2
    assert done.stderr.startswith(
        "error: app.xml:14: unknown element <parm> in <data>\nhint: did you mean <param>? allowed in <data>:"
    )


def test_a_source_with_a_syntax_error(app: App) -> None:
    """Python's own words about the user's file, and no frame of ours."""
    app.write("class Ping(Actor):\n    def body(self)\n        pass\n", "Ping:1")
    done = app.run()
    assert (done.returncode, done.stdout) == (2, "")
    assert f'File "{app.source}", line {app.line_of("def body")}' in done.stderr
    assert "def body(self)" in done.stderr
    assert f"error: {app.source} cannot be imported: SyntaxError: expected ':'" in done.stderr
    assert "/eactors/" not in done.stderr


def test_a_source_that_raises_at_import(app: App) -> None:
    """Its own traceback, from the user's file on."""
    app.write("def helper():\n    return 1 // 0\n\nvalue = helper()\n", "Ping:1")
    done = app.run()
    assert (done.returncode, done.stdout) == (2, "")
    trace = (
        "Traceback (most recent call last):\n"
        f'  File "{app.source}", line {app.line_of("value =")}, in <module>\n    value = helper()\n'
    )
    assert done.stderr.startswith(trace)
    assert f'  File "{app.source}", line {app.line_of("return 1")}, in helper\n' in done.stderr
    last = f"error: {app.source} cannot be imported: ZeroDivisionError: integer division or modulo by zero\n"
    assert done.stderr.endswith(last)
    assert "/eactors/" not in done.stderr


@pytest.mark.parametrize("statement", ["import no_such_module", "sys.exit(3)", "raise BaseException('odd')"])
def test_other_ways_to_fail_at_import(app: App, statement: str) -> None:
    """A module that is missing, an exit, an odd exception: all are status 2."""
    app.write(f"{statement}\n", "Ping:1")
    done = app.run()
    assert (done.returncode, done.stdout) == (2, "")
    assert f"error: {app.source} cannot be imported: " in done.stderr
    assert f"    {statement}\n" in done.stderr


def test_a_source_that_fails_only_in_its_enclave(app: App) -> None:
    """The import worked for the launcher and raises in the enclave: a failure of the run."""
    app.write(
        "import os\ndef look():\n    if len(os.environ) < 2:\n        raise LookupError('nothing here')\n"
        "class A(Actor):\n    look()\n",
        "A:0",
    )
    done = app.run()
    assert (done.returncode, done.stdout) == (1, "")
    assert "error: the application's source failed in its enclave: LookupError: nothing here\n" in done.stderr
    assert f'File "{app.source}", line {app.line_of("raise LookupError")}, in look' in done.stderr


def test_a_source_without_actors(app: App) -> None:
    """Nothing to run."""
    app.write("x = 1\n", "Ping:1")
    refused(app.run(), f"{app.source} defines no actors", "derive a class from eactors.Actor")


def test_a_connector_to_an_actor_that_does_not_exist(app: App) -> None:
    """A misspelt peer is guessed."""
    app.write(PAIR.replace('Connector("Pong")', 'Connector("Pogn")'), "Ping:1 | Pong:2")
    refused(
        app.run(),
        "app.xml:3: Ping.pong of actor 'Ping' names 'Pogn', which is not placed",
        "did you mean 'Pong'? place 'Pogn' on a worker",
    )


def test_a_connector_to_which_nobody_connects_back(app: App) -> None:
    """The hint is the line to write."""
    app.write(PAIR.replace('ping = Connector("Ping")', "pass"), "Ping:1 | Pong:2")
    refused(
        app.run(),
        "app.xml:3: Ping.pong connects 'Ping' to 'Pong', but Pong has no connector back",
        "declare one in Pong: ping = Connector('Ping')",
    )


def test_a_connector_to_itself(app: App) -> None:
    """An actor is no peer of its own."""
    app.write('class A(Actor):\n    me = Connector("A")\n', "A:1")
    done = app.run()
    assert done.returncode == 2
    assert "A.me of actor 'A' connects the actor to itself" in done.stderr


def test_a_peer_that_is_computed_wrongly(app: App) -> None:
    """A function of a placement that raises, or names no text, is a fault of the source."""
    app.write("class A(Actor):\n    b = Connector(lambda placement: placement.family('b')[0])\n", "A:1")
    done = app.run()
    assert done.returncode == 2
    assert "error: " in done.stderr
    assert "A.b" in done.stderr
    assert "/eactors/" not in done.stderr


@pytest.mark.parametrize("places", ["Ping:1 | Pong:2", "Ping:1 Pong:1"])
@pytest.mark.parametrize("how", ["send(bytes(101))", "try_send(bytes(101))", "create(101)"])
def test_a_message_larger_than_the_channel_allows(app: App, places: str, how: str) -> None:
    """The sender fails, with both sizes."""
    source = PAIR.replace("self.exit()", f"self.pong.{how}")
    done = app.write(source, places, '<channel between="Ping Pong" message-size="100"/>').run()
    assert (done.returncode, done.stdout) == (1, "")
    words = "actor 'Ping': a message of 101 bytes to 'Pong' exceeds the channel's 100"
    assert done.stderr.endswith(
        f"error: actor 'Ping' failed: MessageTooLarge: {words}\n"
        "hint: set a larger message-size on this <channel> of the deployment\n"
    )
    assert f"    self.pong.{how}\n" in done.stderr
