"""The messages to and from the network system actor.

The client names every socket, also those that will be accepted: an `Accept` says what the next
connection is to be called. Bytes flow against credit, in both directions and per connection:
neither side holds more than a window of what the other has not taken. So a slow reader slows
its writer down as far as the peer's own socket, and memory stays bounded.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from eactors.services.base import Done, Ending, Failed, Message, Number, Words
from eactors.services.paths import Path  # noqa: TC001 - msgspec looks it up

WINDOW = 1 << 17
"""Bytes of one connection, per direction, that may be on the way and not taken."""

CHUNK = 1 << 16
"""Bytes that one message carries at most."""

MOST_UNTOLD = 1 << 19
"""Taken bytes of all sockets that a client may not have told yet: half of the least that may be unread."""

DATAGRAMS = 64
"""Datagrams of one socket that may be on the way and not taken."""

Bytes = Annotated[bytes, msgspec.Meta(max_length=CHUNK)]
Count = Annotated[int, msgspec.Meta(ge=1, le=WINDOW)]
Host = Annotated[str, msgspec.Meta(max_length=255)]
Port = Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]
Errno = Annotated[int, msgspec.Meta(ge=0, le=4095)]
Address = tuple[Host, Port]
"""Of a Unix socket nothing, and 0: who has named it knows its path."""


class Listen(Message, tag=10):
    """Listen for connections; ``path`` instead of host and port: a Unix socket. Answer: `Bound`."""

    id: Number
    socket: Number
    host: Host
    port: Port
    path: Path | None
    backlog: Annotated[int, msgspec.Meta(ge=1, le=65535)]
    reuse_port: bool


class Accept(Message, tag=11):
    """Call the next connection of a listener ``socket``. Answer: `Connected`."""

    id: Number
    listener: Number
    socket: Number


class Connect(Message, tag=12):
    """Connect to the first of a host's addresses that answers, or to a Unix socket. Answer: `Connected`."""

    id: Number
    socket: Number
    host: Host
    port: Port
    path: Path | None
    local_host: Host
    local_port: Port


class Open(Message, tag=13):
    """Make a socket for datagrams, bound to a host and port. Answer: `Bound`."""

    id: Number
    socket: Number
    host: Host
    port: Port


class Resolve(Message, tag=14):
    """Look a host's addresses up. Answer: `Resolved`."""

    id: Number
    host: Host
    port: Port


class Write(Message, tag=15):
    """Send bytes on a connection."""

    socket: Number
    data: Bytes


class Taken(Message, tag=16):
    """So many received bytes, or datagrams, were taken; as many more may come."""

    socket: Number
    count: Count


class Finish(Message, tag=17):
    """Send the end, behind all that was written."""

    socket: Number


class Close(Message, tag=18):
    """Close a socket: at once if ``abort``, else behind all that was written. Answer: `Closed`."""

    socket: Number
    abort: bool


class SendTo(Message, tag=19):
    """Send a datagram; it may be lost."""

    socket: Number
    host: Host
    port: Port
    data: Bytes


class Bound(Message, tag=20):
    """A socket has this address, and listens there if it was to."""

    id: Number
    address: Address


class Connected(Message, tag=21):
    """A connection is open."""

    id: Number
    peer: Address
    local: Address


class Resolved(Message, tag=22):
    """A host's addresses: whether of IPv6, address and port."""

    id: Number
    addresses: Annotated[list[tuple[bool, Host, Port]], msgspec.Meta(max_length=256)]


class Data(Message, tag=23):
    """Bytes have come on a connection."""

    socket: Number
    data: Annotated[bytes, msgspec.Meta(min_length=1, max_length=CHUNK)]


class End(Message, tag=24):
    """The peer has sent its last byte."""

    socket: Number


class Written(Message, tag=25):
    """So many bytes of what was written have left."""

    socket: Number
    count: Count


class Datagram(Message, tag=26):
    """A datagram has come."""

    socket: Number
    host: Host
    port: Port
    data: Bytes


class Closed(Message, tag=27):
    """A socket is no more; errno 0: it was closed in good order."""

    socket: Number
    errno: Errno
    reason: Words


Requests = Listen | Accept | Connect | Open | Resolve | Write | Taken | Finish | Close | SendTo
Says = Done | Failed | Bound | Connected | Resolved | Data | End | Written | Datagram | Closed | Ending
