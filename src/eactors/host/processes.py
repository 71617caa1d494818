"""The processes of a run: enclaves, which the software CPU starts, and the untrusted side."""

from __future__ import annotations

import json
import os
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eactors.deployment.model import SYSTEM, UNTRUSTED
from eactors.errors import ImageError
from eactors.host.child import Child
from eactors.host.cpu import SoftwareCpu
from eactors.host.errors import LaunchError
from eactors.host.launch import launch_of, system_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from eactors.host.deployed import Deployed
    from eactors.host.layout import Layout
    from eactors.host.workspace import Workspace

PROVISIONED = "provisioned"
"""Folder below a built deployment with files that are encrypted for its actors."""


class Processes:
    """Starts and ends the processes of one run.

    Args:
        built: The folder that ``eactors build`` wrote.
        workspace: Where the run may put its files.
        deployed: The launcher's part of the deployment.
        layout: Of the shared region.
        sandbox: False: enclaves may do what any process may.

    Attributes:
        epochs: Of the channels of an enclave that may be reopened, by id; it is told them.
        stores: What an enclave is told of its stores.
    """

    def __init__(
        self, built: Path, workspace: Workspace, deployed: Deployed, layout: Layout, *, sandbox: bool
    ) -> None:
        self._built = built
        self._workspace = workspace
        self._deployed = deployed
        self._layout = layout
        self._sandbox = sandbox
        self._children: dict[int, Child] = {}
        self.epochs: Callable[[int], Mapping[int, int]] = lambda _: {}
        self.stores: Callable[[int], Mapping[str, Any]] = lambda _: {}
        self._cpu = SoftwareCpu() if set(deployed.images) - {UNTRUSTED} else None
        self._manifest = manifest_of(built)

    def start(self, enclave: int, title: str) -> int:
        """Start one process; its id.

        Raises:
            ImageError: Its image is not what was measured and signed.
            LaunchError: The machine refuses to.
        """
        image = self._built / self._deployed.images[enclave]
        home = self._workspace.folder / image.name
        self._write_launch(enclave, Path(f"{home}.json"))
        cpu = self._cpu

        def start(errors: int) -> int:
            if cpu is None or enclave == UNTRUSTED:
                shutil.copytree(image, home)
                return spawn(["-S", "-B", str(home)], errors)
            return cpu.create(title, image, home, errors)

        return self._start(enclave, title, start)

    def start_system(self, orders: int) -> int:
        """Start the process of the system actors; its id.

        Args:
            orders: A descriptor from which it reads what we tell it.

        Raises:
            LaunchError: The machine refuses to.
        """
        file = self._workspace.folder / "system.json"
        launch = {**system_of(self._deployed, self._layout, self.epochs(SYSTEM)), **self._common()}
        kept = self._input()
        launch["settings"]["console"] = {"input": kept}
        file.write_text(json.dumps(launch), encoding="utf-8")
        program = ["-m", "eactors.system", str(file)]
        try:
            return self._start(
                SYSTEM, "the system actors", lambda errors: spawn(program, errors, orders, kept)
            )
        finally:
            if kept is not None:
                os.close(kept)

    def _input(self) -> int | None:
        """A copy of our standard input, if some actor may ask for it: nobody else reads it."""
        if all(service.system != "console" for service in self._deployed.services):
            return None
        try:
            return os.dup(0)
        except OSError:
            return None  # we were started without one

    def _start(self, enclave: int, title: str, start: Callable[[int], int]) -> int:
        reader, writer = os.pipe()
        try:
            pid = start(writer)
        except OSError as error:
            raise LaunchError(f"{title} cannot be started: {error}") from error
        finally:
            os.close(writer)
        self._children[enclave] = Child(pid, reader)
        self._workspace.guard.watch(pid)
        return pid

    def _common(self) -> dict[str, Any]:
        return {
            "parent": os.getpid(),
            "region": {"path": str(self._workspace.region), "size": self._layout.size},
            "futex": True,
        }

    def _write_launch(self, enclave: int, file: Path) -> None:
        launch: dict[str, Any] = {
            **launch_of(self._deployed, self._layout, enclave, self.epochs(enclave)),
            **self.stores(enclave),
            **self._manifest,
            **self._common(),
            "sandbox": self._sandbox,
            "provisioned": self._provisioned(enclave),
            "paths": sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}),
        }
        file.write_text(json.dumps(launch), encoding="utf-8")

    def _provisioned(self, enclave: int) -> dict[str, str]:
        folder = self._built / PROVISIONED
        actors = (actor for actor, home in self._deployed.actors.items() if home == enclave)
        files = {actor: folder / f"{actor}.sealed" for actor in actors}
        return {actor: file.read_bytes().hex() for actor, file in files.items() if file.exists()}

    def poll(self, enclave: int) -> int | None:
        """The exit status of a process, or None while it runs."""
        return self._children[enclave].poll()

    def last_words(self, enclave: int) -> str:
        """What a process that ended wrote last to its standard error."""
        return self._children[enclave].last_words()

    def signal(self, enclave: int, number: int) -> None:
        """Send a signal to a process that has not ended."""
        self._children[enclave].signal(number)

    def some_run(self) -> bool:
        """Whether some process has not ended."""
        return any(child.poll() is None for child in self._children.values())

    def running(self) -> list[int]:
        """Those that were started and not ended."""
        return list(self._children)

    def kill(self, enclave: int) -> None:
        """Kill a process, whose end will be seen by `poll`."""
        self._children[enclave].kill()

    def end(self, enclave: int) -> int:
        """Kill a process if it still runs, and forget it; its exit status."""
        status = self._children.pop(enclave).end()
        if enclave != SYSTEM:
            # Its next life has a copy of its own, which is measured again.
            shutil.rmtree(self._workspace.folder / self._deployed.images[enclave], ignore_errors=True)
        return status

    def close(self) -> None:
        """End the software CPU, whose enclaves have ended."""
        if self._cpu is not None:
            self._cpu.close()


def spawn(arguments: list[str], errors: int, orders: int | None = None, kept: int | None = None) -> int:
    """Start a Python process of the untrusted side, an ordinary one but for its environment.

    Args:
        arguments: Of the interpreter.
        errors: Its standard error.
        orders: Its standard input; None: none.
        kept: A descriptor that it has, too, under the same number.
    """
    nowhere = os.open(os.devnull, os.O_RDWR)
    streams = (nowhere if orders is None else orders, nowhere, errors)
    own = [] if kept is None else [(kept, kept)]
    try:
        return os.posix_spawn(
            sys.executable,
            [sys.executable, "-I", *arguments],
            {},
            file_actions=[(os.POSIX_SPAWN_DUP2, fd, at) for at, fd in [*own, *enumerate(streams)]],
            setsid=True,
        )
    finally:
        os.close(nowhere)


def manifest_of(built: Path) -> dict[str, Any]:
    """The manifest and its signatures, as they are handed to every enclave."""
    try:
        manifest = (built / "manifest.json").read_text(encoding="ascii")
        signatures = [json.loads(file.read_bytes()) for file in sorted((built / "signatures").glob("*.json"))]
    except (OSError, ValueError) as error:
        raise ImageError(
            f"{built}: the manifest or a signature cannot be read: {error}", hint="build again"
        ) from error
    return {"manifest": manifest, "signatures": signatures}
