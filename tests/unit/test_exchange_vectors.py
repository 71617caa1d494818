"""Known answers: the vectors written down are what both an independent program and we come to."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from tests.attested import talk
from tests.fake_platform import NoPlatform, mac

from eactors.attestation import end
from eactors.attestation.exchange import make_exchange
from eactors.attestation.identity import Identity
from eactors.attestation.manifest import Manifest
from eactors.enclave import sealing

FOLDER = Path(__file__).parents[1] / "vectors"
VECTORS = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(FOLDER.glob("*.json"))}
SHARED_SECRET = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"  # of RFC 7748, section 6.1

every_vector = pytest.mark.parametrize("name", VECTORS)
every_exchange = pytest.mark.parametrize("name", [name for name in VECTORS if "exchange" in VECTORS[name]])
every_blob = pytest.mark.parametrize("name", [name for name in VECTORS if "to" in VECTORS[name]])


class WrittenPlatform(NoPlatform):
    """A processor that answers only what the vector says that it is asked."""

    def __init__(self, vector: dict[str, Any], side: int = 0) -> None:
        self.vector = vector
        self.side = side

    def report(self, target: bytes, data: bytes) -> bytes:
        """Answer with the report of the vector; to a report to itself, with a body of the CPUSVN."""
        if target == bytes(512):
            attributes = (5).to_bytes(8, "little") + (3).to_bytes(8, "little")
            return (bytes.fromhex(self.vector["cpu_svn"]).ljust(48, b"\0") + attributes).ljust(432, b"\0")
        expected = self.vector["expected"]
        assert target.hex() == expected["target_info"][1 - self.side]
        assert data.hex() == expected["report_data"][self.side]
        return bytes.fromhex(expected["messages"][self.side][1])[4:]

    def quote(self, data: bytes) -> bytes:
        """Answer with the quote of the vector."""
        assert data.hex() == self.vector["expected"]["report_data"][self.side]
        return bytes.fromhex(self.vector["quotes"][self.side])

    def key(self, request: bytes) -> bytes:
        """Answer with the report key or the sealing key of the vector."""
        if request[:2] == b"\3\0":
            mask, key_id = (3).to_bytes(16, "little"), bytes.fromhex(self.vector["report_key_id"])
            assert request == (b"\3".ljust(24, b"\0") + mask + key_id).ljust(512, b"\0")
            return bytes.fromhex(self.vector["report_keys"][self.side])
        assert request.hex() == self.vector["expected"]["key_request"]
        return bytes.fromhex(self.vector["sealing_key"])


def independent() -> Any:
    """Return the program beside the vectors, which imports nothing of eactors."""
    spec = importlib.util.spec_from_file_location("derive", FOLDER / "derive.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@every_vector
def test_the_independent_program_comes_to_the_vectors(name: str) -> None:
    """The written values are those of the description in docs/design, not of our code."""
    assert independent().derive(VECTORS[name]) == VECTORS[name]["expected"]


@every_exchange
def test_we_come_to_the_vectors(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every message and both keys, byte for byte, on both sides."""
    vector = VECTORS[name]
    expected, sides = vector["expected"], vector["sides"]
    hellos = [bytes.fromhex(messages[0])[4:] for messages in expected["messages"]]
    pairs = [(bytearray.fromhex(side.get("private", "")), hellos[i]) for i, side in enumerate(sides)]
    # Side 0 begins first; what either draws first is for its hello, what side 0 draws next is the secret.
    randoms = [*hellos, bytes.fromhex(vector.get("secret", ""))]
    monkeypatch.setattr(end, "new_key_pair", lambda: pairs.pop(0))
    monkeypatch.setattr(end, "new_random", lambda: randoms.pop(0))
    manifest = Manifest(vector["manifest"].encode())
    ends = [
        make_exchange(
            {key: vector[key] for key in ("exchange", "channel", "cipher")}
            | {"side": side, "peer_enclave": sides[1 - side]["enclave"], "roots": [vector.get("root", "")]},
            manifest,
            sides[side]["enclave"],
            WrittenPlatform(vector, side),
        )
        for side in (0, 1)
    ]
    sent: list[list[str]] = [[], []]

    def carry(side: int, _index: int, frame: bytes) -> bytes:
        sent[side].append(frame.hex())
        return frame

    first, second = talk((ends[0], ends[1]), carry)
    assert sent == expected["messages"]
    assert [each.transcript.hex() for each in ends] == [expected["transcript"]] * 2
    assert first is not None
    assert second is not None
    assert [key.hex() for key in first] == [expected["keys"]["0->1"], expected["keys"]["1->0"]]
    assert [key.hex() for key in second] == [expected["keys"]["1->0"], expected["keys"]["0->1"]]


@every_blob
def test_we_seal_to_the_vectors_and_back(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sealed today can be unsealed by every later version of this format."""
    vector = VECTORS[name]
    monkeypatch.setattr(sealing, "new_random", lambda: bytes.fromhex(vector["key_id"]))
    cpu_svn = bytes.fromhex(vector["cpu_svn"])
    identity = Identity(bytes(32), bytes(32), 0, vector["security_version"], debug=False, cpu_svn=cpu_svn)
    sealer = sealing.Sealer(WrittenPlatform(vector), identity)
    data = bytes.fromhex(vector["data"])
    assert sealer.seal(data, vector["to"]).hex() == vector["expected"]["blob"]
    assert sealer.unseal(bytes.fromhex(vector["expected"]["blob"])) == data


@pytest.mark.parametrize(
    "name", ["local-attestation", "local-attestation-debug", "remote-attestation", "diffie-hellman"]
)
def test_the_shared_secret_is_the_one_of_the_rfc(name: str) -> None:
    """So the vectors hang on a public source at one end."""
    assert VECTORS[name]["expected"]["shared_secret"] == SHARED_SECRET


def test_the_mac_of_these_tests_is_the_one_of_the_rfc() -> None:
    """RFC 4493, section 4, examples 1 and 2."""
    key = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
    assert mac(key, b"").hex() == "bb1d6929e95937287fa37d129b756746"
    assert (
        mac(key, bytes.fromhex("6bc1bee22e409f96e93d7e117393172a")).hex()
        == "070a16b46b4d4144f79bdd9dd04a287c"
    )
