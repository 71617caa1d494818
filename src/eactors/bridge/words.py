"""What bridges say to each other about the application: how it goes on, and how it ends."""

from __future__ import annotations

import msgspec

from eactors.bridge.wire import WireError


class Finished(msgspec.Struct, frozen=True, tag="finished", array_like=True):
    """All actors of the sender's server have finished."""


class Exit(msgspec.Struct, frozen=True, tag="exit", array_like=True):
    """An actor has asked for the end of the application, with this status."""

    status: int


class Failed(msgspec.Struct, frozen=True, tag="failed", array_like=True):
    """The application has failed on the sender's server; or somebody has ended it there."""

    what: str
    hint: str | None = None


Ending = Finished | Exit | Failed

_decoder = msgspec.msgpack.Decoder(Ending)


def pack(word: Ending) -> bytes:
    """The bytes that travel."""
    return msgspec.msgpack.encode(word)


def unpack(content: bytes) -> Ending:
    """What those bytes say.

    Raises:
        WireError: Nothing.
    """
    try:
        word: Ending = _decoder.decode(content)
    except msgspec.MsgspecError as error:
        raise WireError("a word that no bridge says") from error
    return word
