"""Running an application: start its enclaves, watch them, end them."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from eactors import _native
from eactors.build.folder import write_folder
from eactors.build.source import module_name
from eactors.deployment.model import UNTRUSTED
from eactors.errors import LaunchError, RegionCorrupted
from eactors.host.guard import Guard
from eactors.host.layout import HOST_NODES, HOST_PAYLOAD, enclave_plan, lay_out
from eactors.host.outcome import INTERRUPTED, EnclaveFacts, Failure, Outcome, death
from eactors.system.console import BROKEN_PIPE, Console

if TYPE_CHECKING:
    from types import FrameType

    from eactors.deployment.plan import Plan

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - the directory of shared memory
_NONSENSE = (ValueError, LookupError, TypeError, AttributeError, StopIteration, OverflowError, RecursionError)
"""What handling an event can raise that no honest enclave sends."""
_WAIT_NS = 50_000_000
_GRACE = 2.0
"""Seconds that enclaves get to answer a stop request before they are killed."""


class Watcher(Protocol):
    """Who shows the progress of a run."""

    def tick(self, received: int) -> None:
        """So many messages have been received."""

    def before_output(self) -> None:
        """An actor's line is about to be written."""


class Application:
    """One run of one server of a plan.

    Args:
        plan: What to run.
        sandbox: False: enclaves are ordinary processes, for debugging.
        watcher: Told of progress about 20 times per second, and before output.
    """

    def __init__(self, plan: Plan, *, sandbox: bool = True, watcher: Watcher | None = None) -> None:
        if len(plan.servers) > 1:
            raise LaunchError(
                f"the deployment has {len(plan.servers)} servers; this version runs one",
                hint="place all actors on one <server>",
            )
        self._plan = plan
        self._server = plan.servers[0]
        self._sandbox = sandbox
        self._watcher = watcher
        self._layout = lay_out(plan, self._server)
        self._console = Console(watcher.before_output if watcher else lambda: None)
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self._unfinished = set(plan.actors)
        self._unattached = set(self._server.enclaves)
        self._interrupts = 0
        self._link_is_broken = False
        self._exit: int | None = None
        self._ready_ns: int | None = None
        self.outcome = Outcome()

    def run(self) -> Outcome:
        """Run until all actors have finished, one has failed, or a signal comes.

        Raises:
            LaunchError: The machine refuses what the application needs.
        """
        folder = Path(tempfile.gettempdir()) / f"eactors-{secrets.token_hex(8)}"
        self._region_path = SHARED_MEMORY / f"eactors-{os.getpid()}-{secrets.token_hex(8)}"
        guard = Guard(folder, self._region_path)
        try:
            folder.mkdir(mode=0o700)
            with self._signals():
                self._start(folder, guard)
                try:
                    self._watch()
                finally:
                    self._end()
        finally:
            guard.dismiss()
        return self.outcome

    def _start(self, folder: Path, guard: Guard) -> None:
        size = self._layout.size
        try:
            self._region = _native.Region.create(str(self._region_path), size)
        except OSError as error:
            free = shutil.disk_usage(SHARED_MEMORY).free
            raise LaunchError(
                f"cannot reserve {size >> 10} KiB of shared memory in {SHARED_MEMORY}: {error.strerror}",
                hint=f"{free >> 10} KiB are free there; lower capacity= or node-size= of channels",
            ) from error
        self._layout.initialise(self._region)
        _native.adopt(self._region, self._layout.host_participant, self._layout.host_id)
        self._pool = _native.Pool(self._region, self._layout.host_pool, HOST_NODES, HOST_PAYLOAD)
        self._mbox = _native.Mbox(self._pool, self._layout.host_mbox, HOST_NODES)
        for enclave, title in self._server.enclaves.items():
            home = folder / f"enclave-{enclave}"
            write_folder(
                home, self._plan.source, enclave_plan(self._plan, self._layout, enclave, self._fixed(enclave))
            )
            self._spawn(enclave, title, home)
            guard.watch(self._processes[enclave].pid)

    def _fixed(self, enclave: int) -> dict[str, Any]:
        source = self._plan.source
        return {
            "platform": "simulation" if self._sandbox and enclave != UNTRUSTED else "untrusted",
            "parent": os.getpid(),
            "region": {"path": str(self._region_path), "size": self._layout.size},
            "futex": True,
            "source": {"file": f"app/{source.name}", "name": module_name(source), "shown": str(source)},
            "paths": sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}),
        }

    def _spawn(self, enclave: int, title: str, home: Path) -> None:
        started = time.monotonic_ns()
        try:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter on our own folder
                [sys.executable, "-I", "-S", "-B", str(home)],
                env={},
                cwd=home,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                close_fds=True,
                start_new_session=True,
            )
        except OSError as error:
            raise LaunchError(f"{title} cannot be started: {error}") from error
        self._processes[enclave] = process
        self.outcome.enclaves.append(EnclaveFacts(enclave, title, process.pid, started))

    def _watch(self) -> None:
        while not self._is_over():
            self._mbox.wait(self._layout.host_bell, _WAIT_NS)
            self._drain()
            self._reap()
            if self._watcher is not None:
                self._watcher.tick(self.received())
        self._drain()

    def _is_over(self) -> bool:
        over = not self._unfinished or self._exit is not None or bool(self.outcome.failures)
        return over or self._interrupts > 0 or self._console.closed

    def received(self) -> int:
        """Messages given to actors so far."""
        return sum(
            self._region.counters(context.participant)["received"] for context in self._layout.contexts
        )

    def _drain(self) -> None:
        while (frame := self._next_frame()) is not None:
            for event in self._console.take(frame):
                try:
                    self._handle(json.loads(event))
                except _NONSENSE:
                    words = "an enclave reported something that makes no sense"
                    if words not in self.outcome.warnings:
                        self.outcome.warnings.append(words)

    def _next_frame(self) -> bytes | None:
        if self._link_is_broken:
            return None
        try:
            node = self._mbox.pop_front()
            if node is None:
                return None
            frame = node.data
            self._pool.push_front(node)
        except RegionCorrupted as error:
            self._link_is_broken = True
            self.outcome.failures.append(
                Failure(
                    f"the enclaves can no longer be heard: {error}",
                    hint="one of them has corrupted shared memory",
                )
            )
            return None
        return frame

    def _handle(self, event: dict[str, Any]) -> None:
        match event["event"]:
            case "attached":
                self._attached(int(event["enclave"]))
            case "constructed":
                self._constructed(event)
            case "finished":
                self._unfinished.discard(event["actor"])
            case "failed":
                actor = event["actor"]
                what = (
                    "the application's source failed in its enclave"
                    if actor is None
                    else f"actor {actor!r} failed"
                )
                error = event["error"]
                message = f"{what}: {error['type']}: {error['message']}"
                self.outcome.failures.append(Failure(message, error["hint"], error))
            case "exit":
                self._exit = int(event["status"]) & 0xFF
            case "unpinned":
                cpus = ", ".join(map(str, event["cpus"]))
                self.outcome.warnings.append(
                    f"worker {event['worker']} is not pinned to CPU {cpus}: {event['reason']}"
                )

    def _attached(self, enclave: int) -> None:
        self._unattached.discard(enclave)
        if not self._unattached:
            # Everyone has it mapped: without a name it cannot be left behind.
            self._region_path.unlink(missing_ok=True)

    def _constructed(self, event: dict[str, Any]) -> None:
        facts = next(facts for facts in self.outcome.enclaves if facts.id == event["enclave"])
        facts.constructed_ns, facts.memory_kib = int(event["at"]), int(event["pss"])
        if all(facts.constructed_ns is not None for facts in self.outcome.enclaves):
            self._ready_ns = time.monotonic_ns()

    def _reap(self) -> None:
        for facts in self.outcome.enclaves:
            process = self._processes[facts.id]
            if facts.status is not None or process.poll() is None:
                continue
            facts.status = process.returncode
            self._drain()
            if not self.outcome.failures:
                words = (
                    "" if process.stderr is None else process.stderr.read().decode("utf-8", "replace").strip()
                )
                last = f": {words.splitlines()[-1]}" if words else ""
                actors = [name for name, actor in self._plan.actors.items() if actor.enclave == facts.id]
                self.outcome.failures.append(
                    Failure(
                        f"{facts.title} with {', '.join(actors)} {death(process.returncode)}{last}",
                        hint="the application cannot go on without it and has been ended",
                    )
                )

    def _end(self) -> None:
        """Stop all enclaves: by asking, and after a grace by force."""
        if self._ready_ns is not None:
            self.outcome.seconds = (time.monotonic_ns() - self._ready_ns) / 1e9
        self._region.stop()
        self._region.ring(*{context.bell for context in self._layout.contexts})
        deadline = time.monotonic() + _GRACE
        impatient = 2  # Ctrl-C a second time
        while self._interrupts < impatient and time.monotonic() < deadline and self._some_run():
            self._mbox.wait(self._layout.host_bell, _WAIT_NS // 10)
            self._drain()
        for process in self._processes.values():
            if process.poll() is None:
                process.kill()
            process.wait()
            if process.stderr is not None:
                process.stderr.close()
        self._drain()
        self._conclude()

    def _some_run(self) -> bool:
        return any(process.poll() is None for process in self._processes.values())

    def _conclude(self) -> None:
        for facts in self.outcome.enclaves:
            facts.status = self._processes[facts.id].returncode
        for context in self._layout.contexts:
            where = f"worker {context.worker.id} in {self._server.enclaves[context.enclave]}"
            self.outcome.counters[where] = self._region.counters(context.participant)
            if context.baton[2] > 1:
                self.outcome.handovers[context.worker.id] = self._region.passes(context.baton[0])
        if self._console.closed:
            self.outcome.status = BROKEN_PIPE
        elif self._interrupts:
            self.outcome.status = INTERRUPTED if self._signal == signal.SIGINT else 128 + self._signal
        elif self.outcome.failures:
            self.outcome.status = 1
        else:
            self.outcome.status = self._exit or 0

    @contextlib.contextmanager
    def _signals(self) -> Any:
        self._signal = 0

        def interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
            self._signal = number
            self._interrupts += 1

        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, interrupt) for number in numbers}
        # A child's death interrupts our sleep, so that it is noticed at once.
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda number, frame: None)  # noqa: ARG005
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
