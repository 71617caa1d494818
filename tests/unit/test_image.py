"""Images: what is in one, that it is the same everywhere, and that nothing in it can be changed."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.reaching import SETTINGS, actor, write

from eactors.build import framework
from eactors.build.canonical import canonical, parse
from eactors.build.image import Image, check_interpreter, measurement, read_image
from eactors.build.observe import LIBRARY, Observation
from eactors.build.reach import reach
from eactors.build.summary import summarise
from eactors.build.writing import write_image
from eactors.errors import ImageError, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

FILES = {
    "bank.py": """
        import json
        from eactors import Actor, Connector
        from helpers import rate
        SECRET = "of Bob"
        class Alice(Actor):
            bob = Connector("Bob")
            def constructor(self):
                import fractions
                self.rate = rate
        class Bob(Actor):
            key = SECRET, json
        """,
    "helpers.py": "HIDDEN = 'hidden'\nrate = 3\n",
}
PYTHON = Path(sys.executable).resolve()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The application of these tests."""
    return write(tmp_path_factory.mktemp("source"), FILES)


@pytest.fixture
def image(source: Path, tmp_path: Path) -> Image:
    """Alice's image."""
    found = reach(source, [actor("Alice")])
    observed = Observation.start(found, tmp_path).collect()
    return write_image(tmp_path / "enclave-1", found, observed, SETTINGS, {"enclave": 1})


def test_an_image_holds_what_is_reached_and_loaded(image: Image) -> None:
    """The cut source, the framework's files that load, and modules down to those of functions."""
    assert {path for path in image.files if path.startswith("app/")} == {"app/bank.py", "app/helpers.py"}
    for path in ("__main__.py", "plan.json", "eactors/enclave/entry.py", "eactors/__init__.py"):
        assert path in image.files
    for name in ("fractions", "json/decoder", "encodings/__init__", "encodings/aliases", "encodings/utf_8"):
        assert f"{LIBRARY}/{name}.py" in image.files
    assert f"eactors/{framework.NATIVE.name}" in image.files
    assert not any(path.startswith(("eactors/host", "eactors/build", "eactors/cli")) for path in image.files)
    assert not any("socket" in path for path in image.files)
    assert (image.folder / "plan.json").read_bytes() == b'{"enclave":1}\n'


def test_no_byte_of_what_is_not_reached_is_there(image: Image) -> None:
    """Searched in every file."""
    content = b"".join(path.read_bytes() for path in image.folder.rglob("*") if path.is_file())
    for secret in (b"of Bob", b"SECRET = ", b"HIDDEN", b"hidden'", b"class Bob"):
        assert secret not in content


def test_a_written_image_reads_as_written(image: Image) -> None:
    """And its measurement is the hash that the documentation gives."""
    assert read_image(image.folder) == image
    description = (image.folder / "image.json").read_bytes()
    assert image.measurement == hashlib.sha256(b"eactors image 1\n" + description).digest()
    assert image.measurement == measurement(description)
    assert canonical(json.loads(description)) == description


def test_a_signature_is_no_part_of_the_measurement(image: Image) -> None:
    """It could not be: it signs it."""
    (image.folder / "sigstruct.bin").write_bytes(bytes(1808))
    read = read_image(image.folder)
    assert (read.sigstruct, read.measurement) == (bytes(1808), image.measurement)
    (image.folder / "sigstruct.bin").write_bytes(bytes(1809))
    with pytest.raises(ImageError, match="has not the 1808 bytes of a SIGSTRUCT"):
        read_image(image.folder)


BUILD = """
import sys
from pathlib import Path
from tests.reaching import SETTINGS, actor
from eactors.build.observe import Observation
from eactors.build.reach import reach
from eactors.build.writing import write_image
found = reach(Path(sys.argv[1]), [actor(sys.argv[3])])
out = Path(sys.argv[2])
image = write_image(out, found, Observation.start(found, out.parent).collect(), SETTINGS, {"b": 1, "a": 2})
"""


def test_the_same_inputs_give_the_same_image_anywhere(tmp_path: Path) -> None:
    """In other folders, time zones, for other users, with other masks, file times and hash seeds."""
    made = []
    for number, (zone, mask) in enumerate((("UTC", 0o022), ("Asia/Tokyo", 0o077))):
        path = write(tmp_path / f"folder {number}", FILES)
        os.utime(path, (number, 86_400 * number))
        environment = {
            "TZ": zone,
            "HOME": str(tmp_path),
            "USER": f"user{number}",
            "PYTHONHASHSEED": str(number + 1),
        }
        environment["PYTHONPATH"] = os.pathsep.join(sys.path)
        out = tmp_path / f"image-{number}"
        command = [sys.executable, "-c", BUILD, str(path), str(out), "Alice"]
        subprocess.run(command, env=environment, umask=mask, check=True)
        made.append((out / "image.json").read_bytes())
    assert made[0] == made[1]


def _append(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b" ")


def _flip(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(bytes([content[0] ^ 1]) + content[1:])


def _link(path: Path) -> None:
    path.rename(path.with_name("moved"))
    path.symlink_to("moved")


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("attack", "words"),
    [
        (lambda app: _append(app / "bank.py"), "app/bank.py was changed after the image was built"),
        (lambda app: _flip(app / "bank.py"), "app/bank.py was changed after the image was built"),
        (lambda app: (app / "bank.py").unlink(), "app/bank.py is missing"),
        (lambda app: (app / "extra.py").touch(), "app/extra.py was added after the image was built"),
        (lambda app: _link(app / "bank.py"), "app/bank.py is a symbolic link"),
        (_link, "app is a symbolic link"),
        (lambda app: _pipe(app / "bank.py"), "app/bank.py is no ordinary file"),
        (lambda app: _pipe(app.parent / "image.json"), "image.json is no ordinary file"),
        (lambda app: _link(app.parent / "image.json"), "image.json cannot be read"),
        (lambda app: _append(app.parent / "image.json"), "image.json is damaged"),
        (lambda app: os.truncate(app.parent / "image.json", 1 << 30), "image.json has more than 16 MiB"),
        (lambda app: (app.parent / "image.json").unlink(), "is no image: it has no image.json"),
    ],
)
def test_what_was_changed_is_named(image: Image, attack: Callable[[Path], object], words: str) -> None:
    """Whatever was done to the folder, and nothing waits for ever or fills the memory."""
    attack(image.folder / "app")
    with pytest.raises(ImageError, match=words) as caught:
        read_image(image.folder)
    assert "enclave-1" in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda it: it.update(format=2), "format 2, and this version reads 1"),
        (lambda it: it.update(more=1), "has not the parts"),
        (lambda it: it.pop("settings"), "has not the parts"),
        (lambda it: it["settings"].update(debug=0), "wrong settings"),
        (lambda it: it["interpreter"].update(files=[]), "wrong interpreter"),
        (lambda it: it["interpreter"]["files"].update({"../x": "0" * 64}), "wrong interpreter"),
        (lambda it: it.update(files=[]), "lists no files"),
        *(
            (lambda it, name=name: it["files"].update({name: {}}), "cannot be the name of a file")
            for name in ("../x", "/etc/passwd", "app//x", "app/./x", "", "app/\0", "image.json", "app\\x")
        ),
        (lambda it: it["files"].update({"app/x": {}}), "says of app/x what it says of no file"),
        (lambda it: it["files"]["app/bank.py"].update(size="1"), "wrong entry for app/bank.py"),
        (lambda it: it["files"]["app/bank.py"].update(origin="eactors"), "wrong entry for app/bank.py"),
        (lambda it: it["files"]["app/bank.py"].update(sha256="x"), "wrong entry for app/bank.py"),
    ],
)
def test_a_hostile_description_is_refused(image: Image, change: Callable[[Any], object], words: str) -> None:
    """Before any file that it names is touched."""
    content = json.loads(image.bytes)
    change(content)
    (image.folder / "image.json").write_bytes(canonical(content))
    with pytest.raises(ImageError, match=words):
        read_image(image.folder)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"\xff", b"[" * 100_000, b'{"a":1,"a":1}\n', b'{"a": 1}\n', b"NaN"]
)
def test_only_canonical_json_is_read(data: bytes) -> None:
    """Two readers can never see two contents."""
    with pytest.raises(ValueError, match=r"."):
        parse(data)


def test_the_interpreter_is_checked(image: Image) -> None:
    """This one passes; a file that differs, is not here, or another version is named."""
    check_interpreter(image, PYTHON)
    for changes, words in (
        ({"files": {PYTHON.name: "0" * 64}}, f"{PYTHON.name} is another"),
        ({"files": {"libnothing.so.1": "0" * 64}}, "libnothing.so.1 is part of the interpreter"),
        ({"version": "2.7.18"}, "was built with 2.7.18"),
    ):
        other = Image(image.folder, b"", {}, {**image.interpreter, **changes}, {}, None)
        with pytest.raises(ImageError, match=words):
            check_interpreter(other, PYTHON)


def test_the_interpreter_is_described_whole(image: Image) -> None:
    """The binary, the C library, the loader."""
    names = " ".join(image.interpreter["files"])
    assert PYTHON.name in names
    assert "libc.so" in names
    assert "ld-linux" in names
    assert image.interpreter["version"] == ".".join(map(str, sys.version_info[:3]))


def test_the_summary_adds_up(image: Image) -> None:
    """Every file has an origin; the application's lines are those that are left."""
    shares = summarise(image)
    assert sum(share.files for share in shares.values()) == len(image.files)
    assert sum(share.bytes for share in shares.values()) == sum(e["size"] for e in image.files.values())
    assert shares["application"].lines == 8
    assert shares["third-party"].files == 0
    assert shares["eactors"].lines > 1000


def test_the_untrusted_side_has_the_framework_and_the_source(source: Path, tmp_path: Path) -> None:
    """And takes the rest from the machine."""
    image = write_image(tmp_path / "untrusted", reach(source, [actor("Bob")]), None, SETTINGS, {})
    assert "eactors/private.py" in image.files
    assert not any(path.startswith(("lib", "site/")) for path in image.files)
    assert read_image(image.folder) == image


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("class Alice:\n    x = globals()['Y']\nY = 1\n", r"app.py:2: what Alice need.*KeyError: 'Y'"),
        ("import sys\nclass Alice:\n    sys.exit(3)\n", "app.py:3: .*SystemExit: 3"),
        ("import os\nclass Alice:\n    os._exit(3)\n", "ended the interpreter with status 3"),
    ],
)
def test_a_source_that_does_not_load_alone(tmp_path: Path, text: str, words: str) -> None:
    """The build says where, and what to declare."""
    found = reach(write(tmp_path, {"app.py": text}), [actor("Alice")])
    with pytest.raises(SourceError, match=words):
        Observation.start(found, tmp_path).collect()


def test_required_modules_are_there_or_missed(tmp_path: Path) -> None:
    """An optional import may find nothing, what is declared may not."""
    text = "from eactors import Actor\nclass Alice(Actor):\n    def f(self):\n        import nowhere\n"
    path = write(tmp_path, {"app.py": text})
    files = Observation.start(reach(path, [actor("Alice", ("json.tool",))]), tmp_path).collect().files
    assert f"{LIBRARY}/json/tool.py" in files
    with pytest.raises(SourceError, match="No module named 'nowhere'"):
        Observation.start(reach(path, [actor("Alice", ("nowhere",))]), tmp_path).collect()
