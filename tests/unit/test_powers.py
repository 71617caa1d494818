"""What an enclave asks of the framework: seen in its plan and its source, and in doubt included."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.reaching import reached

from eactors.build.framework import Parts, parts_of
from eactors.build.powers import powers_of

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

ALL = ["provisioning", "quotes", "reports", "sealing"]
PLAN: dict[str, Any] = {"private_channels": [], "pools": {}, "powers": [], "stores": {}, "workers": []}


def source(statement: str) -> str:
    """An actor that does this."""
    return f"""
        from eactors import Actor

        class A(Actor):
            def constructor(self):
                {statement}
        """


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("pass", []),
        ("self.seal(b'')", ["sealing"]),
        ("kept = self.unseal", ["sealing"]),
        ("self.check_report(1, b'')", ["reports"]),
        ("self.provisioned.decode()", ["provisioning"]),
        ("getattr(self, 'se' + 'al')(b'')", ALL),
        ("vars(type(self).__mro__[1])", ALL),
        ("eval('self.' + 'laes'[::-1])", ALL),
    ],
)
def test_powers_are_seen_in_the_source(tmp_path: Path, statement: str, expected: list[str]) -> None:
    """Not to have one that is asked for would end an actor that works on the untrusted side."""
    assert powers_of(reached(tmp_path, source(statement))) == expected


def test_what_is_declared_is_included(tmp_path: Path) -> None:
    """For code that is not in the source."""
    found = reached(tmp_path, source("pass"), requires=("eactors.enclave.sealing",))
    assert powers_of(found) == ["sealing"]


def worker(connector: dict[str, Any] | None = None, *, spans: bool = False) -> dict[str, Any]:
    """What a plan says of a worker with one actor."""
    return {"spans": spans, "actors": [{"connectors": {} if connector is None else {"peer": connector}}]}


@pytest.mark.parametrize(
    ("changes", "variant"),
    [
        ({}, "bare"),
        ({"workers": [worker({"channel": 1})]}, "plain"),
        ({"workers": [worker({"private": 0})], "private_channels": [8]}, "private"),
        ({"workers": [worker(spans=True)], "pools": {"p": {"kind": "public"}}}, "baton-mboxes"),
        ({"powers": ["reports"], "pools": {"p": {"kind": "private"}}}, "aead"),
    ],
)
def test_the_variant_has_what_the_plan_asks_for(changes: dict[str, Any], variant: str) -> None:
    """And nothing else."""
    assert parts_of(PLAN | changes).variant == variant


@pytest.mark.parametrize(
    ("exchange", "variant"), [("local-attestation", "sealed"), ("sealing", "aead-sealed")]
)
def test_an_encrypted_channel_brings_its_exchange(exchange: str, variant: str) -> None:
    """Of the key exchanges only that one."""
    end = {"channel": 1, "cipher": "aes-128-gcm", "exchange": exchange}
    parts = parts_of(PLAN | {"powers": ["exchanges"], "workers": [worker(end)]})
    module = exchange.replace("-", "_")
    assert parts == Parts((f"eactors.attestation.{module}", "eactors.enclave.exchanges"), variant)
    assert parts.native.is_file()
