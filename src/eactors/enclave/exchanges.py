"""The key exchanges of an enclave's encrypted channels."""

from __future__ import annotations

from eactors.attestation.exchange import make_exchange

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from eactors.enclave.trust import Trust

    Keys = tuple[bytearray, bytearray]
    Exchange = Callable[[bytes | None], tuple[tuple[bytes, ...], Keys | None]]


class Exchanges:
    """Makes them, and knows when all are over.

    Args:
        trust: What reports and keys come from, who the others are, and whom to tell at last.
    """

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        self._closed: set[int] = set()

    def exchange(self, entry: dict[str, Any]) -> Exchange:
        """The key exchange of one connector, as its entry in the plan says."""
        channel = entry["channel"]
        trust = self._trust
        end = make_exchange(entry, trust.manifest, trust.own, trust.platform)
        self._closed.add(channel)

        def counted(frame: bytes | None) -> tuple[tuple[bytes, ...], Keys | None]:
            messages, keys = end(frame)
            if keys is not None:
                self._closed.discard(channel)
                if not self._closed:
                    trust.opened()
            return messages, keys

        return counted


make = Exchanges
"""What makes the exchanges of an enclave, of its trust."""
