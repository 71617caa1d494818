"""The keys of encrypted stores: who can have them back, and what a hostile host can do to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.attested import SIGNER, measurement_of
from tests.fake_platform import FakeCpu

from eactors.attestation.identity import own_identity
from eactors.enclave.store_keys import StoreKeys
from eactors.store import StoreKeyMissing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ONE, TWO, BOB = measurement_of(1), measurement_of(2), measurement_of(99)
ID, SLOTS_AT, SLOT = 16, 4096, 128


class File:
    """A store's file, as far as keys are concerned, and its keeper."""

    def __init__(self, path: Path, number: int = 0) -> None:
        self.path, self.id = path, bytes([number]) * 16
        self.numbers = [0]
        self.path.write_bytes(bytes(ID) + self.id + bytes(8192 - 32))

    def keep(self, what: str, **event: Any) -> None:
        """Put a key into the next slot, as docs/design/store-format.md has them."""
        assert (what, event["store"]) == ("store-key", "accounts")
        self.put(event["id"], bytes.fromhex(event["owner"]), bytes.fromhex(event["sealed"]))

    def put(self, number: int, owner: bytes, sealed: bytes) -> None:
        """Put it into the next slot."""
        slot = (1).to_bytes(4, "little") + number.to_bytes(4, "little") + owner + sealed
        assert len(slot) == SLOT
        content = bytearray(self.path.read_bytes())
        at = next(at for at in range(SLOTS_AT, 8192, SLOT) if not any(content[at : at + 4]))
        content[at : at + SLOT] = slot
        self.path.write_bytes(content)

    @property
    def slot(self) -> bytes:
        """The first slot."""
        return self.path.read_bytes()[SLOTS_AT:][:SLOT]


@pytest.fixture
def file(tmp_path: Path) -> File:
    """A new store."""
    return File(tmp_path / "store", 7)


def opened(
    file: File,
    policy: str = "measurement",
    measurement: bytes = ONE,
    signer: bytes = SIGNER,
    *,
    cpu: FakeCpu | None = None,
    ask: Callable[[], bytes] | None = None,
    oldest: int = 0,
    renewals: int = 0,
    **facts: Any,
) -> bytes:
    """What an enclave has for a key, after so many new ones."""
    platform = (cpu or FakeCpu()).enclave(measurement, signer, **facts)
    keys = StoreKeys(platform, own_identity(platform))
    entry = {"key": policy, "security_version": oldest}
    store_key = keys.open("accounts", entry, str(file.path), file.keep, ask)
    assert store_key.id == file.id
    for _ in range(renewals):
        file.numbers.append(len(file.numbers))
        store_key.renew(file.numbers[-1])
    key = store_key.fetch(file.numbers[-1])
    assert len(key) == 32
    return key


@pytest.mark.parametrize("policy", ["measurement", "signer", "shared"])
def test_the_same_key_in_every_run(file: File, policy: str) -> None:
    """Made once, random, and not readable in the file."""
    key = opened(file, policy)
    assert opened(file, policy) == key
    assert key not in file.path.read_bytes()
    assert any(key)


def test_all_enclaves_of_a_signer(file: File) -> None:
    """Those that come later, too, such as a new build of higher security version."""
    key = opened(file, "signer", security_version=2, oldest=1)
    assert opened(file, "signer", TWO, security_version=1, oldest=1) == key
    assert opened(file, "signer", TWO, security_version=5, oldest=5) == key


@pytest.mark.parametrize(
    ("policy", "other", "words"),
    [
        ("measurement", {"measurement": TWO}, "is for another measurement than this enclave has"),
        ("signer", {"signer": BOB}, "is for another signer than this enclave has"),
        ("measurement", {"cpu": FakeCpu(b"another machine!")}, "sealed on another machine"),
        ("signer", {"debug": True}, "debug setting"),
        ("signer", {"product_id": 3}, "another product id"),
        ("signer", {"security_version": 0}, "higher security version"),
    ],
)
def test_nobody_else_has_it(file: File, policy: str, other: dict[str, Any], words: str) -> None:
    """And nobody makes another one in its place, with which all that is there would be lost."""
    mine: dict[str, Any] = {"security_version": 1, "oldest": 1}
    opened(file, policy, **mine)
    with pytest.raises(StoreKeyMissing, match=words) as caught:
        opened(file, policy, **{**mine, **other})
    assert caught.value.hint is not None


def test_a_key_of_another_store(file: File, tmp_path: Path) -> None:
    """What was sealed for one is of no use in another, though the enclave is the same."""
    opened(file)
    other = File(tmp_path / "other", 8)
    other.put(0, file.slot[8:40], file.slot[40:])
    with pytest.raises(StoreKeyMissing, match="was changed, or sealed"):
        opened(other)


@pytest.mark.parametrize("at", [4, 40, 42, 50, 70, 90, 127])
def test_a_changed_slot(file: File, at: int) -> None:
    """Number, header, random part, key and tag are all authenticated."""
    opened(file)
    content = bytearray(file.path.read_bytes())
    content[SLOTS_AT + at] ^= 1
    file.path.write_bytes(content)
    with pytest.raises(StoreKeyMissing, match=r"was changed, or sealed|is not in its file"):
        opened(file)


def test_a_key_for_the_whole_signer_is_none_for_the_measurement(file: File) -> None:
    """Or an older, faulty enclave of the signer could choose the key of a newer one."""
    opened(file, "signer")
    sealed = file.slot[40:]
    file.path.write_bytes(file.path.read_bytes()[:SLOTS_AT] + bytes(4096))
    file.put(0, ONE, sealed)
    with pytest.raises(StoreKeyMissing, match="was changed, or sealed"):
        opened(file)


def test_of_two_who_make_it_at_once_the_first_wins(file: File) -> None:
    """Both have what the keeper has put into the slot."""
    other = File(file.path.with_name("other"), 7)
    first = opened(other, "signer")

    def late(_: str, **__: Any) -> None:
        file.put(0, SIGNER, other.slot[40:])

    setattr(file, "keep", late)  # noqa: B010 - a method, this once
    assert opened(file, "signer", TWO) == first


@pytest.mark.parametrize("policy", ["measurement", "signer"])
def test_another_key(file: File, policy: str) -> None:
    """It is random, too, and there in the next run; so are old ones, as long as the file has them."""
    first = opened(file, policy)
    third = opened(file, policy, renewals=2)
    assert opened(file, policy) == third != first
    assert third not in file.path.read_bytes()
    file.numbers.append(1)
    assert opened(file, policy) not in (first, third)
    file.numbers.append(3)
    with pytest.raises(StoreKeyMissing, match=r"key 3 of store 'accounts' is not in its file"):
        opened(file, policy)


def test_an_old_key_is_none_for_a_new_number(file: File) -> None:
    """Or a host that has come by an old key could have it used again."""
    opened(file)
    file.put(1, ONE, file.slot[40:])
    file.numbers.append(1)
    with pytest.raises(StoreKeyMissing, match="was changed, or sealed"):
        opened(file)


def test_a_shared_key_is_asked_for_once(file: File) -> None:
    """Then it is sealed in a slot of the enclave's own."""
    key = opened(file, "shared")
    asked: list[int] = []

    def ask() -> bytes:
        asked.append(1)
        return key

    for _ in range(2):
        assert opened(file, "shared", TWO, BOB, ask=ask) == key
    assert asked == [1]
