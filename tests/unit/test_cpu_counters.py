"""The monotonic counters of the software CPU: whose they are, that they only rise, and what of them lasts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from tests.enclaves import Launcher

from eactors.cpu.counters import Counters
from eactors.cpu.instructions import Secs
from eactors.cpu.structures import DEBUG, INIT, MODE64BIT, Refused
from eactors.errors import EActorsError

if TYPE_CHECKING:
    from pathlib import Path

ANYONE, MEASUREMENT, SIGNER = b"\0", b"\1", b"\2"
NAME = bytes(range(32))


def secs(
    measurement: int = 1, signer: int = 1, product_id: int = 0, svn: int = 0, *, debug: bool = False
) -> Secs:
    """An enclave."""
    flags = INIT | MODE64BIT | (DEBUG if debug else 0)
    attributes = flags.to_bytes(16, "little")
    return Secs(bytes([measurement]) * 32, bytes([signer]) * 32, attributes, product_id, svn)


def value(number: int, beside: int = 0) -> bytes:
    """What a counter is."""
    return number.to_bytes(8, "little") + bytes([beside]) * 16


@pytest.fixture
def counters(tmp_path: Path) -> Counters:
    """Counters of a new installation."""
    return Counters(tmp_path / "counters")


def test_a_counter_is_made_read_and_advanced(counters: Counters, tmp_path: Path) -> None:
    """By who knows what it is; who does not is told, and nothing is changed."""
    named = MEASUREMENT + NAME
    assert counters.read(secs(), named) == b""
    assert counters.advance(secs(), named + value(5)) == value(5)
    assert counters.advance(secs(), named + value(7)) == value(5)
    assert counters.advance(secs(), named + value(7) + value(5, 1)) == value(5)
    assert counters.advance(secs(), named + value(7, 2) + value(5)) == value(7, 2)
    assert Counters(tmp_path / "counters").read(secs(), named) == value(7, 2)


@pytest.mark.parametrize("number", [0, 4, 5])
def test_it_only_rises(counters: Counters, number: int) -> None:
    """Though who asks knows what it is."""
    counters.advance(secs(), ANYONE + NAME + value(5))
    with pytest.raises(Refused, match="only rises"):
        counters.advance(secs(), ANYONE + NAME + value(number, 1) + value(5))
    assert counters.read(secs(), ANYONE + NAME) == value(5)


@pytest.mark.parametrize(
    ("policy", "other", "has"),
    [
        (MEASUREMENT, secs(signer=2, svn=3), True),
        (MEASUREMENT, secs(measurement=2), False),
        (SIGNER, secs(measurement=2, svn=3), True),
        (SIGNER, secs(signer=2), False),
        (SIGNER, secs(product_id=1), False),
        (SIGNER, secs(debug=True), False),
        (ANYONE, secs(2, 2, 2, 2), True),
        (ANYONE, secs(debug=True), False),
    ],
)
def test_whose_it_is(counters: Counters, policy: bytes, other: Secs, *, has: bool) -> None:
    """That of one measurement, or of one signer and product id, as sealing keys are; or of anyone."""
    counters.advance(secs(), policy + NAME + value(1))
    assert (counters.read(other, policy + NAME) == value(1)) == has
    counters.advance(other, policy + NAME + value(2) + (value(1) if has else b""))
    assert (counters.read(secs(), policy + NAME) == value(2)) == has


def test_policies_and_names_are_told_apart(counters: Counters) -> None:
    """No two of them are one counter."""
    for number, named in enumerate([ANYONE + NAME, SIGNER + NAME, MEASUREMENT + NAME, ANYONE + bytes(32)]):
        assert counters.read(secs(), named) == b""
        counters.advance(secs(), named + value(number))
        assert counters.read(secs(), named) == value(number)


@pytest.mark.parametrize(
    "operands",
    [b"", ANYONE, ANYONE + NAME[1:], b"\3" + NAME, ANYONE + NAME + bytes(23), ANYONE + NAME + bytes(47)],
)
def test_malformed_operands(counters: Counters, operands: bytes) -> None:
    """Refused, and nothing is made."""
    with pytest.raises(Refused):
        counters.advance(secs(), operands)
    if len(operands) != 33 or operands[0] == 3:
        with pytest.raises(Refused):
            counters.read(secs(), operands)


def test_of_many_who_advance_at_once_one_has_done_it(counters: Counters, tmp_path: Path) -> None:
    """The CPUs of all runs have one folder of counters."""
    counters.advance(secs(), ANYONE + NAME + value(0))

    def advance(me: int) -> int:
        own, done = Counters(tmp_path / "counters"), 0
        for _ in range(50):
            now = own.read(secs(), ANYONE + NAME)
            new = value(int.from_bytes(now[:8], "little") + 1, me)
            done += own.advance(secs(), ANYONE + NAME + new + now) == new
        return done

    with ThreadPoolExecutor(4) as pool:
        done = sum(pool.map(advance, range(4)))
    assert done == int.from_bytes(counters.read(secs(), ANYONE + NAME)[:8], "little")


def test_a_damaged_counter(counters: Counters, tmp_path: Path) -> None:
    """Named; it is not taken for one that was never there."""
    counters.advance(secs(), ANYONE + NAME + value(5))
    (file,) = (tmp_path / "counters").iterdir()
    file.write_bytes(value(5)[:20])
    for use in (counters.read, lambda who, named: counters.advance(who, named + value(6))):
        with pytest.raises(
            EActorsError, match=f"{file} is damaged: it has 20 bytes instead of 24; restore it"
        ):
            use(secs(), ANYONE + NAME)


def test_what_was_half_written_when_the_power_failed_is_no_counter(
    counters: Counters, tmp_path: Path
) -> None:
    """The next to be written takes its place."""
    counters.advance(secs(), ANYONE + NAME + value(5))
    (tmp_path / "counters" / "draft").write_bytes(b"half")
    assert counters.advance(secs(), ANYONE + NAME + value(6) + value(5)) == value(6)
    assert len(list((tmp_path / "counters").iterdir())) == 1


def test_an_enclave_asks_for_it_as_for_all_else(tmp_path: Path) -> None:
    """Through its socket; what is refused is refused in words."""
    program = """
name = bytes([1]) + os.urandom(32)
one, two = (number.to_bytes(8, "little") + bytes(16) for number in (1, 2))
say([ask(b"\\5" + name), ask(b"\\6" + name + one), ask(b"\\6" + name + two + one), ask(b"\\5" + name)])
say(ask(b"\\6" + name + one + two))
os._exit(0)
"""
    with Launcher(tmp_path) as launcher:
        enclave = launcher.run(program)
        answers = [b"\0", *(b"\0" + value(number) for number in (1, 2, 2))]
        assert enclave.said() == answers
        assert enclave.said() == b"\1the number of a counter only rises"
        assert enclave.wait() == 0
