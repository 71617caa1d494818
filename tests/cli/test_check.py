"""``eactors check``: what would run, without running it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import App

SOURCE = """
class Ping(Actor, name="aping"):
    params = {"rounds": 5}
    pong = Connector("apong")

class Pong(Actor, name="apong"):
    ping = Connector("aping")
    echo = Connector("Echo")
    nodes = Pool("nodes")
    inbox = Mbox("inbox", nodes)

class Echo(Actor):
    pong = Connector("apong")

class Idle(Actor):
    pass
"""


def test_the_tree_shows_everything(app: App) -> None:
    """Server, workers with CPUs, enclaves by name, actors, channels and how each is carried."""
    extra = '<enclave-settings enclave="2" name="vault"/><channel between="Echo apong" capacity="7"/>'
    done = app.write(SOURCE, "aping:1 | apong:2 Echo:2", extra).check()
    assert (done.returncode, done.stderr) == (0, "")
    for piece in (
        "app.py as app.xml",
        "server localhost",
        "worker 0 on CPU 0",
        "worker 1 on CPU 1",
        "waits adaptive",
        "enclave 1\n",
        "enclave 2 (vault)\n",
        "aping (Ping) with rounds=5",
        "enclave 1: signed by the development key, platform simulation, debug\n",
        "enclave 2 (vault): signed by the development key, platform simulation, debug\n",
        "aping.pong - apong.ping: encrypted, 64 messages of up to 1048576 bytes\n",
        "aes-128-gcm, local-attestation: enclave 1 and enclave 2 (vault) attest each other\n",
        "apong.echo - Echo.pong: private, 7 messages",
        "nodes: private, 64 nodes of 4096 bytes, mboxes inbox",
    ):
        assert piece in done.stdout


def test_the_same_as_json(app: App) -> None:
    """--json is for scripts, and complete."""
    app.write(SOURCE, "aping:1 | apong:2 Echo:0")
    text = app.deployment.read_text().replace(
        "</actor>\n</actors>", "</actor><actor><id>9</id><name>Idle</name></actor></actors>"
    )
    app.deployment.write_text(text)
    done = app.check("--json", "--param", "aping.rounds=6")
    assert (done.returncode, done.stderr) == (0, "")
    plan = json.loads(done.stdout)
    workers = plan["servers"][0]["workers"]
    assert [worker["cpus"] for worker in workers] == [[0], [1]]
    first = workers[0]["enclaves"][0]
    assert first["actors"] == [
        {
            "name": "aping",
            "class": "Ping",
            "params": {"rounds": 6},
            "secret": False,
            "on_demand": None,
            "restarts": None,
        }
    ]
    assert [enclave["id"] for enclave in workers[1]["enclaves"]] == [2, 0]
    assert [(c["between"], c["carried"]) for c in plan["channels"]] == [
        (["aping.pong", "apong.ping"], "public"),
        (["apong.echo", "Echo.pong"], "public"),
    ]
    assert plan["unplaced"] == ["Idle"]


TRUST = """
class Bank(Actor):
    secret = True
    requires = ("json",)
    vault = Connector("Vault")
    safe = Connector("Safe", declassify="it may know [all]\\nof it")
    log = Connector("Log", declassify="only totals")

class Vault(Actor):
    bank = Connector("Bank")

class Safe(Actor):
    bank = Connector("Bank")

class Log(Actor):
    bank = Connector("Bank")
"""
SETTINGS = """
<key name="alice" file="alice.pem"/>
<key name="bob" file="keys/bob.pem"/>
<enclave-settings enclave="1" name="bank" signer="alice" product-id="7"/>
<enclave-settings enclave="2" signer="alice" owners="bob" product-id="7" security-version="3" debug="yes"/>
<enclave-settings enclave="3" signer="bob"/>
<channel between="Vault Bank" cipher="aes-256-gcm" key-exchange="sealing"/>
<channel between="Safe Bank" cipher="chacha20-poly1305" key-exchange="diffie-hellman" insecure="yes"/>
"""
TRUST_TREE = """\
app.py as app.xml
├── server localhost
│   └── worker 0 on CPU 0, waits adaptive
│       ├── enclave 1 (bank)
│       │   └── Bank, secret
│       ├── enclave 2
│       │   └── Vault
│       ├── enclave 3
│       │   └── Safe
│       └── untrusted
│           └── Log
├── enclaves
│   ├── enclave 1 (bank): signed by alice, owned by alice and bob, product id 7, platform simulation, \
no debug, requires json
│   ├── enclave 2: signed by alice, owned by bob, product id 7, security version 3, platform simulation, debug
│   └── enclave 3: signed by bob, owned by alice and bob, platform simulation, no debug
└── channels
    ├── Bank.vault - Vault.bank: encrypted, 64 messages of up to 1048576 bytes
    │   └── aes-256-gcm, sealing: both sealed by alice
    ├── Bank.safe - Safe.bank: encrypted, 64 messages of up to 1048576 bytes
    │   ├── chacha20-poly1305, diffie-hellman: nobody: insecure
    │   └── declassified by Bank.safe: it may know [all] of it
    └── Bank.log - Log.bank: plain, 64 messages of up to 1048576 bytes
        └── declassified by Bank.log: only totals
"""


def test_the_tree_shows_who_trusts_whom(app: App) -> None:
    """Signers, owners, labels, ciphers, exchanges and the reasons for what is declassified."""
    done = app.write(TRUST, "Bank:1 Vault:2 Safe:3 Log:0", SETTINGS).check()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == TRUST_TREE


def test_who_trusts_whom_as_json(app: App) -> None:
    """The same, for scripts."""
    done = app.write(TRUST, "Bank:1 Vault:2 Safe:3 Log:0", SETTINGS).check("--json")
    assert (done.returncode, done.stderr) == (0, "")
    plan = json.loads(done.stdout)
    assert plan["keys"] == {"alice": "alice.pem", "bob": "keys/bob.pem"}
    assert plan["enclaves"][:2] == [
        {
            "id": 1,
            "name": "bank",
            "signer": "alice",
            "owners": ["alice", "bob"],
            "debug": False,
            "product_id": 7,
            "security_version": 0,
            "platform": "simulation",
            "requires": ["json"],
            "on_demand": None,
            "restarts": None,
        },
        {
            "id": 2,
            "name": None,
            "signer": "alice",
            "owners": ["bob"],
            "debug": True,
            "product_id": 7,
            "security_version": 3,
            "platform": "simulation",
            "requires": [],
            "on_demand": None,
            "restarts": None,
        },
    ]
    assert plan["channels"][1:] == [
        {
            "id": 1,
            "between": ["Bank.safe", "Safe.bank"],
            "carried": "public",
            "protection": "encrypted",
            "cipher": "chacha20-poly1305",
            "key_exchange": "diffie-hellman",
            "attested": "nobody: insecure",
            "declassified": {"Bank.safe": "it may know [all]\nof it"},
            "capacity": 64,
            "message_size": 1048576,
            "node_size": 4096,
        },
        {
            "id": 2,
            "between": ["Bank.log", "Log.bank"],
            "carried": "public",
            "protection": "plain",
            "cipher": "none",
            "key_exchange": None,
            "attested": None,
            "declassified": {"Bank.log": "only totals"},
            "capacity": 64,
            "message_size": 1048576,
            "node_size": 4096,
        },
    ]
    actors = [actor for share in plan["servers"][0]["workers"][0]["enclaves"] for actor in share["actors"]]
    assert {actor["name"]: actor["secret"] for actor in actors} == {
        "Bank": True,
        "Vault": False,
        "Safe": False,
        "Log": False,
    }


def test_a_secret_that_would_leak_is_refused(app: App) -> None:
    """With the place, the reason, and two ways out."""
    done = app.write(TRUST, "Bank:1 Vault:0 Safe:0 Log:0").check()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: app.xml:3: actor 'Bank' is secret, but Bank.vault is an end of the channel"
        " Bank.vault - Vault.bank, which is plain: 'Vault' is untrusted\n"
        "hint: place 'Vault' in an enclave, or declare Bank.vault with declassify=\"reason\"\n"
    )


def test_a_cpu_that_this_machine_lacks_is_shown(app: App) -> None:
    """The tree marks it; that is no error."""
    app.write(SOURCE, "aping:1 | apong:2 Echo:2")
    app.deployment.write_text(
        app.deployment.read_text().replace("<cpu>1</cpu>", "<cpu>1</cpu><cpu>4000</cpu>")
    )
    done = app.check()
    assert done.returncode == 0
    assert "not on this machine: 4000" in done.stdout


def test_square_brackets_in_parameters_are_shown_as_they_are(app: App) -> None:
    """What looks like markup of the library that draws the tree is text."""
    app.write('class A(Actor):\n    params = {"pattern": "[bold]x[/]"}\n', "A:1")
    done = app.check()
    assert (done.returncode, done.stderr) == (0, "")
    assert "[bold]x[/]" in done.stdout


def test_check_runs_no_actor(app: App) -> None:
    """Neither constructors nor bodies are called."""
    app.write("class A(Actor):\n    def constructor(self):\n        print('called')\n", "A:1")
    done = app.check()
    assert (done.returncode, done.stderr) == (0, "")
    assert "called" not in done.stdout
    assert app.left_behind(0) == []


def test_check_refuses_what_run_refuses(app: App) -> None:
    """The same errors with the same status."""
    app.write(SOURCE, "aping:1")
    checked, ran = app.check(), app.run()
    assert (checked.returncode, checked.stderr) == (ran.returncode, ran.stderr)
    assert checked.returncode == 2
