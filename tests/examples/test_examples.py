"""Every example in every deployment, run as a user runs it: the same lines, whoever runs where."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import NOTICE

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
EACTORS = Path(sys.executable).with_name("eactors")

SOURCES = {
    "template": "hello.py",
    "pingpong": "pingpong.py",
    "pingpong2": "pingpong2.py",
    "tripong": "tripong.py",
    "diffie_hellman": "diffie_hellman.py",
    "attestation": "attestation.py",
    "files": "letters.py",
}

# How each channel is protected in each deployment; for pools, where they lie.
CARRIERS = {
    "template/untrusted": {},
    "template/trusted": {},
    "pingpong/untrusted": {"nodes": "private"},
    "pingpong/one-trusted": {"nodes": "public"},
    "pingpong/two-enclaves": {"nodes": "public"},
    "pingpong/one-enclave": {"nodes": "private"},
    "pingpong/one-worker": {"nodes": "public"},
    "pingpong2/untrusted": {"aping - apong": "private"},
    "pingpong2/one-trusted": {"aping - apong": "plain"},
    "pingpong2/two-enclaves": {"aping - apong": "encrypted"},
    "pingpong2/two-enclaves-plain": {"aping - apong": "plain"},
    "pingpong2/two-enclaves-aes-256": {"aping - apong": "encrypted"},
    "pingpong2/two-enclaves-chacha20": {"aping - apong": "encrypted"},
    "pingpong2/two-enclaves-sealing": {"aping - apong": "encrypted"},
    "pingpong2/one-enclave": {"aping - apong": "private"},
    "pingpong2/one-worker": {"aping - apong": "encrypted"},
    "tripong/untrusted": {"aming - aping": "private", "aming - apong": "private"},
    "tripong/one-trusted": {"aming - aping": "plain", "aming - apong": "plain"},
    "tripong/three-enclaves": {"aming - aping": "encrypted", "aming - apong": "encrypted"},
    "tripong/three-enclaves-plain": {"aming - aping": "plain", "aming - apong": "plain"},
    "tripong/three-enclaves-sealing": {"aming - aping": "encrypted", "aming - apong": "encrypted"},
    "tripong/two-in-one": {"aming - aping": "private", "aming - apong": "encrypted"},
    "tripong/one-enclave": {"aming - aping": "private", "aming - apong": "private"},
    "tripong/one-worker": {"aming - aping": "encrypted", "aming - apong": "encrypted"},
    "diffie_hellman/two-enclaves": {"Alice - Bob": "encrypted"},
    "diffie_hellman/attested": {"Alice - Bob": "encrypted"},
    "attestation/two-enclaves": {"nodes": "public"},
    "files/untrusted": {"reader - writer": "private"},
    "files/two-enclaves": {"reader - writer": "encrypted"},
    "files/one-enclave": {"reader - writer": "private"},
}

PRINTED = {
    "template": """\
hello: hello 1
hello: hello 2
hello: hello 3
""",
    "pingpong": """\
apong: got ping 1
aping: got pong 1
apong: got ping 2
aping: got pong 2
apong: got ping 3
aping: got pong 3
apong: got bye
""",
    "pingpong2": """\
apong: got ping 1
aping: got pong 1
apong: got ping 2
aping: got pong 2
apong: got ping 3
aping: got pong 3
apong: aping has finished
""",
    "tripong": """\
aming: ping 1 to apong
apong: got ping 1
aming: pong 1 to aping
aping: got pong 1
aming: ping 2 to apong
apong: got ping 2
aming: pong 2 to aping
aping: got pong 2
aming: ping 3 to apong
apong: got ping 3
aming: pong 3 to aping
aping: got pong 3
aming: bye to apong
apong: got bye
""",
    "diffie_hellman": """\
bob: can anyone hear us?
alice: nobody who only listens
""",
    "attestation": """\
alice: sent a report that only bob's enclave can check
bob: a report of 432 bytes debug: alice wants to know who bob is
bob: it is alice's enclave, as the manifest says
alice: a report of 432 bytes debug: bob says so, and asks back
alice: it is bob's enclave, as the manifest says
alice: with one bit changed it proves nothing
""",
    "files": """\
writer: wrote a line
writer: wrote a line
writer: wrote a line
writer: sends 56 bytes
reader: Dear reader,
reader: an enclave has no files.
reader: It asks for them.
reader: remove inbox/letter: the deployment grants the directory 'inbox' for reading only
reader: open inbox/../letters.py: a path has no empty names, no '.' and no '..'
reader: open outbox/letter: the deployment grants no directory 'outbox' (it grants: inbox)
writer: the letter was read
""",
}


def files(case: str) -> tuple[Path, Path]:
    """The source and the deployment of a case, relative to the root as a user types them."""
    example, deployment = case.split("/")
    folder = Path("examples") / example
    return folder / SOURCES[example], folder / f"{deployment}.xml"


def eactors(*arguments: object, temporary: Path) -> tuple[int, str, str, int]:
    """Run the command; its status, stdout, stderr and process id."""
    with subprocess.Popen(
        [EACTORS, *map(str, arguments)],
        cwd=ROOT,
        env=dict(os.environ, TMPDIR=str(temporary)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            stdout, stderr = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.terminate()
            stdout, stderr = process.communicate()
            pytest.fail(f"{arguments} hangs; so far it printed {stdout!r} and {stderr!r}")
    return process.returncode, stdout, stderr.replace(NOTICE, ""), process.pid


def test_every_deployment_has_a_case() -> None:
    """No example is left out."""
    found = {
        f"{file.parent.name}/{file.stem}" for name in SOURCES for file in (EXAMPLES / name).glob("*.xml")
    }
    assert found == CARRIERS.keys()
    folders = {folder.name for folder in EXAMPLES.iterdir() if folder.is_dir()}
    # test_smc, test_https, test_echo, test_object_store, test_pingpong_network, test_spawn
    others = {"demo", "https", "object_store", "pingpong_network", "smc", "spawn", "tcp_echo", "tls_echo"}
    assert folders - others == SOURCES.keys()


@pytest.mark.parametrize("example", SOURCES)
def test_an_example_is_one_source_and_says_what_it_prints(example: str) -> None:
    """The README shows the printed lines and names every deployment."""
    folder = EXAMPLES / example
    assert [file.name for file in folder.glob("*.py")] == [SOURCES[example]]
    readme = (folder / "README.md").read_text(encoding="utf-8")
    shown = "".join(f"    {line}\n" for line in PRINTED[example].splitlines())
    assert shown in readme
    for deployment in folder.glob("*.xml"):
        assert f"`{deployment.name}`" in readme


@pytest.mark.parametrize("case", CARRIERS)
def test_prints_the_same_lines_in_every_deployment(case: str, tmp_path: Path) -> None:
    """Exactly these lines in this order, status 0, and nothing left behind."""
    status, stdout, stderr, pid = eactors("run", *files(case), temporary=tmp_path)
    # A CPU that this machine lacks is worth a warning, and nothing else is.
    assert [line for line in stderr.splitlines() if "this machine has no CPU" not in line] == []
    assert stdout == PRINTED[case.split("/", maxsplit=1)[0]]
    assert status == 0
    assert list(Path("/dev/shm").glob(f"eactors-{pid}-*")) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("case", CARRIERS)
def test_check_shows_how_each_is_carried_as_text(case: str, tmp_path: Path) -> None:
    """The tree names each channel, or pool, with its carrier."""
    status, stdout, stderr, _ = eactors("check", *files(case), temporary=tmp_path)
    assert (status, stderr) == (0, "")
    channels = {
        " - ".join(sorted((one, other))): carried
        for one, other, carried in re.findall(r"(\w+)\.[\w.]+ - (\w+)\.[\w.]+: (\w+)", stdout)
    }
    pools = dict(re.findall(r"(\w+): (private|public), \d+ nodes", stdout))
    assert channels | pools == CARRIERS[case]


@pytest.mark.parametrize("case", CARRIERS)
def test_check_shows_how_each_is_carried_as_json(case: str, tmp_path: Path) -> None:
    """The same for scripts."""
    status, stdout, stderr, _ = eactors("check", "--json", *files(case), temporary=tmp_path)
    assert (status, stderr) == (0, "")
    plan = json.loads(stdout)
    channels = {
        " - ".join(sorted(end.split(".")[0] for end in channel["between"])): channel["protection"]
        for channel in plan["channels"]
    }
    pools = {pool["name"]: pool["kind"] for pool in plan["pools"]}
    assert channels | pools == CARRIERS[case]
    assert plan["unplaced"] == []


@pytest.mark.parametrize(
    ("case", "param", "last"),
    [
        ("template/trusted", "hello.times=5", "hello: hello 5"),
        ("pingpong/two-enclaves", "aping.rounds=200", "aping: got pong 200"),
        ("pingpong2/one-worker", "aping.rounds=200", "aping: got pong 200"),
        ("tripong/three-enclaves", "aping.rounds=200", "aping: got pong 200"),
    ],
)
def test_a_parameter_sets_how_long_it_goes_on(case: str, param: str, last: str, tmp_path: Path) -> None:
    """More rounds than nodes and than messages that a channel holds: everything is given back."""
    status, stdout, _, _ = eactors("run", *files(case), "--param", param, temporary=tmp_path)
    assert status == 0
    assert last in stdout.splitlines()
