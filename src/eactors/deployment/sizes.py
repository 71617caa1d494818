"""Sizes that follow from a plan, and on which an enclave and its host must agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eactors.deployment.plan import PlannedChannel, PlannedKeyChannel

TAG = 16
"""Bytes that authentication adds to each frame of an encrypted channel."""


STORE_BLOCK = 256
"""Bytes of one block of a store."""


def ring_slots(messages: int) -> int:
    """Slots of an mbox that holds so many messages: the next power of two."""
    return 1 << (messages - 1).bit_length()


def node_payload(channel: PlannedChannel | PlannedKeyChannel) -> int:
    """Bytes of one node of a public channel: a frame, and its tag if it is encrypted."""
    return channel.node_size + (0 if channel.cipher == "none" else TAG)


def size_words(size: int) -> str:
    """A number of bytes as it is best read."""
    for unit, bytes_of in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if size and size % bytes_of == 0:
            return f"{size // bytes_of} {unit}"
    return f"{size} bytes"
