"""The checks of a deployment alone: each contradiction has its message, and legal oddities pass."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from eactors.deployment import xml
from eactors.deployment.checks import check
from eactors.deployment.errors import DeploymentError
from eactors.deployment.model import DeployedActor, Deployment, EnclaveShare, Server, Worker

FILE = "demo.xml"

VALID = """\
<data>
  <actors>
    <actor><id>0</id><name>Ping</name></actor>
    <actor><id>1</id><name>Pong</name></actor>
    <actor><id>2</id><name>Idle</name></actor>
  </actors>
  <servers>
    <server>
      <ip>10.0.0.1</ip>
      <workers>
        <worker>
          <id>0</id>
          <cpus><cpu>0</cpu><cpu>1</cpu></cpus>
          <enclave>
            <id>0</id>
            <actors>
              <actor>Ping</actor>
            </actors>
          </enclave>
          <enclave>
            <id>1</id>
            <actors>
              <actor>Pong</actor>
            </actors>
          </enclave>
        </worker>
      </workers>
    </server>
  </servers>
  <channel between="Ping Pong"/>
  <pool name="nodes"/>
  <wait worker="0" policy="sleep"/>
  <param actor="Ping" name="rounds">10</param>
  <enclave-settings enclave="1" name="bank"/>
</data>
"""
WORKERS = VALID[VALID.index("        <worker>") : VALID.index("      </workers>")]
SERVER = VALID[VALID.index("    <server>") : VALID.index("  </servers>")]
ENCLAVES = VALID[VALID.index("          <enclave>") : VALID.index("        </worker>")]
SECOND_WORKER = (
    "<worker><id>{}</id><enclave><id>1</id><actors><actor>Idle</actor></actors></enclave></worker>"
)


def checked(text: str) -> None:
    """Read ``text`` as if it were a file, and check it."""
    check(xml.parse(text.encode(), FILE))


class Bad(NamedTuple):
    """A bad input: ``old`` of the valid file replaced by ``new``, and what is said of it."""

    old: str
    new: str
    line: int | None
    message: str
    hint: str


BAD = {
    "actor declared twice": Bad(
        "<name>Pong</name>",
        "<name>Ping</name>",
        4,
        "actor 'Ping' is declared twice: here and in line 3",
        "give one of the two another name; <class> says what class an actor is an instance of",
    ),
    "actor id given twice": Bad(
        "<id>1</id><name>",
        "<id>0</id><name>",
        4,
        "actor id 0 is given twice: here and in line 3",
        "a free id is 1",
    ),
    "no server": Bad(
        SERVER,
        "",
        None,
        "there is no server, so nothing would run",
        "add <server><ip>localhost</ip><workers>...</workers></server> to <servers>",
    ),
    "server listed twice": Bad(
        "  </servers>",
        f"<server><ip>10.0.0.1</ip><workers>{SECOND_WORKER.format(0)}</workers></server></servers>",
        29,
        "server '10.0.0.1' is listed twice: here and in line 8",
        "a <server> is a machine: put all workers of one machine below one <server>",
    ),
    "no worker": Bad(
        WORKERS,
        "",
        8,
        "server '10.0.0.1' has no worker, so nothing would run there",
        "add a <worker> to its <workers>, or delete the <server>",
    ),
    "worker listed twice": Bad(
        "      </workers>",
        f"{SECOND_WORKER.format(0)}</workers>",
        27,
        "worker 0 is listed twice in server '10.0.0.1': here and in line 11",
        "a free id is 1",
    ),
    "worker without an enclave": Bad(
        ENCLAVES,
        "",
        11,
        "worker 0 has no enclave, so it would have nothing to do",
        "add <enclave><id>0</id><actors>...</actors></enclave> to it (0 is the untrusted side),"
        " or delete the worker",
    ),
    "enclave listed twice in a worker": Bad(
        "            <id>1</id>",
        "            <id>0</id>",
        20,
        "enclave 0 is listed twice in worker 0: here and in line 14",
        "list all of its actors below one <enclave>",
    ),
    "enclave without an actor": Bad(
        "<actor>Pong</actor>",
        "",
        20,
        "enclave 1 has no actor in worker 0",
        "add <actor>NAME</actor> to its <actors>, or delete the <enclave>",
    ),
    "cpu listed twice": Bad(
        "<cpu>1</cpu>",
        "<cpu>0</cpu>",
        11,
        "cpu 0 is listed 2 times in worker 0",
        "list it once, or put the cpu that was meant in its place",
    ),
    "unknown actor with a near name": Bad(
        "<actor>Pong</actor>",
        "<actor>pong</actor>",
        23,
        "unknown actor 'pong': an enclave holds it, but it is not declared",
        "did you mean 'Pong'? declare it in the <actors> below <data>, or delete it from the enclave",
    ),
    "unknown actor with no near name": Bad(
        "<actor>Pong</actor>",
        "<actor>Zebra</actor>",
        23,
        "unknown actor 'Zebra': an enclave holds it, but it is not declared",
        "declare it in the <actors> below <data>, or delete it from the enclave",
    ),
    "actor placed twice": Bad(
        "<actor>Pong</actor>",
        "<actor>Ping</actor>",
        23,
        "actor 'Ping' is placed twice: here and in line 17",
        "an actor runs in exactly one place; delete one of the two",
    ),
    "actor placed twice in one line": Bad(
        "<actor>Pong</actor>",
        "<actor>Pong</actor><actor>Pong</actor>",
        23,
        "actor 'Pong' is placed twice: both in this line",
        "an actor runs in exactly one place; delete one of the two",
    ),
    "actor placed on two servers": Bad(
        "  </servers>",
        "<server><ip>b</ip><workers>"
        + SECOND_WORKER.format(0).replace("Idle", "Pong")
        + "</workers></server></servers>",
        29,
        "actor 'Pong' is placed twice: here and in line 23",
        "an actor runs in exactly one place; delete one of the two",
    ),
    "channel to itself": Bad(
        "Ping Pong",
        "Ping Ping",
        30,
        "a channel connects 'Ping' with itself",
        "name the two different actors that the channel connects",
    ),
    "channel of an unknown actor": Bad(
        "Ping Pong",
        "Ping Pnog",
        30,
        "<channel> names the unknown actor 'Pnog'",
        "did you mean 'Pong'? name an actor that <actors> declares",
    ),
    "channel of an actor without a worker": Bad(
        "Ping Pong",
        "Idle Pong",
        30,
        "<channel> names the actor 'Idle', which has no worker",
        "'Idle' is declared in line 5 and would not run: put it in an <enclave> of a <worker>,"
        " or delete this <channel>",
    ),
    "channel named twice": Bad(
        "</data>",
        '<channel between="Ping Pong"/></data>',
        35,
        "the channel between 'Ping' and 'Pong' is set twice: here and in line 30",
        "there is one channel between two actors, whichever is named first; delete one of the two",
    ),
    "channel named twice, the other way round": Bad(
        "</data>",
        '<channel between="Pong Ping"/></data>',
        35,
        "the channel between 'Pong' and 'Ping' is set twice: here and in line 30",
        "there is one channel between two actors, whichever is named first; delete one of the two",
    ),
    "pool named twice": Bad(
        "</data>",
        '<pool name="nodes"/></data>',
        35,
        "pool 'nodes' is set twice: here and in line 31",
        "delete one of the two",
    ),
    "param of an unknown actor": Bad(
        'actor="Ping"',
        'actor="Pinga"',
        33,
        "<param> names the unknown actor 'Pinga'",
        "did you mean 'Ping'? name an actor that <actors> declares",
    ),
    "param of an actor without a worker": Bad(
        'actor="Ping"',
        'actor="Idle"',
        33,
        "<param> names the actor 'Idle', which has no worker",
        "'Idle' is declared in line 5 and would not run: put it in an <enclave> of a <worker>,"
        " or delete this <param>",
    ),
    "param given twice": Bad(
        "</data>",
        '<param actor="Ping" name="rounds">11</param></data>',
        35,
        "parameter 'rounds' of 'Ping' is given twice: here and in line 33",
        "a parameter has one value; delete one of the two",
    ),
    "wait of an unknown worker": Bad(
        'worker="0"', 'worker="1"', 32, "<wait> names the unknown worker 1", "the workers are 0"
    ),
    "wait set twice": Bad(
        "</data>",
        '<wait worker="0" policy="spin"/></data>',
        35,
        "<wait> of worker 0 is set twice: here and in line 32",
        "delete one of the two",
    ),
    "settings of an unknown enclave": Bad(
        'enclave="1"',
        'enclave="2"',
        34,
        "<enclave-settings> names the unknown enclave 2",
        "the enclaves are 1",
    ),
    "settings of the untrusted side": Bad(
        'enclave="1"',
        'enclave="0"',
        34,
        "enclave 0 is the untrusted side and has no settings",
        "delete this <enclave-settings>, or give its actors an enclave of their own",
    ),
    "settings given twice": Bad(
        "</data>",
        '<enclave-settings enclave="1" name="vault"/></data>',
        35,
        "<enclave-settings> of enclave 1 is given twice: here and in line 34",
        "delete one of the two",
    ),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_refuses(bad: Bad) -> None:
    """A contradiction is refused with its line, what is wrong, and what would be right."""
    assert VALID.count(bad.old) == 1
    with pytest.raises(DeploymentError) as caught:
        checked(VALID.replace(bad.old, bad.new))
    error = caught.value
    assert (error.file, error.line, error.message, error.hint) == (FILE, bad.line, bad.message, bad.hint)


def test_valid() -> None:
    """A whole deployment passes; that 'Idle' is declared and not placed is legal."""
    checked(VALID)


def test_no_enclave_to_name() -> None:
    """Where all actors are untrusted there is no enclave to set anything of."""
    first, last = ENCLAVES.index("<enclave>", 20), len(ENCLAVES)
    with pytest.raises(DeploymentError) as caught:
        checked(VALID.replace(ENCLAVES[first:last], "").replace("Ping Pong", "Ping Idle"))
    assert caught.value.message == "<channel> names the actor 'Idle', which has no worker"
    with pytest.raises(DeploymentError) as caught:
        checked(VALID.replace(ENCLAVES[first:last], "").replace('<channel between="Ping Pong"/>', ""))
    assert caught.value.message == "<enclave-settings> names the unknown enclave 1"
    assert caught.value.hint == "all actors are untrusted: there is no enclave"


def test_two_enclaves_of_one_name() -> None:
    """An enclave's name tells it from the others."""
    second = SECOND_WORKER.format(1).replace("<id>1</id><actors>", "<id>2</id><actors>")
    text = VALID.replace("      </workers>", f"{second}</workers>")
    checked(text.replace("</data>", '<enclave-settings enclave="2" name="vault"/></data>'))
    with pytest.raises(DeploymentError) as caught:
        checked(text.replace("</data>", '<enclave-settings enclave="2" name="bank"/></data>'))
    assert caught.value.message == "two enclaves are called 'bank': here and in line 34"
    assert caught.value.hint == "an enclave's name is its own; choose another for one of the two"


def test_one_enclave_with_two_workers() -> None:
    """An enclave may be executed by several workers."""
    checked(VALID.replace("      </workers>", f"{SECOND_WORKER.format(1)}</workers>"))


def test_same_ids_on_two_servers() -> None:
    """Servers are different machines: workers and enclaves are counted on each of them."""
    second = f"<server><ip>10.0.0.2</ip><workers>{SECOND_WORKER.format(0)}</workers></server>"
    checked(VALID.replace("  </servers>", f"{second}</servers>"))


def test_params_of_one_name_for_two_actors() -> None:
    """A parameter belongs to its actor."""
    checked(VALID.replace("</data>", '<param actor="Pong" name="rounds">11</param></data>'))


def test_long_lists_are_cut() -> None:
    """A hint is for reading: it names no more workers than one reads."""
    workers = tuple(Worker(number, (), (EnclaveShare(0, (f"a{number}",), 1),), 1) for number in range(100))
    deployment = Deployment(
        FILE,
        tuple(DeployedActor(number, f"a{number}", 1) for number in range(100)),
        (Server("localhost", workers, 1),),
        waits=xml.parse(b'<data><wait worker="100" policy="spin"/><actors/><servers/></data>', FILE).waits,
    )
    with pytest.raises(DeploymentError) as caught:
        check(deployment)
    assert caught.value.hint == f"the workers are {', '.join(map(str, range(16)))}, and 84 more"


def test_placements_without_lines_blame_the_enclave() -> None:
    """A deployment that no file says still names a line: that of the enclave."""
    share = EnclaveShare(1, ("Pong",), 8)
    deployment = Deployment(FILE, (), (Server("localhost", (Worker(0, (), (share,), 5),), 3),))
    with pytest.raises(DeploymentError, match="unknown actor 'Pong'") as caught:
        check(deployment)
    assert caught.value.line == 8
