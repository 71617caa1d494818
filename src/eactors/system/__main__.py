"""The process that executes the system actors of a run.

    python -m eactors.system LAUNCH.json

It maps the shared region like an enclave, and is one of the untrusted side. One worker
executes a session for each channel, and the reactor that they wait with.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eactors import _native
from eactors.enclave.failure import describe
from eactors.enclave.link import HostLink
from eactors.system.launcher import Launcher
from eactors.system.reactor import READ, Reactor
from eactors.system.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from eactors.actor import Actor

SYSTEM = -1


def session_class(system: str) -> type[Session]:
    """The class whose instances serve the clients of a system actor."""
    found: type[Session] = getattr(import_module(f"eactors.system.{system}"), f"{system.title()}Session")
    return found


class System:
    """All system actors of a run.

    Args:
        launch: What the launcher says; see `eactors.host.launch.system_of`.
    """

    def __init__(self, launch: dict[str, Any]) -> None:
        self._region = _native.Region.open(launch["region"]["path"], launch["region"]["size"])
        place = launch["worker"]
        self._participant = tuple(place["participant"])
        _native.adopt(self._region, *self._participant)
        self._link = HostLink(self._region, launch["host"], SYSTEM)
        self._link.event("attached")
        self._worker = _native.Worker(
            region=self._region,
            participant=self._participant[0],
            participant_id=self._participant[1],
            bell=place["bell"],
            policy=0,
            futex=launch["futex"],
            crowded=place["crowded"],
            alone=True,
            report=self._report,
        )
        Session.post = _native.Post(
            self._region,
            tuple(launch["host"]["pool"]),
            tuple(launch["host"]["mbox"]),
            launch["host"]["bell"],
        )
        Session.room = launch["host"]["pool"][2]
        self._reactor = Reactor()
        self._reactor.name = "system reactor"
        _native.watch(self._worker, self._reactor)
        self._sessions: list[Session] = []
        self._worker.add(self._reactor, Reactor.body, [])
        self._launcher = Launcher(self._link, self._reactor)
        self._host_bell = launch["host"]["bell"]
        for service in launch["services"]:
            self._sessions.append(self._serve(service, launch.get("settings", {}).get(service["system"], {})))
        os.sched_setaffinity(0, place["cpus"])
        self._listen_for_the_end()

    def run(self) -> None:
        """Serve until the region is stopped."""
        self._link.event("constructed", pss=0, at=time.monotonic_ns())
        self._worker.run()

    def _serve(self, service: dict[str, Any], settings: dict[str, Any]) -> Session:
        cls = session_class(service["system"])
        session = cls.__new__(cls)
        session.name = f"system {service['system']} of {service['actor']}"
        connector = _native.Connector(session, service["actor"], service["message_size"])
        end = (
            self._region,
            *(service["pool"], service["shared"], tuple(service["mboxes"])),
            *(service["capacity"], service["payload"], 1),
            *(service["bell"], *self._participant),
        )
        attach = partial(_native.attach_plain, connector, end, True)  # noqa: FBT003 - it has no names
        attach()
        session.launcher = self._launcher
        session.__init__(connector, service["actor"], self._reactor, settings)  # type: ignore[misc]
        if service["epoch"] is not None:
            session.comes_again = True
            place = self._region, service["shared"], 1, service["epoch"], self._host_bell
            _native.reopen(connector, *place, True, _renewing(session, attach), None)  # noqa: FBT003 - it has no names
        self._worker.add(session, cls.body, [(connector, None, None)])
        return session

    def _listen_for_the_end(self) -> None:
        """Have a signal of the launcher's wake the reactor, which tells the sessions."""
        told, tell = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

        def ending(_: int) -> None:
            os.read(told, 64)
            for session in self._sessions:
                session.ending()

        self._reactor.register(told, READ, ending)
        signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, lambda *_: None)

    def _report(self, what: str, actor: Actor, detail: object) -> None:
        if what == "finished":
            getattr(actor, "over", lambda: None)()
        elif isinstance(detail, BaseException):
            self._link.event("failed", actor=actor.name, error=describe(detail))


def _renewing(session: Session, attach: Callable[[], None]) -> Callable[[bool], None]:
    """What is called when a client that may come again has gone, or is there again."""

    def call(opens: bool) -> None:  # noqa: FBT001 - what C calls
        if not opens:
            session.over()
        attach()

    return call


def main() -> None:
    """Run the system actors, with what the launcher wrote into a file."""
    launch = json.loads(Path(sys.argv[1]).read_bytes())
    _native.die_with(launch["parent"])
    # Each connection of a client takes one, and the usual limit is meant for programs with few.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    System(launch).run()
    # Threads may still be in a system call that takes for ever.
    os._exit(0)


if __name__ == "__main__":
    main()
