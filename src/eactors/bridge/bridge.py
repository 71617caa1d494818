"""The bridge of one server: a span to each other server, and a door for those that connect.

Of two servers the one that stands later in the deployment connects, and the other listens.
Each listens, even if nobody is to come: so a second process for the same server is noticed
where it starts.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from typing import TYPE_CHECKING

from eactors import _native
from eactors.bridge.address import Address, address_of
from eactors.bridge.door import REASONS, Door
from eactors.bridge.span import Span
from eactors.bridge.wire import Hello, Refused, VersionDiffers, WireError
from eactors.bridge.words import Failed, Finished, pack
from eactors.deployment.sizes import node_payload, ring_slots
from eactors.errors import RegionCorrupted
from eactors.host.cpus import usable_cpus
from eactors.host.errors import LaunchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Protocol

    from eactors.bridge.words import Ending
    from eactors.deployment.plan import PlannedChannel
    from eactors.host.deployed import Deployed
    from eactors.host.layout import Layout

    class Told(Protocol):
        """What of a span says how far the other end is."""

        @property
        def connected(self) -> bool: ...
        @property
        def settled(self) -> bool: ...


_PATIENCE = 1.0
"""Seconds before people are told that another server is not there."""
_DIAL = 5.0
_REUNION = 2.5
"""Seconds in which two servers whose connection has broken are connected again, if both are there."""
_SPINS = 200
_MOST_KEPT = 1 << 20
"""Bytes of one channel and direction that are on the way between two servers, about."""


Port = tuple[int, int, tuple[int, int], int, int, int, int, bool]


class Bridge:
    """All spans of this server.

    Args:
        deployed: What runs on this server.
        layout: Of its region.
        notice: Told what people should know.
        listen: Where to listen; None: at the address that the deployment has.

    Raises:
        LaunchError: This server cannot listen there.
    """

    def __init__(
        self, deployed: Deployed, layout: Layout, notice: Callable[[str], None], listen: str | None = None
    ) -> None:
        self._deployed, self._layout, self._notice = deployed, layout, notice
        self._run = secrets.token_bytes(16)
        self._lock = threading.Lock()
        self._said: list[tuple[int, Ending]] = []
        self._finished: set[int] = set()
        self._missing = dict.fromkeys(deployed.peers, False)
        self._absent_since = dict.fromkeys(deployed.peers, time.monotonic())
        self._spans: dict[int, Span] = {}
        self._region: _native.Region | None = None
        addresses = [_address(server.address) for server in deployed.servers]
        self._addresses = addresses
        self._door = Door(deployed.server.address, _address(listen) if listen else addresses[deployed.place])

    def open(self, region: _native.Region) -> None:
        """Begin to carry."""
        self._region = region
        for peer in self._deployed.peers:
            self._spans[peer] = self._span(peer, region)
        self._door.open(self._hello(0), self._spans, self._notice)
        for span in self._spans.values():
            span.start()

    def say(self, word: Ending) -> None:
        """Tell all other servers."""
        for span in self._spans.values():
            span.native.say(pack(word))

    def heard(self) -> list[tuple[str, Ending]]:
        """What the other servers have said since the last time, and which of them."""
        with self._lock:
            said, self._said = self._said, []
        self._finished.update(peer for peer, word in said if isinstance(word, Finished))
        return [(self._title(peer), word) for peer, word in said]

    @property
    def all_finished(self) -> bool:
        """Whether every other server has said that its actors have finished."""
        return self._finished == set(self._spans)

    def look(self) -> None:
        """Tell people of servers that are not there, and of those that are there again."""
        now = time.monotonic()
        for peer, span in self._spans.items():
            if span.native.connected:
                if self._missing[peer]:
                    self._notice(f"connected with server {self._title(peer)}")
                self._missing[peer], self._absent_since[peer] = False, now
            elif not self._missing[peer] and now - self._absent_since[peer] >= _PATIENCE:
                self._missing[peer] = True
                self._notice(f"waiting for server {self._title(peer)}")

    def close(self, grace: float) -> None:
        """Wait until the other servers have what they were told, at most so long, and end."""
        wait_until_told([span.native for span in self._spans.values() if span.has_met], grace)
        self._door.close()
        for span in self._spans.values():
            span.close()

    def _title(self, peer: int) -> str:
        return repr(self._deployed.servers[peer].address)

    def _hello(self, peer: int) -> Hello:
        return Hello(bytes.fromhex(self._deployed.digest), self._deployed.place, peer, self._run)

    def _span(self, peer: int, region: _native.Region) -> Span:
        layout, place = self._layout, self._layout.links[peer]
        windows, ports = [], []
        for channel in self._deployed.channels:
            actors = [end.actor for end in channel.ends]
            for theirs in (side for side in (0, 1) if layout.remote.get(actors[side]) == peer):
                windows.append((channel.id, *window_of(channel)))
                ports.append(self._port(channel, theirs, layout.bell_of(actors[1 - theirs])))
        carries = (tuple(windows), tuple(ports))
        return Span(
            self._hello(peer),
            _native.Span(region, place.bell, place.participant, place.id, self._spins(), *carries),
            # Beside the workers, which it wakes and is woken by.
            {cpu for worker in self._deployed.server.workers for cpu in usable_cpus(worker)},
            (lambda: self._dial(peer)) if peer < self._deployed.place else None,
            lambda word: self._hear(peer, word),
            lambda error: self._hear(peer, _failure(self._title(peer), error)),
        )

    def _port(self, channel: PlannedChannel, side: int, bell: int) -> Port:
        lies = self._layout.channels[channel.id]
        sealed = channel.cipher != "none"
        return lies.pool, lies.shared, lies.mboxes, lies.capacity, lies.payload, side, bell, sealed

    def _spins(self) -> int:
        """How often to look before sleeping: only where no worker wants the CPU meanwhile."""
        threads = len(self._layout.contexts) + 2 * len(self._layout.links)
        return _SPINS if threads <= len(os.sched_getaffinity(0)) else 0

    def _dial(self, peer: int) -> socket.socket:
        return socket.create_connection(self._addresses[peer], timeout=_DIAL)

    def _hear(self, peer: int, word: Ending) -> None:
        with self._lock:
            self._said.append((peer, word))
        if self._region is not None:
            place = self._layout.links[peer]
            _native.adopt(self._region, place.participant, place.id)
            self._region.ring(self._layout.host_bell)


def wait_until_told(spans: Iterable[Told], grace: float, reunion: float = _REUNION) -> None:
    """Wait until the other ends have all that was sent.

    Args:
        spans: Those that have been connected before, at least.
        grace: For how long at most, in seconds.
        reunion: For how long one that is not connected is waited for: its connection may have
            broken just now, and whoever is there makes another; or the other server has ended.
    """
    begun = time.monotonic()
    seen = dict.fromkeys(spans, begun)
    while (now := time.monotonic()) < begun + grace:
        seen.update((span, now) for span in seen if span.connected)
        if all(span.settled or now >= last + reunion for span, last in seen.items()):
            return
        time.sleep(0.001)


def window_of(channel: PlannedChannel) -> tuple[int, int]:
    """How many frames of a channel may be on the way, and the bytes of each.

    Both ends compute it from the deployment.
    """
    payload = node_payload(channel)
    return max(1, min(ring_slots(channel.capacity), _MOST_KEPT // payload)), payload


def _address(text: str) -> Address:
    try:
        return address_of(text)
    except ValueError as error:
        raise LaunchError(f"the address {text!r} of a server: {error}", hint="write HOST:PORT") from error


def _failure(title: str, error: WireError | RegionCorrupted) -> Failed:
    match error:
        case RegionCorrupted(message=message, hint=hint):
            return Failed(message, hint or "an actor or the host has written what it must not")
        case VersionDiffers(version=version):
            return Failed(
                f"server {title} speaks wire version {version}, and this one another",
                "install the same version of eactors on all servers",
            )
        case Refused(why="deployment"):
            return Failed(
                f"server {title} runs another build of the deployment than this one",
                "build once with 'eactors build', and copy the folder to every server",
            )
        case Refused(why=why):
            hints = {
                "server": "check <ip> in the deployment: two servers may have been exchanged",
                "twin": "end this process: one server runs once",
                "restarted": "start the application again on all servers",
            }
            whom = {
                "server": f"server {title} takes this server for another",
                "twin": f"server {title} has been connected with another process for this server",
                "restarted": f"server {title} was started anew, or twice, and what was sent before is lost",
            }
            return Failed(whom[why], hints[why])
    return Failed(f"what answers as server {title} is none: {error}", "see what listens at its address")


__all__ = ["REASONS", "Bridge", "wait_until_told", "window_of"]
