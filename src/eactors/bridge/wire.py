"""What two servers say first on each connection: the hello. What follows is in native/link.h.

    magic 7 "EACTORS" | version 1 | length of the rest 2
    | deployment 32 | sender's server 2 | receiver's server 2
    | sender's run 16 | receiver's run, as far as known, 16 | frames received 8

All integers are big-endian. The first ten bytes of a hello stay as they are in every version:
by them two versions can tell each other apart.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

VERSION = 1

MAGIC = b"EACTORS"
PREFIX = struct.Struct(">7sBH")
_HELLO = struct.Struct(">32sHH16s16sQ")
HELLO_SIZE = PREFIX.size + _HELLO.size

NOBODY = bytes(16)
"""The run of a peer that has not been heard of."""


class WireError(Exception):
    """The other side sent what no bridge of this version sends."""


class VersionDiffers(WireError):  # noqa: N818 - it names what happened
    """The other side speaks another version.

    Attributes:
        version: Which.
    """

    def __init__(self, version: int) -> None:
        super().__init__(f"wire version {version}")
        self.version = version


class Refused(WireError):  # noqa: N818 - it names what happened
    """A hello was understood, and it is not by whom this end can be linked with.

    Attributes:
        why: "deployment", "server", "restarted" or "twin".
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Hello(NamedTuple):
    """What each side says first on every connection.

    Attributes:
        deployment: Digest of what both must have been built from.
        server: The sender's place among the servers.
        peer: The receiver's.
        run: The sender's process: 16 random bytes.
        known: The receiver's process that the sender has been connected with; or `NOBODY`.
        received: How many numbered frames of the receiver's it has.
    """

    deployment: bytes
    server: int
    peer: int
    run: bytes
    known: bytes = NOBODY
    received: int = 0

    def pack(self, version: int = VERSION) -> bytes:
        """The bytes of it."""
        return PREFIX.pack(MAGIC, version, _HELLO.size) + _HELLO.pack(*self)

    def judge(self, ours: Hello) -> None:
        """See whether whoever says this can be linked with us.

        Raises:
            Refused: It cannot.
        """
        if self.deployment != ours.deployment:
            raise Refused("deployment")
        if (self.server, self.peer) != (ours.peer, ours.server):
            raise Refused("server")
        if self.known not in (NOBODY, ours.run):
            raise Refused("twin")
        if ours.known not in (NOBODY, self.run):
            raise Refused("restarted")


def hello_in(data: bytes | bytearray) -> Hello | None:
    """The hello that ``data`` begins with; None while it is not all there.

    Raises:
        VersionDiffers: It is one of another version.
        WireError: It is none.
    """
    if not (MAGIC.startswith(data[: len(MAGIC)]) if len(data) < len(MAGIC) else data[: len(MAGIC)] == MAGIC):
        raise WireError("it does not begin with a hello")
    if len(data) < PREFIX.size:
        return None
    _, version, length = PREFIX.unpack_from(data)
    if version != VERSION:
        raise VersionDiffers(version)
    if length != _HELLO.size:
        raise WireError("its hello has another length")
    return Hello(*_HELLO.unpack_from(data, PREFIX.size)) if len(data) >= HELLO_SIZE else None
