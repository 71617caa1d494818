"""The sandbox: what a sealed process can still do, and what the kernel refuses it."""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import platform
import re
import signal
from pathlib import Path

import pytest
from tests.sandboxed import REPORT_SIZE, Child, run

from eactors import _native

ROOT = Path(__file__).parents[2]
REFUSED = [
    "open, '/etc/passwd'",
    "os.stat, '/'",
    "os.read, 0, 1",
    "os.write, 2, b''",
    "os.close, 0",
    "os.pipe",
    "os.listdir, '/'",
    "os.unlink, sys.argv[2]",
    "os.sched_setaffinity, 0, [0]",
    "socket.socket",
    "os.fork",
    "os.posix_spawn, '/bin/true', ['true'], {}",
    "os.execv, '/bin/true', ['true']",
    "os.kill, os.getpid(), 0",
    "signal.pthread_kill, threading.get_ident(), signal.SIGTERM",
    "signal.signal, signal.SIGTERM, signal.SIG_IGN",
    "mmap.mmap, -1, 4096",
    "mmap.mmap, -1, 4096, flags=PRIVATE, prot=mmap.PROT_EXEC",
    "mmap.mmap, 0, 4096, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ",
]

ON_X86 = platform.machine() == "x86_64"
CLONE, CLONE3, EXECVEAT, FUTEX, GETPID = (56, 435, 322, 202, 39) if ON_X86 else (220, 435, 281, 98, 172)
MADVISE, MMAP, MPROTECT, MREMAP, MUNMAP = (28, 9, 10, 25, 11) if ON_X86 else (233, 222, 226, 216, 215)
PROCESS_VM_READV, PTRACE, RT_SIGPROCMASK = (310, 101, 14) if ON_X86 else (270, 117, 135)

RAW_REFUSED: dict[str, tuple[int, ...]] = {
    "traceme": (PTRACE, 0, 0, 0, 0),
    "attach": (PTRACE, 16, 0, 0, 0),
    "read another process": (PROCESS_VM_READV, 0, 0, 0, 0, 0, 0),
    "new process": (CLONE, 17, 0, 0, 0, 0),
    "new thread": (CLONE3, 0, 0),
    "new program": (EXECVEAT, 0, 0, 0, 0, 0),
    "map executable": (MMAP, 0, 4096, 4, 0x22, -1, 0),
    "map with an upper half in prot": (MMAP, 0, 4096, 1 << 32, 0x22, -1, 0),
    "map with an upper half in flags": (MMAP, 0, 4096, 3, 1 << 32 | 0x22, -1, 0),
    "map shared": (MMAP, 0, 4096, 3, 0x21, -1, 0),
    "map a file": (MMAP, 0, 4096, 3, 0x02, 0, 0),
    "map anonymous and a file": (MMAP, 0, 4096, 3, 0x22, 0, 0),
    "map over what is mapped": (MMAP, 0, 4096, 3, 0x32, -1, 0),
    "make executable": (MPROTECT, 0, 4096, 5),
    "make with an upper half": (MPROTECT, 0, 4096, 1 << 32),
    "move to a fixed address": (MREMAP, 0, 4096, 4096, 3, 4096),
    "punch a hole into a shared file": (MADVISE, 0, 4096, 9),
    "futex requeue": (FUTEX, 0, 3, 0, 0, 0, 0),
    "futex priority inheritance": (FUTEX, 0, 6, 0, 0, 0, 0),
}

RAW_NEEDED: dict[str, tuple[int, ...]] = {
    "pymalloc's arena": (MMAP, 0, 4096, 3, 0x22, -1, 0),
    "malloc's heap of a thread": (MMAP, 0, 4096, 0, 0x4022, -1, 0),
    "growing that heap": (MPROTECT, 0, 0, 3),
    "giving memory back": (MADVISE, 0, 0, 4),
    "giving a mapping back": (MUNMAP, 0, 4096),
    "realloc of a large block": (MREMAP, 0, 4096, 8192, 1),
    "blocking signals": (RT_SIGPROCMASK, 0, 0, 0, 8),
    "waiting on shared memory": (FUTEX, 0, 0, 0, 0, 0, 0),
    "waking in this process": (FUTEX, 0, 1 | 128, 0, 0, 0, 0),
    "a lock with a timeout": (FUTEX, 0, 9 | 128 | 256, 0, 0, 0, 0),
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Return what a sealed process gets for every call of the tables above."""
    python = "".join(f"answers[{call!r}] = refused({call})\n" for call in REFUSED)
    raw = RAW_REFUSED | RAW_NEEDED | {"x32": (0x40000000 | GETPID,)}
    return run(
        tmp_path_factory.mktemp("sealed"),
        f"""
answers = {{}}
PRIVATE = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
seal()
{python}
answers["thread"] = refused(threading.Thread().start)
for name, call in {raw!r}.items():
    answers[name] = syscall(*call)
report(**answers)
os._exit(0)
""",
    )


@pytest.mark.parametrize("call", REFUSED)
def test_what_python_tries_is_refused(answers: dict[str, object], call: str) -> None:
    """Files, sockets, processes, signals and executable memory answer EPERM."""
    assert answers[call] == errno.EPERM


def test_no_thread_can_be_started(answers: dict[str, object]) -> None:
    """The threads of an enclave are those that it had when it was sealed."""
    assert answers["thread"] == "can't start new thread"


@pytest.mark.parametrize("name", [*RAW_REFUSED, "x32"])
def test_raw_calls_are_refused(answers: dict[str, object], name: str) -> None:
    """What Python has no function for, and wrong arguments of allowed calls, answer EPERM."""
    assert answers[name] == -errno.EPERM


@pytest.mark.parametrize("name", RAW_NEEDED)
def test_raw_calls_that_are_needed_reach_the_kernel(answers: dict[str, object], name: str) -> None:
    """The checks of arguments let through what malloc and locks ask for."""
    assert answers[name] != -errno.EPERM


def test_every_allowed_call_has_one_reason() -> None:
    """No call is allowed twice, and none without saying why."""
    names, reasons = zip(*_native.sandbox_allowed(), strict=True)
    assert len(set(names)) == len(set(reasons)) == len(names)
    assert all(reason.strip() for reason in reasons)


def test_the_document_repeats_the_table() -> None:
    """docs/design/sandbox.md lists the same calls with the same reasons."""
    text = (ROOT / "docs/design/sandbox.md").read_text()
    assert re.findall(r"^\| `(\w+)` \| (.+?) \|$", text, re.MULTILINE) == _native.sandbox_allowed()


def test_a_sealed_process_runs_python(tmp_path: Path) -> None:
    """Several threads allocate, collect, sleep, lock, raise and end after the seal."""
    answers = run(
        tmp_path,
        """
go = threading.Event()
done = []

def work():
    go.wait()
    for turn in range(5):
        blocks = [bytearray(1 << size) for size in range(6, 23)]
        blocks[-1].extend(bytes(20_000_000))
        rings = [[turn] for _ in range(10_000)]
        for ring in rings:
            ring.append(ring)
        del blocks, rings, ring
        gc.collect()
        busy = threading.Lock()
        busy.acquire()
        assert not busy.acquire(timeout=0.0001)
        try:
            [][turn]
        except IndexError as error:
            assert error.__traceback__
        assert len(os.urandom(16)) == 16
        time.sleep(0.0001)
        os.sched_yield()
        assert time.monotonic() and time.process_time() and time.thread_time()
    done.append(True)

threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
before = os.getpid()
seal()
go.set()
work()
for thread in threads:
    thread.join()
report(done=len(done), pid=os.getpid() == before)
os._exit(0)
""",
    )
    assert answers == {"done": 4, "pid": True}


@pytest.mark.parametrize(
    ("ending", "statuses"),
    [("os._exit(3)", {3}), ("sys.exit(3)", {3}), ("os.abort()", {-signal.SIGABRT, -signal.SIGSEGV})],
)
def test_a_sealed_process_can_end(tmp_path: Path, ending: str, statuses: set[int]) -> None:
    """It ends with all its threads, and the status survives; it cannot signal itself to abort."""
    thread = "threading.Thread(target=threading.Event().wait, daemon=True).start()"
    assert Child(tmp_path, f"{thread}\nseal()\n{ending}").process.wait() in statuses


def test_a_thread_of_a_sealed_process_can_end(tmp_path: Path) -> None:
    """A worker that has nothing left to do does not stay behind."""
    go = "go = threading.Event()\nthreading.Thread(target=go.wait).start()"
    child = Child(tmp_path, f"{go}\nseal()\ngo.set()\nthreading.Event().wait()")
    child.wait_until("status", r"Threads:\s+1\n(.*\n)*Seccomp:\s+2")
    child.process.kill()
    assert child.process.wait() == -signal.SIGKILL


def test_all_threads_are_sealed(tmp_path: Path) -> None:
    """A thread that was there before the seal is as sealed as the one that sealed."""
    answers = run(
        tmp_path,
        """
go = threading.Event()
answers = []

def work():
    go.wait()
    answers.append((refused(os.pipe), refused(open, "/etc/passwd")))

threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
seal()
go.set()
for thread in threads:
    thread.join()
report(answers=answers)
os._exit(0)
""",
    )
    assert answers == {"answers": [(errno.EPERM, errno.EPERM)] * 3}


def test_a_thread_that_cannot_be_sealed_is_named(tmp_path: Path) -> None:
    """If one thread has a filter of its own, the seal fails as a whole and says which."""
    answers = run(
        tmp_path,
        """
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_void_p)]

ALLOW_ALL = ctypes.create_string_buffer((6).to_bytes(4, "little") + (0x7fff0000).to_bytes(4, "little"))
ready, go = threading.Event(), threading.Event()

def work():
    program = Program(1, ctypes.addressof(ALLOW_ALL))
    assert libc.prctl(22, 2, ctypes.byref(program)) == 0
    ready.set()
    go.wait()

thread = threading.Thread(target=work)
thread.start()
ready.wait()
try:
    seal()
except OSError as error:
    named = f"thread {thread.native_id} " in str(error)
    report(error=error.errno, named=named, others=refused(os.close, os.dup(0)))
go.set()
thread.join()
os._exit(0)
""",
    )
    assert answers == {"error": errno.EBUSY, "named": True, "others": "None"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_signals_end_a_sealed_process(tmp_path: Path, number: signal.Signals) -> None:
    """The launcher can end an enclave in the polite and in the other way."""
    child = Child(tmp_path, "seal()\nthreading.Event().wait()")
    child.wait_until("status", r"Seccomp:\s+2")
    child.process.send_signal(number)
    assert child.process.wait() == -number


def test_a_signal_handler_returns(tmp_path: Path) -> None:
    """A handler that was installed before the seal runs and goes back to its thread."""
    child = Child(
        tmp_path,
        """
seen = []
signal.signal(signal.SIGUSR1, lambda number, frame: seen.append(number))
seal()
while not seen:
    pass
report(seen=seen[0])
os._exit(0)
""",
    )
    child.wait_until("status", r"Seccomp:\s+2")
    child.process.send_signal(signal.SIGUSR1)
    assert child.report() == {"seen": signal.SIGUSR1}


def test_a_wait_survives_stop_and_continue(tmp_path: Path) -> None:
    """After Ctrl-Z and fg a wait with a timeout goes on, by restart_syscall."""
    child = Child(
        tmp_path,
        f"""
seal()
timeout = (ctypes.c_long * 2)(100, 0)
word = ctypes.addressof(ctypes.c_uint.from_buffer(page, len(page) - 4))
report(answer=syscall({FUTEX}, word, 0, 0, ctypes.addressof(timeout), 0, 0))
os._exit(0)
""",
    )
    child.wait_until("status", r"Seccomp:\s+2")
    child.wait_until("stat", r"\) S ")
    child.process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, child.process.pid, os.WSTOPPED)
    child.process.send_signal(signal.SIGCONT)
    with child.file.open("r+b") as file, mmap.mmap(file.fileno(), 0) as page:
        word = ctypes.c_uint.from_buffer(page, REPORT_SIZE - 4)
        word.value = 1
        ctypes.CDLL(None).syscall(FUTEX, ctypes.byref(word), 1, 1)
        del word
    assert child.report()["answer"] in (0, -errno.EAGAIN)


@pytest.mark.skipif(not ON_X86, reason="only x86-64 has a second gate into the kernel")
def test_another_architectures_gate_ends_the_process(tmp_path: Path) -> None:
    """Int 0x80 reads the numbers of i386; its getpid (20) must not pass as our writev."""
    child = Child(
        tmp_path,
        """
code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
code.write(b"\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3")
call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
seal()
call()
os._exit(0)
""",
    )
    # A kernel that is built without the gate answers it with a fault.
    assert child.process.wait() in (-signal.SIGSYS, -signal.SIGSEGV)
