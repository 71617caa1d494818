"""The key exchanges of an enclave's encrypted channels."""

from __future__ import annotations

from eactors.attestation.exchange import make_exchange

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from eactors.attestation.manifest import Manifest
    from eactors.enclave.trust import Trust
    from eactors.platform.base import Platform

    Keys = tuple[bytearray, bytearray]
    Exchange = Callable[[bytes | None], tuple[tuple[bytes, ...], Keys | None]]


class Exchanges:
    """Makes them, and knows when all are over.

    Args:
        platform: What reports and keys come from.
        manifest: Who the others are.
        own: This enclave's id.
        opened: Called once, when every encrypted channel has its keys.
    """

    def __init__(self, platform: Platform, manifest: Manifest, own: int, opened: Callable[[], None]) -> None:
        self._platform = platform
        self._manifest = manifest
        self._own = own
        self._opened = opened
        self._closed: set[int] = set()

    def exchange(self, entry: dict[str, Any]) -> Exchange:
        """The key exchange of one connector, as its entry in the plan says."""
        channel = entry["channel"]
        end = make_exchange(entry, self._manifest, self._own, self._platform)
        self._closed.add(channel)

        def counted(frame: bytes | None) -> tuple[tuple[bytes, ...], Keys | None]:
            messages, keys = end(frame)
            if keys is not None:
                self._closed.discard(channel)
                if not self._closed:
                    self._opened()
            return messages, keys

        return counted


def make(trust: Trust) -> Exchanges:
    """The exchanges of this enclave."""
    return Exchanges(trust.platform, trust.manifest, trust.own, trust.opened)
