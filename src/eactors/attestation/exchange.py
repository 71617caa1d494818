"""The key exchanges by name. An image holds the modules of those that its enclave's channels use."""

from __future__ import annotations

from eactors.attestation.end import KEY_BYTES
from eactors.errors import ExchangeFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from eactors.attestation.end import End
    from eactors.attestation.manifest import Manifest
    from eactors.platform.base import Platform

EXCHANGES = ("local-attestation", "sealing", "diffie-hellman")


def class_of(kind: str) -> type[End]:
    """What executes this kind of exchange: in the module called like it, the class called like it."""
    words = kind.split("-")
    name = "".join(map(str.capitalize, words))
    module = __import__(f"eactors.attestation.{'_'.join(words)}", fromlist=[name])
    found: type[End] = getattr(module, name)
    return found


def make_exchange(entry: dict[str, Any], manifest: Manifest, own: int, platform: Platform) -> End:
    """One end of a key exchange.

    Args:
        entry: What the enclave's plan says of the connector.
        manifest: The manifest, whose signatures have been checked.
        own: This enclave's id.
        platform: What reports and sealing keys come from.

    Returns:
        What is called with None first, and then with each message received; see `End.__call__`.

    Raises:
        ExchangeFailed: The image and the manifest differ about this channel: the owners have
            signed another deployment than this enclave is part of.
        ManifestRejected: The manifest has no such channel.
    """
    kind, cipher, channel, peer = (entry[key] for key in ("exchange", "cipher", "channel", "peer_enclave"))
    signed = manifest.channel(channel)
    said = (signed.exchange, signed.cipher, *signed.enclaves)
    planned = (kind, cipher, *((own, peer) if entry["side"] == 0 else (peer, own)))
    if planned != said or kind not in EXCHANGES or cipher not in KEY_BYTES:
        raise ExchangeFailed(
            f"channel {channel} is {planned} in this enclave's image and {said} in the manifest"
        )
    return class_of(kind)(entry, manifest, own, platform)
