"""JSON of which there is one form only, so that its hash means its content."""

from __future__ import annotations

import json
from typing import Any

MOST = 16 << 20
"""Bytes; larger descriptions are refused unread."""


def canonical(content: Any) -> bytes:
    """The one way to write ``content``: keys sorted, no spaces, ASCII, one line."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode() + b"\n"


def parse(data: bytes) -> Any:
    """Read what `canonical` has written.

    Raises:
        ValueError: It is no JSON, or is written in another form than the canonical one.
    """
    if len(data) > MOST:
        raise ValueError(f"it has more than {MOST >> 20} MiB")
    try:
        content = json.loads(data)
        same = canonical(content) == data
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not same:
        raise ValueError("it is not in canonical form")
    return content
