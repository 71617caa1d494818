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

from eactors import _native
from eactors.enclave import missing
from eactors.enclave.assembly import Assembly
from eactors.enclave.console import ConsoleStream
from eactors.enclave.failure import describe
from eactors.enclave.link import STDERR, STDOUT, HostLink
from eactors.enclave.loader import execute
from eactors.enclave.trust import Trust
from eactors.platform import audit
from eactors.platform.simulation import Simulation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, NoReturn

    from eactors.actor import Actor
    from eactors.enclave.threads import WorkerThread
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
    try:
        (platform.prepare if platform is not None else _native.die_with)(launch["parent"])
    except ProcessLookupError:
        os._exit(FAILED)  # the launcher has already ended: nobody is left to tell
    if "introduce" in launch and platform is not None:
        Trust(platform, plan, launch, lambda: None).power("provisioning").introduce()
    enclave = Enclave(folder, plan, launch, platform)
    try:
        status = enclave.run()
    except BaseException:  # noqa: BLE001 - the link to the host itself has failed: no words left
        status = BROKEN
    os._exit(status)


def _read(path: str) -> dict[str, Any]:
    with open(path, encoding="utf-8") as file:  # noqa: PTH123
        return dict(json.load(file))


class Enclave:
    """One enclave, from its plan to its end; the arguments are what `main` has."""

    def __init__(
        self, folder: str, plan: dict[str, Any], launch: dict[str, Any], platform: Platform | None
    ) -> None:
        self._folder, self.plan, self._platform = folder, plan, platform
        self.launch = launch
        self._constructing: str | None = None  # the name of the actor
        self.region = _native.Region.open(launch["region"]["path"], launch["region"]["size"])
        _native.adopt(self.region, *launch["workers"][0]["participant"])
        self.link = HostLink(self.region, launch["host"], plan["enclave"])
        self._streams = ConsoleStream(self.link, STDOUT), ConsoleStream(self.link, STDERR)
        sys.stdout, sys.stderr = self._streams
        _cut_standard_streams()
        self.link.event("attached")

    def run(self) -> int:
        """Construct, seal, execute; the exit status."""
        try:
            platform, trust = self._platform, None
            if platform is not None:
                trust = Trust(platform, self.plan, self.launch, self._opened)
            module = self._load()
            assembly = Assembly(self, module, trust)
            if any("vacancies" in worker for worker in self.plan["workers"]):
                from eactors.enclave.vacancies import Vacancies  # noqa: PLC0415 - few enclaves have any

                Vacancies(self, assembly)
            threads = self._threads(assembly.workers[1:])
            self.pin(0)
            for thread in threads:
                thread.wait_until_pinned()
            self._construct(assembly)
            self.link.event("constructed", pss=_own_memory(), at=time.monotonic_ns())
            self._seal()
        except BaseException as error:  # noqa: BLE001 - whatever the application's source raises
            self._failed(self._constructing, error)
            return FAILED
        for thread in threads:
            thread.go()
        assembly.workers[0].run()
        self.finish_lines()
        return 0 if all(thread.join(_LAST_WORDS) for thread in threads) and assembly.close() else FAILED

    def _construct(self, assembly: Assembly) -> None:
        """Call the constructors, in the order of the deployment."""
        for worker, actor in assembly.actors:
            self._constructing = actor.name
            # Only now, so that an actor's own __init__ finds its connectors, too.
            worker.construct(actor, actor.__init__)  # type: ignore[misc]
            worker.construct(actor, actor.constructor)
        self._constructing = None

    def _opened(self) -> None:
        """All encrypted channels have keys."""
        self.link.event("opened", at=time.monotonic_ns())

    def _load(self) -> ModuleType:
        # An enclave has nothing but its image; the untrusted side has what the machine has.
        application, packages = (os.path.join(self._folder, part) for part in ("app", "site"))  # noqa: PTH118
        sys.path.insert(1, application)
        sys.path += [packages] if self._platform is not None else self.launch["paths"]
        if self._platform is not None:
            missing.install(f"enclave {self.plan['enclave']}")
        source = self.plan["source"]
        if source["beside"]:
            from eactors.enclave import beside  # noqa: PLC0415 - many applications are one file

            beside.install(self._folder, os.path.dirname(source["file"]))  # noqa: PTH120
        return execute(os.path.join(self._folder, source["file"]), source["name"], source["file"])  # noqa: PTH118

    def _threads(self, workers: list[_native.Worker]) -> list[WorkerThread]:
        if not workers:
            return []
        from eactors.enclave.threads import WorkerThread  # noqa: PLC0415 - only where there are several

        return [WorkerThread(self, worker, index) for index, worker in enumerate(workers, 1)]

    def pin(self, worker: int) -> None:
        """Bind the calling thread to the CPUs of its worker; a refusal is a warning."""
        cpus = self.launch["workers"][worker]["cpus"]
        try:
            os.sched_setaffinity(0, cpus)
        except OSError as error:
            self.link.event(
                "unpinned", worker=self.plan["workers"][worker]["id"], cpus=cpus, reason=str(error)
            )

    def finish_lines(self) -> None:
        """Send what the calling thread has printed without an end of line."""
        for stream in self._streams:
            stream.finish()

    def _seal(self) -> None:
        if self._platform is not None and self.launch["sandbox"]:
            audit.install(_native.current_actor)
            self._platform.seal()

    def report(self, what: str, actor: Actor, detail: object) -> None:
        """The worker says what has become of an actor: finished, failed, or wants the exit."""
        if isinstance(detail, SystemExit):
            self._tell("exit", actor, detail.code)
        elif isinstance(detail, BaseException):
            self._failed(actor.name, detail if self._platform is None else audit.worded(actor.name, detail))
        else:
            self._tell(what, actor, detail)

    def _tell(self, what: str, actor: Actor, wish: object) -> None:
        """Tell the host; the status that the actor wishes is a number, nothing, or words."""
        number = wish & 0xFF if isinstance(wish, int) else None
        words = None if wish is None or number is not None else str(wish)
        self.link.event(what, actor=actor.name, status=number if words is None else words)

    def _failed(self, actor: str | None, error: BaseException) -> None:
        self.finish_lines()
        self.link.event("failed", actor=actor, error=describe(error))


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
