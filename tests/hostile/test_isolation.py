"""What other processes of the same user can do to an enclave, and whether it outlives its launcher.

root may trace anyone, so a test that runs as root first becomes nobody: inside the running
program, because nobody may be unable to read the interpreter. Changing the user makes a
process non-dumpable by itself; the programs undo that, lest the test prove nothing.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from eactors import _native

PACKAGE = Path(_native.__file__).parents[1]

PRELUDE = """
import sys
sys.path.insert(0, sys.argv[1])
import ctypes, json, os, resource, signal
from eactors import _native

libc = ctypes.CDLL(None, use_errno=True)

def result(function, *arguments):
    ctypes.set_errno(0)
    return ctypes.get_errno() if function(*arguments) == -1 else 0

def opened(path, flags):
    try:
        os.close(os.open(path, flags))
    except OSError as error:
        return error.errno
    return 0

if os.geteuid() == 0:
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
assert libc.prctl(4, 1, 0, 0, 0) == 0  # PR_SET_DUMPABLE
"""

# The attacker is the victim's parent, the one whom hardened kernels still let trace.
ATTACK = """
secret = ctypes.create_string_buffer(b"secret")
ready, tell = os.pipe()
wait, stay = os.pipe()
victim = os.fork()
if victim == 0:
    os.close(stay)
    if sys.argv[2] == "prepared":
        _native.sandbox_prepare(os.getppid())
    os.write(tell, b".")
    os.read(wait, 1)
    os._exit(0)
os.read(ready, 1)

class Piece(ctypes.Structure):
    _fields_ = [("address", ctypes.c_void_p), ("length", ctypes.c_size_t)]

copy = ctypes.create_string_buffer(16)
here = Piece(ctypes.addressof(copy), 6)
there = Piece(ctypes.addressof(secret), 6)
answers = {
    "mem": opened(f"/proc/{victim}/mem", os.O_RDWR),
    "maps": opened(f"/proc/{victim}/maps", os.O_RDONLY),
    "environ": opened(f"/proc/{victim}/environ", os.O_RDONLY),
    "readv": result(libc.process_vm_readv, victim, ctypes.byref(here), 1, ctypes.byref(there), 1, 0),
    "copy": copy.value.decode(),
    "attach": result(libc.ptrace, 16, victim, None, None),
    "seize": result(libc.ptrace, 0x4206, victim, None, None),
}
os.kill(victim, signal.SIGKILL)
os.waitpid(victim, 0)
print(json.dumps(answers))
"""


def start(program: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a program behind the prelude, with pipes to and from it."""
    command = [sys.executable, "-I", "-S", "-B", "-c", PRELUDE + program, str(PACKAGE), *arguments]
    return subprocess.Popen(command, env={}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def attacked(victim: str) -> dict[str, object]:
    """Return what an attacker of the same user gets from a victim."""
    with start(ATTACK, victim) as process:
        output, _ = process.communicate()
    assert process.returncode == 0
    return dict(json.loads(output))


def test_an_ordinary_process_can_be_traced() -> None:
    """Without the sandbox the attack succeeds: the next test proves something."""
    scope = Path("/proc/sys/kernel/yama/ptrace_scope")
    if scope.exists() and int(scope.read_text()) > 1:
        pytest.skip("this kernel lets no one be traced, sandbox or not")
    answers = attacked("ordinary")
    # Seizing what is already attached: the attach was real.
    assert answers.pop("seize") == errno.EPERM
    assert answers.pop("copy") == "secret"
    assert set(answers.values()) == {0}


def test_an_enclave_cannot_be_traced_or_read() -> None:
    """Not even the launcher can attach to a prepared process or reach its memory."""
    answers = attacked("prepared")
    assert answers.pop("copy") == ""
    assert set(answers) == {"mem", "maps", "environ", "readv", "attach", "seize"}
    assert set(answers.values()) <= {errno.EPERM, errno.EACCES}


LAUNCHER = """
enclave = os.fork()
if enclave == 0:
    _native.sandbox_prepare(os.getppid())
    if sys.argv[2] == "sealed":
        os.write(1, b"ready\\n")
        _native.sandbox_seal(_native.sandbox_filter())
        while True:
            os.sched_yield()
    os.write(1, b"ready\\n")
while True:
    signal.pause()
"""


@pytest.mark.parametrize("state", ["prepared", "sealed"])
def test_an_enclave_dies_with_its_launcher(state: str) -> None:
    """Killed with -9, a launcher can clean nothing up; the kernel ends its enclaves."""
    with start(LAUNCHER, state) as launcher:
        assert launcher.stdout is not None
        assert launcher.stdout.readline() == "ready\n"
        launcher.kill()
        # The end of the file comes when the last process that holds the pipe has ended.
        assert launcher.stdout.read() == ""
    assert launcher.returncode == -signal.SIGKILL


ORPHAN = """
launcher = os.getpid()
if os.fork() == 0:
    sys.stdin.readline()
    try:
        _native.sandbox_prepare(launcher)
    except ProcessLookupError as error:
        print(error, flush=True)
os._exit(0)
"""


def test_an_orphan_does_not_start() -> None:
    """A launcher that ends before the enclave is bound to it leaves no enclave behind."""
    with start(ORPHAN) as launcher:
        assert launcher.stdin is not None
        assert launcher.stdout is not None
        # Waiting first: the kernel hands the child on before it lets the launcher be waited for.
        assert launcher.wait() == 0
        launcher.stdin.write("go\n")
        launcher.stdin.flush()
        assert "launcher of this enclave has ended" in launcher.stdout.read()


@pytest.mark.parametrize("platform", ["simulation", "untrusted"])
def test_an_enclave_whose_launcher_has_ended_says_nothing(tmp_path: Path, platform: str) -> None:
    """Nobody is left to hear why; whoever killed the launcher must not read a traceback."""
    (tmp_path / "image").mkdir()
    (tmp_path / "image" / "plan.json").write_text(json.dumps({"platform": platform}))
    (tmp_path / "image.json").write_text(json.dumps({"parent": os.getppid()}))
    program = f"from eactors.enclave.entry import main; main({str(tmp_path / 'image')!r})"
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"")


@pytest.mark.parametrize("parent", [0, -1, 2**40])
def test_a_launcher_is_a_process(parent: int) -> None:
    """A number that can be no process id is refused before anything is changed."""
    with pytest.raises(ValueError, match="is not the id of a process"):
        _native.sandbox_prepare(parent)


CRASH = """
_native.sandbox_prepare(os.getppid())
print(json.dumps({"core": resource.getrlimit(resource.RLIMIT_CORE), "dumpable": libc.prctl(3, 0, 0, 0, 0)}))
"""


def test_a_crash_leaves_no_core() -> None:
    """Nothing of an enclave's memory reaches the disk, by whichever way cores are collected."""
    with start(CRASH) as process:
        output, _ = process.communicate()
    assert json.loads(output) == {"core": [0, 0], "dumpable": 0}
