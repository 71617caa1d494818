"""Processes that go into the sandbox, and how they tell what they find there.

A sealed process cannot write, so it reports through a file that it mapped before.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from eactors import _native

PACKAGE = Path(_native.__file__).parents[1]
REPORT_SIZE = 16384

# `refused` answers with the number of the error, or with what the call returned instead.
PRELUDE = """
import sys
sys.path.insert(0, sys.argv[1])
import ctypes, errno, gc, mmap, os, signal, socket, threading, time
from eactors import _native

with open(sys.argv[2], "r+b") as file:
    page = mmap.mmap(file.fileno(), 0)

def report(**answers):
    text = repr(answers).encode()
    page[:len(text)] = text

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long

def syscall(number, *arguments):
    ctypes.set_errno(0)
    longs = [ctypes.c_long(argument) for argument in (number, *arguments)]
    return -ctypes.get_errno() if libc.syscall(*longs) == -1 else 0

def refused(call, *arguments, **options):
    try:
        return repr(call(*arguments, **options))
    except OSError as error:
        return error.errno
    except RuntimeError as error:
        return str(error)

def seal():
    _native.sandbox_seal(_native.sandbox_filter())

_native.sandbox_prepare(os.getppid())
"""


class Child:
    """A process that runs the prelude and then a program of its own."""

    def __init__(self, folder: Path, program: str) -> None:
        self.file = folder / "report"
        self.file.write_bytes(bytes(REPORT_SIZE))
        command = [sys.executable, "-I", "-S", "-B", "-c", PRELUDE + program, str(PACKAGE), str(self.file)]
        self.process = subprocess.Popen(command, env={})

    def report(self) -> dict[str, object]:
        """Return what the process reported before it ended well."""
        assert self.process.wait() == 0
        return dict(eval(self.file.read_bytes().split(b"\0")[0]))

    def wait_until(self, file: str, pattern: str) -> None:
        """Return once that file of /proc matches; the process cannot tell us itself."""
        while not re.search(pattern, Path(f"/proc/{self.process.pid}/{file}").read_text()):
            assert self.process.poll() is None
            os.sched_yield()


def run(folder: Path, program: str) -> dict[str, object]:
    """Run a program in a process of its own and return what it reports."""
    return Child(folder, program).report()
