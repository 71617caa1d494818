"""The example of two servers, in every deployment, as its README says."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from tests.servers import EACTORS, Ended, end_of, started

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "pingpong_network"
SOURCE = FOLDER / "pingpong_network.py"
ADDRESSES = ("127.0.0.1:4871", "127.0.0.2:4871")
PROTECTED = {
    "untrusted": ("plain", None),
    "one-trusted": ("plain", None),
    "two-enclaves": ("encrypted", "enclave 1 and enclave 2 attest each other by quote"),
    "two-enclaves-plain": ("plain", None),
}
PRINTED = (
    "aping: got pong 1\naping: got pong 2\naping: got pong 3\n",
    "apong: got ping 1\napong: got ping 2\napong: got ping 3\n",
)


def eactors(*arguments: object, temporary: Path) -> subprocess.Popen[str]:
    """Start the command."""
    return subprocess.Popen(
        [EACTORS, *map(str, arguments)],
        env=dict(os.environ, TMPDIR=str(temporary)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_readme_says_it_all() -> None:
    """Each deployment, the commands, and what they print."""
    assert {file.stem for file in FOLDER.glob("*.xml")} == PROTECTED.keys()
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    for name in PROTECTED:
        assert f"`{name}.xml`" in readme
    for address, printed in zip(ADDRESSES, PRINTED, strict=True):
        assert f"--server {address}\n" in readme
        assert "".join(f"    {line}\n" for line in printed.splitlines()) in readme


@pytest.mark.parametrize("name", PROTECTED)
def test_it_prints_the_same_lines_in_every_deployment(name: str, tmp_path: Path) -> None:
    """On whichever server each actor is."""
    deployment = FOLDER / f"{name}.xml"
    processes = [
        eactors("run", SOURCE, deployment, "--server", address, temporary=tmp_path) for address in ADDRESSES
    ]
    with started(processes):
        assert [end_of(process) for process in processes] == [Ended(0, lines, "") for lines in PRINTED]


@pytest.mark.parametrize("name", PROTECTED)
def test_check_shows_how_the_channel_goes(name: str, tmp_path: Path) -> None:
    """Over the network, encrypted or not, and who attests whom."""
    protection, attested = PROTECTED[name]
    with eactors("check", "--json", SOURCE, FOLDER / f"{name}.xml", temporary=tmp_path) as process:
        (channel,) = json.loads(end_of(process).stdout)["channels"]
    assert channel["carried"] == "network"
    assert (channel["protection"], channel["attested"]) == (protection, attested)
    with eactors("check", SOURCE, FOLDER / f"{name}.xml", temporary=tmp_path) as process:
        text = end_of(process).stdout
    assert f"aping.pong - apong.ping: network, {protection}, " in text
    if attested is not None:
        assert f"aes-128-gcm, remote-attestation: {attested}" in text
