"""Having an enclave introduce itself: its public key for provisioning, and a quote that covers it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eactors.host.child import Child
from eactors.host.cpu import SoftwareCpu
from eactors.host.errors import LaunchError
from eactors.host.processes import manifest_of

if TYPE_CHECKING:
    from eactors.host.deployed import Deployed
    from eactors.host.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Introduction:
    """What an enclave says of itself; not verified."""

    public: bytes
    quote: bytes


def introduce(built: Path, deployed: Deployed, enclave: int, workspace: Workspace) -> Introduction:
    """Start an enclave of a built deployment just for that.

    Raises:
        ImageError: Its image is not what was measured and signed.
        LaunchError: It cannot be started, or refuses.
    """
    title = next(server.enclaves[enclave] for server in deployed.servers if enclave in server.enclaves)
    home = workspace.folder / deployed.images[enclave]
    launch: dict[str, Any] = {
        **manifest_of(built),
        "introduce": True,
        "parent": os.getpid(),
        "sandbox": True,
        "provisioned": {},
    }
    Path(f"{home}.json").write_text(json.dumps(launch), encoding="utf-8")
    cpu = SoftwareCpu()
    reader, writer = os.pipe()
    try:
        pid = cpu.create(title, built.resolve() / deployed.images[enclave], home, writer)
    finally:
        os.close(writer)
    workspace.guard.watch(pid)
    child = Child(pid, reader)
    try:
        words = child.last_words()
        said = json.loads(words)
        return Introduction(bytes.fromhex(said["public"]), bytes.fromhex(said["quote"]))
    except (ValueError, LookupError, TypeError) as error:
        raise LaunchError(f"{title} does not introduce itself: {words or 'it ended'}") from error
    finally:
        child.end()
        cpu.close()
