"""The launcher's side of the software CPU: start it, and have it make enclaves.

The CPU is a process of its own because it is what the enclaves trust and the host is what
they do not. All that the host can do is to ask it to start an image.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

from eactors.errors import ImageError
from eactors.host.errors import LaunchError

if TYPE_CHECKING:
    from pathlib import Path

_LONGEST = 65536


class SoftwareCpu:
    """A running software CPU.

    Raises:
        LaunchError: It cannot be started.
    """

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            kept = {name: os.environ[name] for name in ("HOME", "XDG_STATE_HOME") if name in os.environ}
            try:
                self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                    [sys.executable, "-I", "-m", "eactors.cpu", str(theirs.fileno())],
                    env=kept,
                    stdin=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                )
            except OSError as error:
                self._control.close()
                raise LaunchError(f"the software CPU cannot be started: {error}") from error

    def create(self, title: str, image: Path, home: Path, errors: int) -> int:
        """Have an enclave made from an image and started; its process, a child of this one.

        Args:
            title: What people call the enclave.
            image: Its folder.
            home: Where the CPU copies it, and where it runs.
            errors: A descriptor for its standard error.

        Raises:
            ImageError: The image is not what was measured and signed.
            LaunchError: The CPU has ended.
        """
        request = {"create": {"id": title, "image": str(image), "home": str(home)}}
        try:
            socket.send_fds(self._control, [json.dumps(request).encode()], [errors])
            answer = json.loads(self._control.recv(_LONGEST) or b"null")
        except OSError as error:
            raise LaunchError(f"the software CPU has ended: {error}") from error
        if answer is None:
            raise LaunchError("the software CPU has ended; what it said is above")
        if "error" in answer:
            raise ImageError(answer["error"], hint=answer["hint"])
        return int(answer["pid"])

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def close(self) -> None:
        """End it."""
        self._control.close()
        self._process.wait()
