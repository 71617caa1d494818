"""What an enclave knows of itself and of the others: its identity, the manifest, its keys.

The manifest comes from the host. It is believed because every owner whose public key is in
this enclave's image has signed it, and because it names this very enclave.
"""

from __future__ import annotations

from eactors.attestation.identity import check_report, own_identity, target_info
from eactors.attestation.manifest import Manifest, check_own, check_signatures
from eactors.enclave.sealing import Sealer
from eactors.errors import ManifestRejected, ReportInvalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from eactors.enclave.provisioning import Provisioning
    from eactors.platform.base import Platform

    Keys = tuple[bytearray, bytearray]
    Exchange = Callable[[bytes | None], tuple[tuple[bytes, ...], Keys | None]]

_DATA = 64


class Trust:
    """The identity of this enclave, and the key exchanges with its peers.

    Args:
        platform: What reports and keys come from.
        plan: The enclave's plan; its owners are those who must have signed the manifest.
        launch: What the launcher said at the start; the manifest and its signatures.
        opened: Called once, when every encrypted channel has its keys.

    Attributes:
        sealer: Seals data for this enclave or its signer.

    Raises:
        ManifestRejected: An owner's signature is missing, or the manifest is about another
            enclave than this one.
    """

    def __init__(
        self, platform: Platform, plan: dict[str, Any], launch: dict[str, Any], opened: Callable[[], None]
    ) -> None:
        content = launch["manifest"].encode()
        check_signatures(content, launch["signatures"], plan["owners"])
        self._manifest = Manifest(content)
        self._own = plan["enclave"]
        self._roots: list[str] = plan.get("roots", [])
        identity = own_identity(platform)
        check_own(identity, self._manifest.enclave(self._own))
        if not launch["sandbox"] and not identity.debug:
            raise ManifestRejected(
                "the launcher wants this enclave without its sandbox, and it is no debug enclave",
                hint='leave out --no-sandbox, or set debug="yes" in its <enclave-settings> and build again',
            )
        self._platform = platform
        self._opened = opened
        self._closed: set[int] = set()
        self.sealer = Sealer(platform, identity)
        self._identity = identity
        self._files: dict[str, str] = launch["provisioned"]

    def report(self, enclave: int, data: bytes) -> bytes:
        """A report for another enclave of the manifest."""
        peer = self._manifest.enclave(enclave).identity
        return self._platform.report(target_info(peer.measurement, peer.debug), data)

    def check_report(self, enclave: int, report: bytes) -> bytes:
        """The data of a report that this enclave of the manifest made for us.

        Raises:
            ReportInvalid: It is not by that enclave, not for this one, or was changed.
        """
        identity, data = check_report(self._platform, report)
        if difference := identity.difference(self._manifest.enclave(enclave).identity):
            raise ReportInvalid(f"the report is not by enclave {enclave}: who made it {difference}")
        return data

    def quote(self, data: bytes) -> bytes:
        """A quote, for anyone."""
        if len(data) != _DATA:
            raise ValueError(f"a quote says {_DATA} bytes, and these are {len(data)}")
        return self._platform.quote(data)

    def provisioning(self) -> Provisioning:
        """This enclave's end of provisioning."""
        from eactors.enclave.provisioning import Provisioning  # noqa: PLC0415 - few enclaves are provisioned

        return Provisioning(self._platform, self._identity, self._manifest.digest)

    def provisioned(self, actor: str) -> bytes | None:
        """What was provisioned for an actor; None: nothing.

        Raises:
            SealBroken: It was changed, or is for another actor or enclave.
        """
        sealed = self._files.get(actor)
        return None if sealed is None else self.provisioning().open(actor, bytes.fromhex(sealed))

    def exchange(self, entry: dict[str, Any]) -> Exchange:
        """The key exchange of one connector, as its entry in the plan says."""
        from eactors.attestation.exchange import make_exchange  # noqa: PLC0415 - only where channels are encrypted

        exchange = make_exchange(
            entry["exchange"],
            side=entry["side"],
            channel=entry["channel"],
            cipher=entry["cipher"],
            manifest=self._manifest,
            own=self._own,
            peer=entry["peer_enclave"],
            platform=self._platform,
            roots=self._roots,
        )
        self._closed.add(entry["channel"])

        def counted(frame: bytes | None) -> tuple[tuple[bytes, ...], Keys | None]:
            messages, keys = exchange(frame)
            if keys is not None:
                self._closed.discard(entry["channel"])
                if not self._closed:
                    self._opened()
            return messages, keys

        return counted
