"""Roots of other installations: named by the deployment, part of the images, and nothing else is believed."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from tests.cli.test_servers import COUNT
from tests.fake_quotes import FakeAuthority
from tests.servers import EACTORS, Ended, Servers, end_of, started

if TYPE_CHECKING:
    from pathlib import Path


def eactors(*words: object, state: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command, perhaps as another installation."""
    home = {} if state is None else {"XDG_STATE_HOME": str(state)}
    command = [str(EACTORS), *map(str, words)]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=os.environ | home)


def test_the_root_of_this_installation_is_what_images_trust_by_default(tmp_path: Path) -> None:
    """It is in the plan, which is measured."""
    servers = Servers(tmp_path, COUNT, enclaves=(1, 2))
    root = eactors("cpu", "root").stdout
    assert root.startswith("-----BEGIN CERTIFICATE-----\n")
    assert eactors("build", servers.source, servers.deployment, "-o", tmp_path / "built").returncode == 0
    for enclave in (1, 2):
        plan = json.loads((tmp_path / "built" / f"enclave-{enclave}" / "plan.json").read_bytes())
        (connector,) = plan["workers"][0]["actors"][0]["connectors"].values()
        assert (connector["exchange"], connector["roots"]) == ("remote-attestation", [root])


def test_roots_that_are_named_are_trusted_in_any_order(tmp_path: Path) -> None:
    """Two installations that build the same come to the same measurements."""
    mine, theirs = eactors("cpu", "root").stdout, eactors("cpu", "root", state=tmp_path / "state").stdout
    assert mine != theirs
    (tmp_path / "mine.pem").write_text(mine)
    (tmp_path / "theirs.pem").write_text(theirs)
    manifests = []
    for order in (("mine", "theirs"), ("theirs", "mine")):
        extra = "".join(f'<trust root="{name}.pem"/>' for name in order)
        servers = Servers(tmp_path, COUNT, extra, (1, 2))
        servers.deployment.write_text(servers.text(["a", "b"], extra, (1, 2)))
        built = tmp_path / "-".join(order)
        assert eactors("build", servers.source, servers.deployment, "-o", built).returncode == 0
        manifests.append((built / "manifest.json").read_bytes())
    assert manifests[0] == manifests[1]


def test_an_enclave_whose_root_nobody_trusts(tmp_path: Path) -> None:
    """The deployment names another root than that of the processors that run it."""
    (tmp_path / "other.pem").write_text(FakeAuthority().root)
    servers = Servers(tmp_path, COUNT, '<trust root="other.pem"/>', (1, 2))
    with started([servers.start(0), servers.start(1)]) as processes:
        ended = [end_of(process) for process in processes]
    assert [each.status for each in ended] == [1, 1]
    assert any("no root that this enclave trusts vouches for the processor" in each.stderr for each in ended)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read: No such file or directory"),
        ("no certificate", "holds no certificate in PEM"),
        (FakeAuthority().middle, "holds a certificate that another has issued, and no root"),
    ],
)
def test_a_root_that_is_none(tmp_path: Path, content: str | None, words: str) -> None:
    """Refused when it is built."""
    if content is not None:
        (tmp_path / "root.pem").write_text(content)
    servers = Servers(tmp_path, COUNT, '<trust root="root.pem"/>', (1, 2))
    done = eactors("build", servers.source, servers.deployment, "-o", tmp_path / "built")
    assert done.returncode == 2
    assert f"{tmp_path / 'root.pem'} {words}" in done.stderr
    assert "eactors cpu root > FILE" in done.stderr


def test_two_servers_of_one_installation_need_no_root_named(tmp_path: Path) -> None:
    """What is usual on one machine."""
    first, second = Servers(tmp_path, COUNT, enclaves=(1, 2)).run()
    assert (first, second) == (Ended(0, "all 2000\n", ""), Ended(0, "", ""))
