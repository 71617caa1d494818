"""Two machines for tests: network namespaces with a cable between them, which may be slow and lossy."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from typing import TYPE_CHECKING, Self

import pytest

if TYPE_CHECKING:
    from types import TracebackType


def command(*words: str) -> None:
    """Run a command that must work."""
    subprocess.run(words, check=True, capture_output=True, text=True)


class Network:
    """Two namespaces, 10.77.0.1 and 10.77.0.2, joined by a pair of virtual devices.

    Args:
        disturbance: A queueing discipline as ``tc`` has it, such as ("netem", "delay", "20ms").

    Skips the test where the machine does not allow it.
    """

    ADDRESSES = ("10.77.0.1", "10.77.0.2")

    def __init__(self, *disturbance: str) -> None:
        name = secrets.token_hex(3)
        self.names = (f"ea-{name}-a", f"ea-{name}-b")
        self._disturbance = disturbance

    def __enter__(self) -> Self:
        if os.geteuid() != 0:
            pytest.skip("network namespaces are for root")
        if shutil.which("ip") is None or shutil.which("tc") is None:
            pytest.skip("there are no ip and tc: apt-get install iproute2")
        try:
            self._make()
        except subprocess.CalledProcessError as error:
            self.__exit__(None, None, None)
            pytest.skip(f"this machine does not allow it: {' '.join(error.cmd)}: {error.stderr.strip()}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)

    def prefix(self, at: int) -> tuple[str, ...]:
        """What to write before a command that is to run on one of the machines."""
        return "ip", "netns", "exec", self.names[at]

    def plug(self, state: str) -> None:
        """Pull the cable ("down"), or put it back ("up")."""
        command(*self.prefix(0), "ip", "link", "set", "cable", state)

    def carried(self) -> bool:
        """Whether more has gone over the cable than hellos."""
        with_counter = [*self.prefix(0), "cat", "/sys/class/net/cable/statistics/tx_bytes"]
        # A namespace's devices are in a /sys of its own, which `ip netns exec` mounts.
        return int(subprocess.run(with_counter, check=True, capture_output=True, text=True).stdout) > 50_000

    def _make(self) -> None:
        for name in self.names:
            command("ip", "netns", "add", name)
        one, other = self.names
        ends = ("name", "cable", "netns", one, "type", "veth", "peer", "name", "cable", "netns", other)
        command("ip", "link", "add", *ends)
        for at, address in enumerate(self.ADDRESSES):
            command(*self.prefix(at), "ip", "addr", "add", f"{address}/24", "dev", "cable")
            command(*self.prefix(at), "ip", "link", "set", "cable", "up")
            command(*self.prefix(at), "ip", "link", "set", "lo", "up")
            if self._disturbance:
                qdisc = ("qdisc", "add", "dev", "cable", "root", *self._disturbance)
                command(*self.prefix(at), "tc", *qdisc)
