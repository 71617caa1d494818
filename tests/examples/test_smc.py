"""The secure sum: right in every deployment, from files as well, and blind."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import environment

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER = Path(__file__).parents[2] / "examples/smc"
EACTORS = Path(sys.executable).with_name("eactors")
DEPLOYMENTS = {"three-parties": 3, "five-parties": 5, "eight-parties": 8, "one-worker": 3}
_SPEC = importlib.util.spec_from_file_location("smc", FOLDER / "smc.py")
assert _SPEC is not None
assert _SPEC.loader is not None
smc: Any = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(smc)

numbers = st.integers(smc.LEAST, smc.MOST)


def eactors(temporary: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    return subprocess.run(
        [EACTORS, *map(str, arguments)],
        env=environment(temporary),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def params(parties: int, **values: object) -> list[str]:
    """The same parameters for every party."""
    names = ["first", *(f"keeper{number}" for number in range(1, parties))]
    return [
        word
        for party in names
        for name, value in values.items()
        for word in ("--param", f"{party}.{name}={value}")
    ]


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
@pytest.mark.parametrize("dynamic", [False, True])
def test_the_sum_is_right(deployment: str, dynamic: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """Of vectors that the test knows, because their seed is not 0."""
    import random  # noqa: PLC0415

    parties, length, rounds = DEPLOYMENTS[deployment], 50, 20
    names = ["first", *(f"keeper{number}" for number in range(1, parties))]
    vectors = []
    for name in names:
        dice = random.Random(f"7 {name}")
        vectors.append([dice.randrange(-(1 << 40), 1 << 40) for _ in range(length)])
    given_params = params(parties, length=length, rounds=rounds, seed=7, dynamic=dynamic)
    done = eactors(tmp_path, "run", FOLDER / "smc.py", FOLDER / f"{deployment}.xml", *given_params)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    grown = (rounds - 1) * parties if dynamic else 0
    assert result["sums"] == rounds
    assert result["last"] == [str(sum(column) + grown) for column in zip(*vectors, strict=True)][:3]


@given(st.lists(st.lists(numbers, min_size=4, max_size=4), min_size=3, max_size=8), st.data())
def test_masks_come_off_exactly(vectors: Sequence[Sequence[int]], data: st.DataObject) -> None:
    """For the largest and smallest numbers, too, whatever the mask."""
    modulus = 1 << (8 * smc.LANE * 4)
    mask = data.draw(st.integers(0, modulus - 1))
    total = mask
    for vector in vectors:
        total = (total + smc.pack(vector)) % modulus
    sums = smc.unpack((total - mask) % modulus, 4, len(vectors))
    assert sums == [sum(column) for column in zip(*vectors, strict=True)]


@given(numbers, st.integers(0, 6))
def test_a_number_that_is_written_is_read(value: int, scale: int) -> None:
    """Decimal places and signs included."""
    assert smc.parse("p", smc.decimal(value, scale).encode(), scale) == [value]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1\n2\nsecret words\n", "line 3 is no number"),
        ("1\n\n3\n", "line 2 is no number"),
        ("1.\n", "line 1 is no number"),
        ("1\n-\n", "line 2 is no number"),
        ("0.123\n", "line 1 has more than 2 decimal places"),
        (f"{1 << 63}\n", "line 1 is out of range"),
        ("1\n" + "9" * 5000, "line 2 is out of range"),
        ("", "there are no numbers"),
        ("\u0661\n", "line 1 is no number"),
    ],
)
def test_a_wrong_file_is_named_by_party_and_line(text: str, words: str) -> None:
    """And nothing of it is shown."""
    with pytest.raises(smc.SecretInvalid) as caught:
        smc.parse("keeper3", text.encode(), 2)
    assert str(caught.value) == f"keeper3: {words}"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ring of three, for vectors of two numbers with two decimal places."""
    folder = tmp_path_factory.mktemp("smc")
    done = eactors(
        folder,
        "build",
        FOLDER / "smc.py",
        FOLDER / "three-parties.xml",
        "-o",
        folder / "built",
        *params(3, length=2, scale=2, rounds=3),
    )
    assert done.returncode == 0, done.stderr
    return folder / "built"


def provision(built: Path, actor: str, text: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Give an actor a file."""
    file = built.parent / "numbers.csv"
    file.write_text(text)
    return eactors(built.parent, "provision", file, built, "--to", actor, *options)


def test_the_parties_add_their_own_files(built: Path) -> None:
    """What the host keeps of them tells it nothing, and every enclave reads its own."""
    for actor, text in (("first", "1.50\n-2\n"), ("keeper1", "10\n20\n"), ("keeper2", "0.25\n0.01\n")):
        done = provision(built, actor, text, "--allow-debug")
        assert done.returncode == 0, done.stderr
        assert text.encode() not in (built / "provisioned" / f"{actor}.sealed").read_bytes()
    assert json.loads(eactors(built.parent, "run", built).stdout)["last"] == ["11.75", "18.01"]

    sealed = {actor: built / "provisioned" / f"{actor}.sealed" for actor in ("keeper1", "keeper2")}
    content = sealed["keeper2"].read_bytes()
    for wrong in (
        sealed["keeper1"].read_bytes(),
        content[:-1],
        content[:40] + bytes((content[40] ^ 1,)) + content[41:],
    ):
        sealed["keeper2"].write_bytes(wrong)
        done = eactors(built.parent, "run", built)
        assert (done.returncode, done.stdout) == (1, "")
        assert "SealBroken: what was provisioned for actor 'keeper2' was changed" in done.stderr

    assert provision(built, "keeper2", "1\nmy secret\n", "--allow-debug").returncode == 0
    done = eactors(built.parent, "run", built)
    assert done.returncode == 1
    assert "error: actor 'keeper2' failed: SecretInvalid: keeper2: line 2 is no number\n" in done.stderr
    assert "hint: correct the file of that party, and give it again: eactors provision" in done.stderr
    assert "my secret" not in done.stderr

    # As a spreadsheet writes it: with a mark of the encoding before the first number.
    assert provision(built, "keeper2", "\ufeff0.25\n0.01\n", "--allow-debug").returncode == 0
    assert json.loads(eactors(built.parent, "run", built).stdout)["last"] == ["11.75", "18.01"]

    assert provision(built, "keeper2", "1\n", "--allow-debug").returncode == 0
    assert "keeper2: there are 1 numbers, and the others have 2" in eactors(built.parent, "run", built).stderr


@pytest.mark.parametrize(
    ("actor", "words"),
    [
        ("keeper1", "is a debug enclave, which cannot keep a file from its host"),
        ("keeper9", "has no actor 'keeper9'\nhint: did you mean"),
    ],
)
def test_to_whom_nothing_is_given(built: Path, actor: str, words: str) -> None:
    """Each refusal says why, and what to do."""
    done = provision(built, actor, "1\n2\n")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert words in done.stderr


def test_an_enclave_whose_manifest_was_changed_gets_nothing(built: Path) -> None:
    """The owners' signatures are checked before anything is started."""
    manifest = built / "manifest.json"
    content = manifest.read_bytes()
    try:
        manifest.write_bytes(content.replace(b'"debug":true', b'"debug":false'))
        done = provision(built, "keeper1", "1\n2\n")
        assert done.returncode == 2
        assert "signature is for another manifest" in done.stderr
    finally:
        manifest.write_bytes(content)


def test_secrets_do_not_travel_in_the_clear(tmp_path: Path) -> None:
    """The labels hold: one plain channel, and nothing starts."""
    text = (FOLDER / "three-parties.xml").read_text()
    plain = tmp_path / "plain.xml"
    plain.write_text(text.replace("</data>", '<channel between="first keeper1" cipher="none"/></data>'))
    done = eactors(tmp_path, "run", FOLDER / "smc.py", plain)
    assert done.returncode == 2
    assert "secret" in done.stderr
