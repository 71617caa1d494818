"""Key exchanges as their tables say, on the software CPU that the simulation platform uses."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest
from tests.attested import CIPHERS, SIGNER, Deployed, agreed, measurement_of, talk
from tests.fake_platform import NoPlatform

from eactors.attestation.end import BEGIN, DONE, START
from eactors.attestation.exchange import EXCHANGES, class_of
from eactors.attestation.identity import own_identity
from eactors.cpu.authority import Authority
from eactors.cpu.instructions import Secs, egetkey, ereport
from eactors.cpu.quoting import QuotingEnclave
from eactors.cpu.structures import INIT, MODE64BIT, attributes
from eactors.enclave.sealing import Sealer

if TYPE_CHECKING:
    from pathlib import Path

ROOT, KEY_ID = bytes(range(32)), bytes(32)


class SoftwareCpu(NoPlatform):
    """An enclave on the real software CPU, without its process in between."""

    def __init__(self, enclave: int, quoting: QuotingEnclave | None = None) -> None:
        self.quoting = quoting
        self.secs = Secs(measurement_of(enclave), SIGNER, attributes(INIT | MODE64BIT), 0, 0)

    def report(self, target: bytes, data: bytes) -> bytes:
        """EREPORT."""
        return ereport(ROOT, KEY_ID, self.secs, target, data)

    def quote(self, data: bytes) -> bytes:
        """From the quoting enclave."""
        assert self.quoting is not None
        return self.quoting.quote(self.secs, data)

    def key(self, request: bytes) -> bytes:
        """EGETKEY."""
        return egetkey(ROOT, self.secs, request)


@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize("exchange", EXCHANGES)
def test_two_ends_come_to_keys(exchange: str, cipher: str, tmp_path: Path) -> None:
    """With the length that the cipher wants, one for each direction, in few short messages."""
    deployed = Deployed(exchange=exchange, cipher=cipher)
    quoting = QuotingEnclave(tmp_path)
    deployed.cpu.authority.root = ssl.DER_cert_to_PEM_cert(Authority(tmp_path).root())
    deployed.platforms = {enclave: SoftwareCpu(enclave, quoting) for enclave in (1, 2)}  # type: ignore[misc]
    sent: list[bytes] = []
    keys = talk(deployed.ends(), lambda _side, _index, frame: sent.append(frame) or frame)  # type: ignore[func-returns-value]
    assert agreed(keys)
    assert [len(key) for pair in keys if pair for key in pair] == [CIPHERS[cipher]] * 4
    assert len(sent) == 4
    assert max(map(len, sent)) <= (1 << 14 if exchange == "remote-attestation" else 1024)


@pytest.mark.parametrize("to", ["measurement", "signer"])
def test_data_is_sealed_on_the_software_cpu(to: str) -> None:
    """By the enclave that asks, for whom it says."""
    one, two = SoftwareCpu(1), SoftwareCpu(2)
    blob = Sealer(one, own_identity(one)).seal(b"secret", to)
    opener = one if to == "measurement" else two
    assert Sealer(opener, own_identity(opener)).unseal(blob) == b"secret"


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_two_runs_have_nothing_in_common(exchange: str) -> None:
    """Fresh secrets every time: no key comes twice."""
    deployed = Deployed(exchange=exchange)
    keys = {bytes(key) for _ in range(20) for pair in talk(deployed.ends()) if pair for key in pair}
    assert len(keys) == 40


@pytest.mark.parametrize("exchange", EXCHANGES)
@pytest.mark.parametrize("side", [0, 1])
def test_a_table_is_one_way_from_the_start_to_the_end(exchange: str, side: int) -> None:
    """No state has two exits, none is left out, and the caller begins."""
    table = class_of(exchange).TABLES[side]
    exits = {state: (kind, following) for (state, kind), (_, following) in table.items()}
    assert len(exits) == len(table)
    state, kinds = START, []
    while state != DONE:
        kind, state = exits.pop(state)
        kinds.append(kind)
    assert exits == {}
    assert kinds[0] == BEGIN
    assert BEGIN not in kinds[1:]


def test_every_exchange_has_a_number_of_its_own() -> None:
    """So that a message of one is none of another."""
    assert sorted(class_of(exchange).NUMBER for exchange in EXCHANGES) == [1, 2, 3, 4]
