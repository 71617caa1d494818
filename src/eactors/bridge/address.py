"""Where a server is reached: a host name or an IP address, and a port."""

from __future__ import annotations

import re
from typing import NamedTuple

PORT = 4870
"""Where a server listens whose address names no port."""

_WITH_PORT = re.compile(r"(?P<host>[^:\[\]]+|\[[^\[\]]+\]):(?P<port>[0-9]{1,5})")
_LAST_PORT = 65535


class Address(NamedTuple):
    """A host, and a port of TCP."""

    host: str
    port: int


def address_of(text: str) -> Address:
    """What the ``<ip>`` of a server means: ``HOST``, ``HOST:PORT``, ``IPv6`` or ``[IPv6]:PORT``.

    Raises:
        ValueError: There is no such port.
    """
    if (parts := _WITH_PORT.fullmatch(text)) is None:
        return Address(text.removeprefix("[").removesuffix("]"), PORT)
    port = int(parts["port"])
    if not 0 < port <= _LAST_PORT:
        raise ValueError(f"{port} is no port")
    return Address(parts["host"].strip("[]"), port)
