"""Running a built deployment: start its enclaves, watch them, end them."""

from __future__ import annotations

import json
import shutil
import signal
import time
from typing import TYPE_CHECKING, Any, Protocol

from eactors import _native
from eactors.bridge.bridge import Bridge
from eactors.bridge.words import Exit, Failed, Finished
from eactors.deployment.model import SYSTEM
from eactors.errors import ManifestRejected, RegionCorrupted
from eactors.host.deployed import read_deployed
from eactors.host.directories import check_directories
from eactors.host.errors import LaunchError
from eactors.host.factory import Factory
from eactors.host.keepers import Keepers
from eactors.host.layout import HOST_NODES, HOST_PAYLOAD, lay_out
from eactors.host.life import GRACE
from eactors.host.lives import Lives
from eactors.host.openings import Openings
from eactors.host.outcome import Failure, Outcome
from eactors.host.processes import Processes
from eactors.host.servers import Servers, place_of
from eactors.store.errors import RollbackDetected, StoreCounterLost, StoreKeyMissing
from eactors.system.console import BROKEN_PIPE, Console

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from eactors.bridge.words import Ending
    from eactors.host.deployed import Deployed
    from eactors.host.layout import ContextPlace
    from eactors.host.outcome import EnclaveFacts
    from eactors.host.workspace import Workspace

_NONSENSE = (ValueError, LookupError, TypeError, AttributeError, StopIteration, OverflowError, RecursionError)
"""What handling an event can raise that no honest enclave sends."""
_OF_ENCLAVES = {
    error.__name__ for error in (ManifestRejected, RollbackDetected, StoreCounterLost, StoreKeyMissing)
}
"""What fails outside of any actor, and is not the application's fault."""
_WAIT_NS = 50_000_000
_ENDING = 5.0
"""Seconds that actors get to end by themselves, when somebody has asked the application to end."""


class Watcher(Protocol):
    """Who shows the progress of a run."""

    def tick(self, received: int) -> None:
        """So many messages have been received."""

    def before_output(self) -> None:
        """An actor's line is about to be written."""

    def notice(self, words: str) -> None:
        """People should know this now."""


class Application:
    """One run of a built deployment.

    Args:
        built: The folder that ``eactors build`` wrote.
        workspace: Where the run may put its files.
        sandbox: False: enclaves may do what any process may, for debugging.
        watcher: Told of progress about 20 times per second, and before output.
        server: Address of the server to run; None: the only one.
        listen: Where to listen for others; None: at that address.

    Raises:
        ImageError: The folder is no built deployment.
        LaunchError: This machine cannot run it, or there is no such server.
    """

    def __init__(
        self,
        built: Path,
        workspace: Workspace,
        *,
        sandbox: bool = True,
        watcher: Watcher | None = None,
        server: str | None = None,
        listen: str | None = None,
    ) -> None:
        whole = read_deployed(built)
        self.deployed = deployed = whole.on(place_of(whole, server))
        _check_ciphers(deployed)
        check_directories(deployed)
        self._built = built.resolve()  # the CPU has another working directory
        self._workspace = workspace
        self._server = deployed.server
        self._sandbox = sandbox
        self._watcher = watcher
        self._layout = lay_out(deployed, self._server)
        self._console = Console(watcher.before_output if watcher else lambda: None)
        self._unattached = {
            enclave
            for enclave in (*self._server.enclaves, *([SYSTEM] if self._layout.system is not None else []))
            if enclave not in deployed.lives or deployed.lives[enclave].family is None
        }
        self._interrupts = workspace.interrupts
        self._link_is_broken = False
        self._exit: int | None = None
        self._servers = (
            Servers(Bridge(deployed, self._layout, self._notice, listen)) if deployed.peers else None
        )
        self._ready_ns: int | None = None
        self.outcome = Outcome()

    def run(self) -> Outcome:
        """Run until all actors have finished, one has failed, or a signal comes.

        Raises:
            LaunchError: The machine refuses what the application needs.
            ImageError: An image is not what was measured and signed.
        """
        self._make_region()
        self._keepers = Keepers(self.deployed, self._layout, self._region, self._workspace)
        if self._servers is not None:
            self._servers.open(self._region)
        self._processes = Processes(
            self._built, self._workspace, self.deployed, self._layout, sandbox=self._sandbox
        )
        self._lives = Lives(
            self.deployed,
            self._server.enclaves,
            self._layout,
            self._region,
            self._processes,
            Openings(self._region, self._layout, self.deployed),
            self._keepers,
        )
        self.outcome.enclaves = self._lives.facts
        self.outcome.failures, self.outcome.warnings = self._lives.failures, self._lives.warnings
        self._factory = Factory(self._lives)
        self._handlers = self._made_handlers()
        try:
            with self._factory:
                self._lives.begin(self._factory.orders)
                self._watch()
        finally:
            self._end()
        return self.outcome

    def _make_region(self) -> None:
        size, path = self._layout.size, self._workspace.region
        try:
            self._region = _native.Region.create(str(path), size)
        except OSError as error:
            free = shutil.disk_usage(path.parent).free
            raise LaunchError(
                f"cannot reserve {size >> 10} KiB of shared memory in {path.parent}: {error.strerror}",
                hint=f"{free >> 10} KiB are free there; lower capacity= or node-size= of channels",
            ) from error
        self._layout.initialise(self._region)
        _native.adopt(self._region, self._layout.host_participant, self._layout.host_id)
        self._pool = _native.Pool(self._region, self._layout.host_pool, HOST_NODES, HOST_PAYLOAD)
        self._mbox = _native.Mbox(self._pool, self._layout.host_mbox, HOST_NODES)

    def _watch(self) -> None:
        while not self._is_over():
            self._mbox.wait(self._layout.host_bell, _WAIT_NS)
            self._drain()
            self._lives.tend(self._drain)
            self._factory.tend()
            self._keepers.tend()
            self._hear()
            if self._watcher is not None:
                self._watcher.tick(self.received())
        self._drain()

    def _is_over(self) -> bool:
        over = self._exit is not None or bool(self.outcome.failures)
        if self._lives.are_over():
            over = over or self._servers is None or self._servers.all_finished
        return over or self._interrupts.count > 0 or self._console.closed

    def _hear(self) -> None:
        """Tell the other servers how it stands here, and hear how it stands there."""
        if self._servers is None:
            return
        # Who has been told that all have finished here looks no further for how it ended.
        if self._lives.are_over() and self._exit is None and not self.outcome.failures:
            self._servers.finished()
        status, failures = self._servers.heard()
        if self._exit is None:
            self._exit = status
        self.outcome.failures += failures

    def _notice(self, words: str) -> None:
        if self._watcher is not None:
            self._watcher.notice(words)

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

    def _made_handlers(self) -> dict[str, Callable[[dict[str, Any]], object]]:
        """What is done about each kind of event."""
        lives = self._lives
        return {
            "attached": lambda event: self._attached(int(event["enclave"])),
            "constructed": self._constructed,
            "opened": self._opened,
            "store": self._keepers.take,
            "store-key": self._keepers.take,
            "finished": lambda event: lives.finish(event["actor"]),
            "began": lambda event: lives.heard_of(event["actor"], "began", int(event["life"])),
            "left": lambda event: lives.heard_of(event["actor"], "left", int(event["life"])),
            "factory": self._factory.take,
            "failed": self._failed,
            "exit": self._ended_by,
            "unpinned": self._unpinned,
        }

    def _ended_by(self, event: dict[str, Any]) -> None:
        self._exit = self._status_of(event["status"])

    def _handle(self, event: dict[str, Any]) -> None:
        if (handler := self._handlers.get(event["event"])) is not None:
            handler(event)

    def _failed(self, event: dict[str, Any]) -> None:
        error = event["error"]
        said = {failure.error["type"] for failure in self.outcome.failures if failure.error is not None}
        if event["actor"] is None and error["type"] in said:
            return  # a store of which an actor has said so is found to be old once more at the end
        message = f"{self._who_failed(event)}: {error['type']}: {error['message']}"
        failure = Failure(message, error["hint"], error)
        self._lives.fail(int(event.get("enclave", SYSTEM)), event["actor"], failure)

    def _opened(self, event: dict[str, Any]) -> None:
        facts = self._facts(int(event["enclave"]))
        facts.opened_ns = facts.opened_ns or int(event["at"])

    def _unpinned(self, event: dict[str, Any]) -> None:
        cpus = ", ".join(map(str, event["cpus"]))
        why = f"worker {event['worker']} is not pinned to CPU {cpus}: {event['reason']}"
        self.outcome.warnings.append(why)

    def _status_of(self, wish: object) -> int:
        """What exit() and sys.exit() mean: nothing, a status, or words to print and status 1."""
        if wish is None or isinstance(wish, int):
            return (wish or 0) & 0xFF
        self._console.complain(f"{wish}\n")
        return 1

    def _who_failed(self, event: dict[str, Any]) -> str:
        if event["actor"] is not None:
            return f"actor {event['actor']!r} failed"
        if event["error"]["type"] in _OF_ENCLAVES:
            facts = self._facts(int(event["enclave"]))
            return f"{facts.title} {'does not start' if facts.constructed_ns is None else 'has failed'}"
        return "the application's source failed in its enclave"

    def _attached(self, enclave: int) -> None:
        self._unattached.discard(enclave)
        if not self._unattached and not self._lives.may_begin:
            # Everyone has it mapped, now and for good: without a name it cannot be left behind.
            self._workspace.region.unlink(missing_ok=True)

    def _constructed(self, event: dict[str, Any]) -> None:
        facts = self._facts(int(event["enclave"]))
        facts.constructed_ns, facts.memory_kib = int(event["at"]), int(event["pss"])
        self._lives.enclaves[facts.id].is_constructed = True
        if self._ready_ns is None and all(
            facts.constructed_ns is not None for facts in self.outcome.enclaves
        ):
            self._ready_ns = time.monotonic_ns()

    def _facts(self, enclave: int) -> EnclaveFacts:
        facts = self._lives.enclaves[enclave].facts
        if facts is None:
            raise LookupError(enclave)
        return facts

    def _end(self) -> None:
        """Stop all enclaves: by asking, and after a grace by force."""
        if self._ready_ns is not None:
            self.outcome.seconds = (time.monotonic_ns() - self._ready_ns) / 1e9
        if self._interrupts.count > 0 and not self.outcome.failures:
            self._ask_to_end()
        if self._servers is not None:
            self._servers.close(self._word())
        self._region.stop()
        self._region.ring(*{context.bell for context in self._contexts()})
        deadline = time.monotonic() + GRACE
        impatient = 2  # Ctrl-C a second time
        while (
            self._interrupts.count < impatient and time.monotonic() < deadline and self._processes.some_run()
        ):
            self._mbox.wait(self._layout.host_bell, _WAIT_NS // 10)
            self._drain()
        self._lives.end()
        self._processes.close()
        self._drain()
        self._keepers.close()
        self.outcome.warnings += self._keepers.warnings
        self._conclude()

    def _ask_to_end(self) -> None:
        """Let actors that end when they are asked do so; at the second signal they are not waited for."""
        asked = {service.actor for service in self.deployed.services if service.ends_when_asked}
        if not asked or self._ready_ns is None:
            return
        self._processes.signal(SYSTEM, signal.SIGTERM)
        deadline = time.monotonic() + _ENDING
        while asked & self._lives.unfinished and time.monotonic() < deadline and self._interrupts.count == 1:
            self._mbox.wait(self._layout.host_bell, _WAIT_NS)
            self._drain()
            self._lives.tend(self._drain)
            if self.outcome.failures:
                return

    def _contexts(self) -> list[ContextPlace]:
        system = self._layout.system
        return [*self._layout.contexts, *([] if system is None else [system])]

    def _word(self) -> Ending:
        """Why the application ends on this server, for the others."""
        if self._interrupts.count > 0 or self._console.closed:
            return Failed("it was interrupted" if self._interrupts.count > 0 else "nobody reads its output")
        if self.outcome.failures:
            return Failed(self.outcome.failures[0].message)
        return Finished() if self._exit is None else Exit(self._exit)

    def _conclude(self) -> None:
        for context in self._layout.contexts:
            where = f"worker {context.worker.id} in {self._server.enclaves[context.enclave]}"
            self.outcome.counters[where] = self._region.counters(context.participant)
            if context.baton[2] > 1:
                self.outcome.handovers[context.worker.id] = self._region.passes(context.baton[0])
        if self._console.closed:
            self.outcome.status = BROKEN_PIPE
        elif self._interrupts.count > 0:
            self.outcome.status = self._interrupts.status
        elif self.outcome.failures:
            self.outcome.status = 1
        else:
            self.outcome.status = self._exit or 0


def _check_ciphers(deployed: Deployed) -> None:
    """Refuse before anything starts; an enclave looks again by itself, for the host may lie."""
    for channel in deployed.channels:
        problem = None if channel.protection != "encrypted" else _native.cipher_problem(channel.cipher)
        if problem is not None:
            raise LaunchError(
                f"the channel {channel} cannot be encrypted with {channel.cipher}: {problem}",
                hint='set another cipher= on its <channel>, such as "chacha20-poly1305", and build again',
            )
