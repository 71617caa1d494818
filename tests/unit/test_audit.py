"""The words in which a sealed enclave refuses: what was tried, by whom, and the way out."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from pathlib import Path

import pytest

from eactors import _native
from eactors.errors import EActorsError, SandboxViolation

PACKAGE = Path(_native.__file__).parents[1]

# A hook cannot be removed, so each program is a process of its own. It is not sealed, to be
# able to answer; the last test puts the two together.
PRELUDE = """
import sys
sys.path.insert(0, sys.argv[1])
import ctypes, glob, importlib.util, json, logging, os, shutil, socket, subprocess, threading
from eactors import _native
from eactors.platform import audit

actor = ["Ping"]
audit.install(lambda: actor[0])

def outcome(function, *arguments):
    try:
        function(*arguments)
    except Exception as error:
        fields = [getattr(error, name, None) for name in ("errno", "actor")]
        return [type(error).__name__, str(error), *fields]
    return None
"""


def run(program: str) -> subprocess.CompletedProcess[str]:
    """Run a program behind the prelude to its end."""
    command = [sys.executable, "-I", "-S", "-B", "-c", PRELUDE + program, str(PACKAGE)]
    return subprocess.run(command, env={}, capture_output=True, text=True, check=False)


def outcome(attempt: str) -> list[object] | None:
    """Return the class, text, number and actor of what an attempt raises, if it does."""
    done = run(f"print(json.dumps(outcome({attempt})))")
    assert done.returncode == 0, done.stderr
    answer: list[object] | None = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize(
    ("attempt", "shown"),
    [
        ("open, '/etc/passwd'", "open('/etc/passwd')"),
        ("open, b'x' * 200", "open(b'" + "x" * 78 + "...)"),
        ("os.listdir, '/'", "os.listdir('/')"),
        ("os.remove, '/nothing'", "os.remove('/nothing')"),
        ("os.system, 'ls'", "os.system(b'ls')"),
        ("os.fork,", "os.fork()"),
        ("os.execv, '/bin/true', ['true']", "os.execve('/bin/true')"),
        ("os.kill, 1, 0", "os.kill(1)"),
        ("socket.socket,", "socket.socket()"),
        ("socket.getaddrinfo, b'example.org', 80", "socket.getaddrinfo(b'example.org')"),
        ("subprocess.Popen, ['true']", "subprocess.Popen('true')"),
        ("shutil.rmtree, '/nothing'", "shutil.rmtree('/nothing')"),
        ("glob.glob, '/*'", "glob.glob('/*')"),
        ("ctypes.CDLL, 'libm.so.6'", "ctypes.CDLL('libm.so.6')"),
    ],
)
def test_an_attempt_is_worded(attempt: str, shown: str) -> None:
    """The text names the actor, the call and the system actor; the number is EPERM."""
    text = f"actor 'Ping' cannot call {shown} from inside an enclave: only a system actor can"
    assert outcome(attempt) == ["SandboxViolation", text, errno.EPERM, "Ping"]


@pytest.mark.parametrize(
    "attempt",
    [
        "importlib.import_module, 'fractions'",
        "exec, 'import fractions'",
        "exec, 'from fractions import Fraction'",
        "importlib.util.find_spec, 'fractions'",
    ],
)
def test_a_late_import_has_words_of_its_own(attempt: str) -> None:
    """Whichever way a module is asked for, the answer is to import it earlier."""
    answer = outcome(attempt)
    assert answer is not None
    assert answer[0] == "SandboxViolation"
    assert str(answer[1]).startswith("actor 'Ping' cannot import fractions: ")
    assert str(answer[1]).endswith("import it at the top of the source file instead")
    assert answer[2:] == [errno.EPERM, "Ping"]


def test_a_late_submodule_is_named_in_full() -> None:
    """A loaded package does not bring its submodules with it."""
    answer = outcome("exec, 'from json import tool'")
    assert answer is not None
    assert "cannot import json.tool:" in str(answer[1])


@pytest.mark.parametrize("lookup", ["socket.getaddrinfo, 'example.org', 80", "socket.gethostbyname, 'a.b'"])
def test_looking_up_a_host_is_no_late_import(lookup: str) -> None:
    """The codec that socket imports for it would be the wrong thing to complain about."""
    text = "actor 'Ping' cannot look up the name of a host from inside an enclave: only a system actor can"
    assert outcome(lookup) == ["SandboxViolation", text, errno.EPERM, "Ping"]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="CPython 3.11 announces no threads")
def test_a_thread_has_words_of_its_own() -> None:
    """No system actor can start a thread; a worker of the deployment is the answer."""
    answer = outcome("threading.Thread(target=print).start")
    assert answer is not None
    assert answer[0] == "SandboxViolation"
    assert "workers of the deployment" in str(answer[1])


@pytest.mark.parametrize(
    "attempt",
    [
        "exec, 'import json'",  # loaded already
        "importlib.import_module, next(n for n in sys.builtin_module_names if n not in sys.modules)",
        "exec, 'import __hello__'",  # frozen into the interpreter
        "os.putenv, 'NAME', 'value'",
        "os.unsetenv, 'NAME'",
        "id, 1",
        "os.getpid,",
        "compile, '1', '', 'eval'",
        "ctypes.create_string_buffer, 8",
        "logging.getLogger().makeRecord, 'name', 10, 'file', 1, 'text', (), None",
    ],
)
def test_what_needs_no_system_call_is_left_alone(attempt: str) -> None:
    """The hook words refusals of the kernel; it adds none of its own."""
    assert outcome(attempt) is None


def test_code_outside_of_any_actor_is_called_that() -> None:
    """The runtime's own mistakes are not blamed on an actor."""
    done = run("actor[0] = None\nprint(json.dumps(outcome(open, '/etc/passwd')))")
    answer = json.loads(done.stdout)
    assert answer[1].startswith("code outside of any actor cannot call open('/etc/passwd')")
    assert answer[3] is None


def test_the_words_survive_the_seal() -> None:
    """In a sealed process the words come first, and the bare refusal where there is no event."""
    done = run(
        """
_native.sandbox_prepare(os.getppid())
_native.sandbox_seal(_native.sandbox_filter())
worded = outcome(open, "/etc/passwd")
bare = outcome(os.pipe)
os._exit(0 if worded[0] == "SandboxViolation" and bare[0] == "PermissionError" else 1)
"""
    )
    assert done.returncode == 0, done.stderr


def test_a_violation_is_what_its_catchers_expect() -> None:
    """It is an error of EActors and a PermissionError, and prints without a number."""
    error = SandboxViolation("no", actor="Ping", hint="yes")
    assert isinstance(error, EActorsError)
    assert isinstance(error, PermissionError)
    assert (str(error), error.message, error.strerror, error.errno) == ("no", "no", "no", errno.EPERM)
    assert (error.actor, error.hint) == ("Ping", "yes")
