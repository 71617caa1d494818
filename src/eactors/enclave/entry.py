"""The entry of an enclave: from a folder of code to running workers.

The folder holds the application's source, the trusted part of EActors, and the plan: the
image. Beside it lies what the launcher has to say, which is believed only as far as it
cannot do harm. The entry prepares the platform, maps the shared region by its path, checks
the deployment manifest, constructs the actors, seals itself, and executes. Its standard
streams lead nowhere once the region is there to speak through.
"""

from __future__ import annotations

import json
import os
import sys
import time
from _thread import allocate_lock, start_new_thread

from eactors import _native
from eactors.enclave import missing
from eactors.enclave.assembly import Assembly, ConstructorError
from eactors.enclave.console import ConsoleStream
from eactors.enclave.failure import describe
from eactors.enclave.link import STDERR, STDOUT, HostLink
from eactors.enclave.loader import load
from eactors.enclave.trust import Trust
from eactors.errors import SandboxViolation
from eactors.platform import audit
from eactors.platform.simulation import Simulation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, NoReturn

    from eactors.actor import Actor
    from eactors.platform.base import Platform

PLATFORMS: dict[str, type[Platform]] = {"simulation": Simulation}
"""The untrusted side has none: nobody isolates it, nor vouches for it."""

UNTRUSTED = "untrusted"

FAILED = 1
"""Exit status of an enclave that could not construct its actors, and has said why."""

BROKEN = 70
"""Exit status of an enclave whose own runtime failed; shared memory is corrupted."""

_LAST_WORDS = 2.0


def main(folder: str) -> NoReturn:
    """Run the enclave in ``folder`` until the region is stopped."""
    os.environ.clear()  # Python itself has put the locale there
    plan, launch = _read(os.path.join(folder, "plan.json")), _read(folder + ".json")  # noqa: PTH118 - no pathlib here
    platform = None if plan["platform"] == UNTRUSTED else PLATFORMS[plan["platform"]]()
    (platform.prepare if platform is not None else _native.die_with)(launch["parent"])
    if "introduce" in launch and platform is not None:
        _introduce(Trust(platform, plan, launch, lambda: None))
    region = _native.Region.open(launch["region"]["path"], launch["region"]["size"])
    _native.adopt(region, *launch["workers"][0]["participant"])
    link = HostLink(region, launch["host"])
    sys.stdout, sys.stderr = ConsoleStream(link, STDOUT), ConsoleStream(link, STDERR)
    _cut_standard_streams()
    link.event("attached", enclave=plan["enclave"])
    try:
        status = _Enclave(folder, plan, launch, platform, region, link).run()
    except BaseException:  # noqa: BLE001 - the link to the host itself has failed: no words left
        status = BROKEN
    os._exit(status)


def _introduce(trust: Trust) -> NoReturn:
    """Say on standard error who this is, and end: there is no region, and no actor runs."""
    end = trust.provisioning()
    said = json.dumps({"public": end.public.hex(), "quote": end.quote().hex()})
    os.write(2, said.encode() + b"\n")
    os._exit(0)


def _read(path: str) -> dict[str, Any]:
    with open(path, encoding="utf-8") as file:  # noqa: PTH123
        content: dict[str, Any] = json.load(file)
    return content


class _Enclave:
    def __init__(
        self,
        folder: str,
        plan: dict[str, Any],
        launch: dict[str, Any],
        platform: Platform | None,
        region: _native.Region,
        link: HostLink,
    ) -> None:
        self._folder = folder
        self._plan = plan
        self._launch = launch
        self._platform = platform
        self._region = region
        self._link = link

    def run(self) -> int:
        """Construct, seal, execute; the exit status."""
        try:
            platform, trust = self._platform, None
            if platform is not None:
                trust = Trust(platform, self._plan, self._launch, self._opened)
            module = self._load()
            assembly = Assembly(self._plan, self._launch, self._region, module, trust, self._report)
            threads = [_Thread(self, worker, i) for i, worker in enumerate(assembly.workers) if i > 0]
            self.pin(0)
            for thread in threads:
                thread.wait_until_pinned()
            assembly.construct()
            self._link.event(
                "constructed", enclave=self._plan["enclave"], pss=_own_memory(), at=time.monotonic_ns()
            )
            self._seal()
        except ConstructorError as error:
            self._failed(error.actor, error.__cause__ or error)
            return FAILED
        except BaseException as error:  # noqa: BLE001 - whatever the application's source raises
            self._failed(None, error)
            return FAILED
        for thread in threads:
            thread.go()
        assembly.workers[0].run()
        self.finish_lines()
        return 0 if all(thread.join(_LAST_WORDS) for thread in threads) else FAILED

    def _opened(self) -> None:
        """All encrypted channels have keys."""
        self._link.event("opened", enclave=self._plan["enclave"], at=time.monotonic_ns())

    def _load(self) -> ModuleType:
        # An enclave has nothing but its image; the untrusted side has what the machine has.
        application, packages = (os.path.join(self._folder, part) for part in ("app", "site"))  # noqa: PTH118
        sys.path.insert(1, application)
        sys.path += [packages] if self._platform is not None else self._launch["paths"]
        if self._platform is not None:
            missing.install(f"enclave {self._plan['enclave']}")
        source = self._plan["source"]
        return load(self._folder, source["file"], source["name"])

    def pin(self, worker: int) -> None:
        """Bind the calling thread to the CPUs of its worker; a refusal is a warning."""
        cpus = self._launch["workers"][worker]["cpus"]
        try:
            os.sched_setaffinity(0, cpus)
        except OSError as error:
            self._link.event(
                "unpinned", worker=self._plan["workers"][worker]["id"], cpus=cpus, reason=str(error)
            )

    def finish_lines(self) -> None:
        """Send what the calling thread has printed without an end of line."""
        assert isinstance(sys.stdout, ConsoleStream)
        assert isinstance(sys.stderr, ConsoleStream)
        sys.stdout.finish()
        sys.stderr.finish()

    def _seal(self) -> None:
        if self._platform is not None and self._launch["sandbox"]:
            audit.install(_native.current_actor)
            self._platform.seal()

    def _report(self, what: str, actor: Actor, detail: object) -> None:
        if what == "failed":
            assert isinstance(detail, BaseException)
            if isinstance(detail, SystemExit):
                self._link.event("exit", actor=actor.name, status=self._status_of(detail))
            else:
                self._failed(actor.name, self._worded(actor.name, detail))
        elif what == "exit":
            self._link.event("exit", actor=actor.name, status=detail)
        else:
            self._link.event(what, actor=actor.name)

    def _status_of(self, wish: SystemExit) -> int:
        """What sys.exit() means: nothing, a status, or words to print and status 1."""
        if wish.code is None or isinstance(wish.code, int):
            return (wish.code or 0) & 0xFF
        self._link.send(STDERR, f"{wish.code}\n".encode("utf-8", "backslashreplace"))
        return FAILED

    def _worded(self, actor: str, error: BaseException) -> BaseException:
        """Name the culprit of a system call that no audit hook announced."""
        if not isinstance(error, PermissionError) or isinstance(error, SandboxViolation):
            return error
        if self._platform is None:
            return error
        worded = SandboxViolation(
            f"actor {actor!r} made a system call that its enclave refuses: {error}",
            actor=actor,
            hint="use a system actor, or place this one in enclave 0, the untrusted side",
        )
        return worded.with_traceback(error.__traceback__)

    def _failed(self, actor: str | None, error: BaseException) -> None:
        self.finish_lines()
        self._link.event("failed", actor=actor, enclave=self._plan["enclave"], error=describe(error))


class _Thread:
    """A worker's thread, made before the seal and held until after it."""

    def __init__(self, enclave: _Enclave, worker: _native.Worker, index: int) -> None:
        self._pinned, self._start, self._done = allocate_lock(), allocate_lock(), allocate_lock()
        for lock in (self._pinned, self._start, self._done):
            lock.acquire()
        start_new_thread(self._run, (enclave, worker, index))

    def _run(self, enclave: _Enclave, worker: _native.Worker, index: int) -> None:
        place = enclave._launch["workers"][index]  # noqa: SLF001 - the same noun
        _native.adopt(enclave._region, *place["participant"])  # noqa: SLF001
        enclave.pin(index)
        self._pinned.release()
        with self._start:
            worker.run()
        enclave.finish_lines()
        self._done.release()

    def wait_until_pinned(self) -> None:
        self._pinned.acquire()

    def go(self) -> None:
        self._start.release()

    def join(self, seconds: float) -> bool:
        return self._done.acquire(timeout=seconds)


def _cut_standard_streams() -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _own_memory() -> int:
    """Proportional set size in KiB; 0 where the kernel does not tell."""
    try:
        with open("/proc/self/smaps_rollup", encoding="ascii") as file:  # noqa: PTH123
            return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    except (OSError, StopIteration):
        return 0
