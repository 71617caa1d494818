"""Stores in a deployment: their defaults, and all that is refused, with the words for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.conftest import deployment_of

from eactors.deployment.errors import DeploymentError
from eactors.deployment.plan import PlannedStore

if TYPE_CHECKING:
    from tests.plans import Planner

TWO = """
class A(Actor):
    accounts = Store("accounts")

class B(Actor):
    accounts = Store("accounts")

class C(Actor):
    pass
"""
WATCHED = TWO.replace(
    "class C(Actor):\n    pass\n",
    'class C(Actor):\n    money = Store("accounts")\n\n'
    '    @money.on_change(b"a")\n    def changed(self, key, old, new):\n        pass\n',
)
OWNERS = (
    '<key name="alice" file="a"/><key name="bob" file="b"/>'
    '<enclave-settings enclave="1" signer="alice"/><enclave-settings enclave="2" signer="bob"/>'
)


def store(**attributes: str) -> str:
    """A ``<store>`` called accounts, on a line of its own."""
    return (
        "\n<store "
        + " ".join(f'{key}="{text}"' for key, text in {"name": "accounts", **attributes}.items())
        + "/>\n"
    )


@pytest.mark.parametrize(
    ("places", "kind", "encryption", "key"),
    [
        ("A:1 | B:1", "private", "none", None),
        ("A:0 B:0", "private", "none", None),
        ("A:1 | B:2", "public", "aes-gcm", "signer"),
        ("A:1 | B:0", "public", "none", None),
    ],
)
def test_what_a_store_is_if_nobody_says(
    plan: Planner, places: str, kind: str, encryption: str, key: str | None
) -> None:
    """As private as its users allow, and encrypted where that protects from somebody."""
    (made,) = plan(TWO, places).stores
    assert (made.kind, made.encryption, made.key) == (kind, encryption, key)
    assert (made.limit, made.file, made.detects) == (1 << 16, None, False)
    assert (made.users, made.watchers) == (("A", "B"), ())


@pytest.mark.parametrize(
    ("places", "extra", "key"),
    [
        ("A:1 B:1", "", "measurement"),
        ("A:1 | B:2", "", "signer"),
        ("A:1 | B:2", OWNERS, "shared"),
        ("A:1 | B:2", '<enclave-settings enclave="2" product-id="7"/>', "shared"),
        ("A:1 | B:2", '<enclave-settings enclave="2" debug="no"/>', "shared"),
    ],
)
def test_who_has_the_key_if_nobody_says(plan: Planner, places: str, extra: str, key: str) -> None:
    """The fewest that include all users, as the processor can tell them apart."""
    (made,) = plan(TWO, places, store(kind="persistent", file="x.store") + extra).stores
    assert (made.kind, made.encryption, made.key) == ("persistent", "aes-gcm", key)


def test_everything_that_can_be_said(plan: Planner) -> None:
    """What is set comes through; the file lies beside the deployment."""
    said = store(
        size="1 MiB", kind="persistent", file="x.store", encryption="aes-gcm", key="shared", rollback="detect"
    )
    (made,) = plan(WATCHED, "A:1 | B:2 C:2", said, file="some/where/demo.xml").stores
    assert made == PlannedStore(
        name="accounts",
        server=0,
        kind="persistent",
        limit=4096,
        file=str(Path("some/where/x.store").absolute()),
        encryption="aes-gcm",
        key="shared",
        detects=True,
        users=("A", "B", "C"),
        watchers=("C",),
    )
    assert msgspec.json.decode(msgspec.json.encode(made), type=PlannedStore) == made


REFUSED = {
    "unknown": (
        "A:1 B:1",
        store(name="account"),
        "no placed actor uses a store 'account'",
        "did you mean 'accounts'? remove it, or declare Store(...) in an actor",
    ),
    "without users": (
        "C:1",
        store(),
        "no placed actor uses a store 'accounts'",
        "remove it, or declare Store(...) in an actor",
    ),
    "twice": (
        "A:1 B:1",
        store() + store(),
        "store 'accounts' is set twice: here and in line ",
        "delete one of the two",
    ),
    "private but apart": (
        "A:1 | B:2",
        store(kind="private"),
        "store 'accounts' is private, but used by actors in several enclaves: A, B",
        "make it public, or place its users together",
    ),
    "no file": (
        "A:1 B:1",
        store(kind="persistent"),
        "store 'accounts' is persistent, but has no file",
        'say where it is kept: file="accounts.store"',
    ),
    "a file for nothing": (
        "A:1 B:1",
        store(kind="public", file="x"),
        "store 'accounts' has the file 'x', but is public",
        'write kind="persistent", or delete file',
    ),
    "a file by default": (
        "A:1 B:1",
        store(file="x"),
        "store 'accounts' has the file 'x', but does not say that it is persistent",
        'write kind="persistent", or delete file',
    ),
    "too small": (
        "A:1 B:1",
        store(size="1 KiB"),
        "store 'accounts' cannot have a size of 1 KiB",
        "write a size from 64 KiB to 549755813632 bytes",
    ),
    "encrypted for nobody": (
        "A:1 | B:0",
        store(encryption="aes-gcm"),
        (
            "store 'accounts' cannot be encrypted: 'B' is untrusted and would need the key, so"
            " there is no one to keep it from"
        ),
        "delete encryption from this <store>, or place 'B' in an enclave",
    ),
    "encrypted where it never leaves": (
        "A:1 B:1",
        store(encryption="aes-gcm"),
        "store 'accounts' cannot be encrypted: it is private, and never leaves its enclave",
        'delete encryption from this <store>, or write kind="public"',
    ),
    "key without encryption": (
        "A:1 | B:2",
        store(encryption="none", key="signer"),
        "store 'accounts' has key 'signer', but is not encrypted: its encryption is 'none'",
        'delete key from this <store>, or have it encrypted: encryption="aes-gcm"',
    ),
    "key with an untrusted user": (
        "A:1 | B:0",
        store(key="shared"),
        (
            "store 'accounts' has key 'shared', but is not encrypted: 'B' may read and write it"
            " outside of any enclave"
        ),
        'delete key from this <store>, or have it encrypted: encryption="aes-gcm"',
    ),
    "rollback without encryption": (
        "A:1 | B:2",
        store(encryption="none", rollback="detect"),
        "store 'accounts' has rollback 'detect', but is not encrypted: its encryption is 'none'",
        'delete rollback from this <store>, or have it encrypted: encryption="aes-gcm"',
    ),
    "measurement of several": (
        "A:1 | B:2",
        store(key="measurement"),
        (
            "store 'accounts' has key 'measurement', but is used in enclave 1 and enclave 2: no"
            " two enclaves have one measurement"
        ),
        'write key="signer", or place its users together',
    ),
    "different signers": (
        "A:1 | B:2",
        OWNERS + store(key="signer"),
        "store 'accounts' has key 'signer', but enclave 1 is signed by alice, and enclave 2 by bob",
        'write key="shared", or let the enclaves that use it be of one signer and product id',
    ),
}


@pytest.mark.parametrize(("places", "extra", "message", "hint"), REFUSED.values(), ids=REFUSED)
def test_refuses(plan: Planner, places: str, extra: str, message: str, hint: str) -> None:
    """Each with the store's name, the line of its element, the reason and the way out."""
    error = plan.refused(TWO, places, extra)
    assert error.message.startswith(message)
    assert error.hint == hint
    assert error.line is not None
    assert error.line >= plan.line_of("<store ")


@pytest.mark.parametrize(
    ("sizes", "more"),
    [(("1 MiB", "1 MiB"), ""), (("1 MiB", "2 MiB"), ", and want two sizes of it, 1 MiB and 2 MiB")],
)
def test_one_file_for_two_stores(plan: Planner, sizes: tuple[str, str], more: str) -> None:
    """However its path is written: two stores in one file would destroy each other."""
    source = TWO + '\nclass D(Actor):\n    other = Store("other")\n'
    one, two = (
        store(name=name, kind="persistent", file=file, size=size)
        for name, file, size in zip(("accounts", "other"), ("x", "./x"), sizes, strict=True)
    )
    error = plan.refused(source, "A:1 B:1 D:1", one + two)
    assert error.message == f"store 'other' and store 'accounts' have one file, './x'{more}"
    assert error.hint == "give each a file of its own, or let their actors declare one store"


def test_stores_on_two_servers(plan: Planner) -> None:
    """Memory is shared on one machine only."""
    second = deployment_of("B:2").partition("<servers>")[2].partition("</servers>")[0]
    deployment = (
        deployment_of("A:1")
        .replace("</servers>", second.replace("localhost", "10.0.0.2") + "</servers>")
        .replace("</actors>\n<servers>", "<actor><id>1</id><name>B</name></actor></actors>\n<servers>")
    )
    with pytest.raises(DeploymentError) as caught:
        plan.plan(TWO, deployment)
    assert caught.value.message == "store 'accounts' is used by actors on two servers: A, B"


def test_a_handler_that_is_none(plan: Planner) -> None:
    """Said when the deployment is checked, not when something changes."""
    source = WATCHED + "    changed = None\n"
    assert plan.source_refused(source, "C:1").message == "C.money: its handler 'changed' is no method"


SECRET = TWO.replace("class A(Actor):\n", "class A(Actor):\n    secret = True\n")


@pytest.mark.parametrize(
    ("places", "extra", "why", "way_out"),
    [
        ("A:1 | B:0", "", "which 'B' may read outside of any enclave", "place 'B' in enclaves"),
        (
            "A:0 | B:0",
            "",
            "which 'A' and 'B' may read outside of any enclave",
            "place 'A' and 'B' in enclaves",
        ),
        (
            "A:1 | B:2",
            store(encryption="none"),
            "whose encryption is 'none'",
            'give its <store> encryption="aes-gcm"',
        ),
    ],
)
def test_a_secret_actor_shares_no_store_with_the_host(
    plan: Planner, places: str, extra: str, why: str, way_out: str
) -> None:
    """What it puts there could be read by others."""
    assert plan(SECRET, "A:1 | B:2").stores
    error = plan.refused(SECRET, places, extra)
    assert error.message == f"actor 'A' is secret, but A.accounts is the store 'accounts', {why}"
    assert error.hint == f"{way_out}, or let it use a store of its own"
