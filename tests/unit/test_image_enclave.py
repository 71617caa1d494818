"""Running from an image: nothing else is there, and what is missing is said so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.reaching import SETTINGS, actor, write

from eactors.build.observe import LIBRARY, Observation
from eactors.build.reach import reach
from eactors.build.writing import write_image

PYTHON = Path(sys.executable).resolve()
FILES = {
    "bank.py": """
        import typing
        from eactors import Actor, Connector
        import msgspec
        from helpers import fail

        class Money(msgspec.Struct):
            amount: int

        class Alice(Actor):
            bob = Connector("Bob", message=Money)
            fail = staticmethod(fail)
            def late(self):
                name = "frac" "tions"
                __import__(name)
        """,
    "helpers.py": "\n\ndef fail():\n    raise ValueError\n",
}
START = """
import sys
home = sys.argv[1]
sys.path[:0] = [home, home + "/app"]
sys.path.append(home + "/site")
from eactors.enclave import beside, loader, missing
missing.install("enclave 1 (bank)")
beside.install(home, "app")
bank = loader.execute(home + "/app/bank.py", "bank", "app/bank.py")
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image with a typed message."""
    folder = tmp_path_factory.mktemp("image")
    found = reach(write(folder / "source", FILES), [actor("Alice")])
    observed = Observation.start(found, folder).collect()
    return write_image(folder / "enclave-1", found, observed, SETTINGS, {}).folder


def run(home: Path, program: str) -> str:
    """Run a program in an interpreter that has nothing but the image; what it prints."""
    command = [str(PYTHON), "-P", "-s", "-S", "-B", "-c", START + program, str(home)]
    done = subprocess.run(
        command, env={"PYTHONHOME": str(home)}, capture_output=True, text=True, check=False, cwd="/"
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_everything_is_loaded_from_the_image(home: Path) -> None:
    """Typed messages and their packages included."""
    program = """
bank.Alice.__eactors__.connectors["bob"].codec()
for module in list(sys.modules.values()):
    file = getattr(getattr(module, "__spec__", None), "origin", None)
    if file not in (None, "frozen", "built-in") and not file.startswith(home):
        print(file)
"""
    assert run(home, program) == ""


def test_nothing_is_compiled_again(home: Path) -> None:
    """Each module has its compiled form in the image, which costs a start far less."""
    program = f"""
import importlib.machinery
kept = importlib.machinery.SourceFileLoader.source_to_code
def compiled(self, data, path, **options):
    print(path)
    return kept(self, data, path, **options)
importlib.machinery.SourceFileLoader.source_to_code = compiled
for name in list(sys.modules):
    if "{LIBRARY}/" in str(getattr(sys.modules[name], "__file__", "")) and name.startswith("json"):
        del sys.modules[name]
import json
"""
    assert run(home, program) == ""


def test_code_is_called_by_its_place(home: Path) -> None:
    """In the source and in modules beside it, so that the host can name the user's files."""
    program = """
from helpers import fail
try:
    fail()
except ValueError as error:
    code = error.__traceback__.tb_next.tb_frame.f_code
    print(code.co_filename, error.__traceback__.tb_next.tb_lineno, bank.Alice.late.__code__.co_filename)
"""
    assert run(home, program) == "app/helpers.py 4 app/bank.py"


def test_a_missing_module_is_said_to_be_missing(home: Path) -> None:
    """Whatever way it is imported, with the declaration to write."""
    program = """
import importlib
from eactors.errors import ModuleNotInImage
for attempt in (lambda: bank.Alice().late(), lambda: importlib.import_module("fractions")):
    try:
        attempt()
    except ModuleNotInImage as error:
        print(error, error.hint, error.name, sep="|")
"""
    message = "the module fractions is not in the image of enclave 1 (bank)"
    hint = (
        'declare requires = ("fractions",) in the actor\'s class, or'
        ' <requires enclave="..." module="fractions"/> in the deployment'
    )
    assert run(home, program).split("\n") == [f"{message}|{hint}|fractions"] * 2


def test_optional_imports_go_on_without(home: Path) -> None:
    """What catches ImportError, asks whether a module is there, or takes a name from a package."""
    program = """
import importlib.util
try:
    import nothing
except ImportError:
    print("caught")
print(importlib.util.find_spec("nothing"))
try:
    from json import nothing
except ImportError as error:
    print(type(error).__name__, str(error).split(" (")[0])
"""
    expected = ["caught", "None", "ImportError cannot import name 'nothing' from 'json'"]
    assert run(home, program).split("\n") == expected


def test_observation_and_image_agree(home: Path) -> None:
    """What the build has loaded, the image can load: the standard library's optional parts too."""
    names = [
        ".".join(path.relative_to(home / LIBRARY).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted((home / LIBRARY).rglob("*.py"))
    ]
    assert (
        run(home, f"import importlib\nfor name in {names!r}: importlib.import_module(name)\nprint('all')")
        == "all"
    )
