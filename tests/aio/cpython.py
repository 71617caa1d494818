"""Runs one module of CPython's tests of asyncio on an enclave's event loop.

python tests/aio/cpython.py OUTPUT MODULE PATTERNS...

writes a JSON object: what became of each test, but those that match one of the patterns, which
are not run.
"""

from __future__ import annotations

import asyncio
import fnmatch
import importlib
import json
import logging
import os
import signal
import sys
import tempfile
import traceback
import unittest
import warnings
from asyncio import unix_events
from itertools import count
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.local_loop import LocalLoop

_SECONDS = 20

SOCKETS = "sockets"
"""A directory for Unix sockets: paths below it mean the same to the loop and to a test's own sockets."""


class SocketsLoop(LocalLoop):
    """A loop whose deployment grants it that directory."""

    def __init__(self, *ignored: object) -> None:
        granted = {"name": SOCKETS, "path": SOCKETS, "access": "write", "actor": None}
        super().__init__(*ignored, settings={"directories": [granted]})


class Outcomes(unittest.TestResult):
    """Notes what became of each test.

    Attributes:
        of: By test: "passed", "skipped", or what it failed with.
    """

    def __init__(self) -> None:
        super().__init__()
        self.of: dict[str, str] = {}

    def startTest(self, test: unittest.TestCase) -> None:  # noqa: N802 - unittest's
        """Give it so much time."""
        self.of[name_of(test)] = "passed"
        signal.alarm(_SECONDS)

    def stopTest(self, test: unittest.TestCase) -> None:  # noqa: ARG002, N802
        """Stop the clock."""
        signal.alarm(0)

    def addError(self, test: unittest.TestCase, err: Any) -> None:  # noqa: N802
        """It failed."""
        self.of[name_of(test)] = "".join(traceback.format_exception(*err))

    addFailure = addError  # noqa: N815

    def addSubTest(self, test: unittest.TestCase, subtest: object, err: Any) -> None:  # noqa: ARG002, N802
        """A part of it may have failed."""
        if err is not None:
            self.addError(test, err)

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:  # noqa: ARG002, N802
        """It skips itself."""
        if self.of.get(name_of(test)) == "passed":
            self.of[name_of(test)] = "skipped"

    def addExpectedFailure(self, test: unittest.TestCase, err: Any) -> None:  # noqa: N802
        """CPython expects it to fail."""


def name_of(test: unittest.TestCase) -> str:
    """Class and method."""
    return ".".join(test.id().split(".")[-2:])


def tests_of(suite: unittest.TestSuite) -> Any:
    """Yield all tests of a suite."""
    for each in suite:
        if isinstance(each, unittest.TestSuite):
            yield from tests_of(each)
        else:
            yield each


def install() -> None:
    """Have asyncio make enclaves' loops, and its tests put their sockets where those may have some."""
    asyncio.SelectorEventLoop = unix_events.SelectorEventLoop = SocketsLoop  # type: ignore[assignment]
    unix_events._UnixDefaultEventLoopPolicy._loop_factory = SocketsLoop  # type: ignore[attr-defined]
    # Processes are no part of it; their watchers would ask each loop for signals.
    for watcher in ("BaseChildWatcher", "SafeChildWatcher", "FastChildWatcher", "PidfdChildWatcher"):
        if hasattr(unix_events, watcher):
            getattr(unix_events, watcher).attach_loop = lambda *_: None
    if hasattr(asyncio, "EventLoop"):
        asyncio.EventLoop = unix_events.EventLoop = SocketsLoop  # type: ignore[attr-defined]
    numbers = count()
    utils = importlib.import_module("test.test_asyncio.utils")
    utils.gen_unix_socket_path = lambda: f"{SOCKETS}/{next(numbers)}"  # type: ignore[attr-defined]


def late(_: object, __: object) -> None:
    """Break off a test that waits for ever."""
    raise TimeoutError(f"not over in {_SECONDS} seconds")


def main() -> None:
    """Run the module."""
    output, name, *patterns = sys.argv[1:]
    signal.signal(signal.SIGALRM, late)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    logging.disable(logging.CRITICAL)
    install()
    module = importlib.import_module(f"test.test_asyncio.{name}")
    if name == "test_base_events":
        module.base_events.BaseEventLoop = SocketsLoop
    suite = unittest.TestSuite(
        test
        for test in tests_of(unittest.defaultTestLoader.loadTestsFromModule(module))
        if not any(fnmatch.fnmatch(name_of(test), pattern) for pattern in patterns)
    )
    outcomes = Outcomes()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        os.chdir(folder)
        Path(SOCKETS).mkdir()
        warnings.simplefilter("ignore")
        suite.run(outcomes)
    Path(output).write_text(json.dumps(outcomes.of), encoding="utf-8")


if __name__ == "__main__":
    main()
