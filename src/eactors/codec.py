"""Typed messages as bytes and back: msgspec's MessagePack, with the type checked both ways."""

from __future__ import annotations

import msgspec

from eactors.errors import MessageInvalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def codec_of(wanted: Any) -> tuple[Callable[[Any], bytes], Callable[[bytes], Any]]:
    """How messages of the type ``wanted`` become bytes and back; see `Connector.codec`."""
    encode = msgspec.msgpack.Encoder().encode
    decoder = msgspec.msgpack.Decoder(wanted)
    check = wanted if isinstance(wanted, type) else None

    def encode_checked(message: Any) -> bytes:
        if check is not None and not isinstance(message, check):
            raise MessageInvalid(f"{type(message).__name__} is not a {check.__name__}")
        return encode(message)

    def decode(data: bytes) -> Any:
        try:
            return decoder.decode(data)
        except msgspec.MsgspecError as error:
            raise MessageInvalid(f"a received message is no {wanted}: {error}") from error

    return encode_checked, decode
