"""Quotes that actors ask for, for anyone anywhere."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from eactors.enclave.trust import Trust
    from eactors.platform.base import Platform

_DATA = 64


class Quotes:
    """Makes quotes of one enclave."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def quote(self, data: bytes) -> bytes:
        """A quote that says ``data``."""
        if len(data) != _DATA:
            raise ValueError(f"a quote says {_DATA} bytes, and these are {len(data)}")
        return self._platform.quote(data)


def make(trust: Trust) -> Quotes:
    """Those of this enclave."""
    return Quotes(trust.platform)
