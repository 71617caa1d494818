"""What an enclave knows of itself and of the others: its identity, the manifest, its keys.

The manifest comes from the host. It is believed because every owner whose public key is in
this enclave's image has signed it, and because it names this very enclave.
"""

from __future__ import annotations

from eactors.attestation.identity import own_identity
from eactors.attestation.manifest import Manifest, check_own, check_signatures
from eactors.errors import ManifestRejected, ModuleNotInImage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from eactors.platform.base import Platform


class Trust:
    """The identity of this enclave, and what it offers because of it.

    Args:
        platform: What reports and keys come from.
        plan: The enclave's plan; its owners are those who must have signed the manifest.
        launch: What the launcher said at the start; the manifest and its signatures.
        opened: Called once, when every encrypted channel has its keys.

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
        identity = own_identity(platform)
        check_own(identity, self._manifest.enclave(plan["enclave"]))
        if not launch["sandbox"] and not identity.debug:
            raise ManifestRejected(
                "the launcher wants this enclave without its sandbox, and it is no debug enclave",
                hint='leave out --no-sandbox, or set debug="yes" in its <enclave-settings> and build again',
            )
        self._platform, self._identity, self._own = platform, identity, plan["enclave"]
        self._services = {name: self._make(name, opened) for name in plan["services"]}

    def service(self, name: str) -> Any:
        """What of ``eactors.enclave`` goes by this name: it is in images whose plan asks for it.

        Raises:
            ModuleNotInImage: This enclave's plan does not.
        """
        if name not in self._services:
            raise ModuleNotInImage(
                f"the module eactors.enclave.{name} is not in the image of this enclave",
                hint=f'declare requires = ("eactors.enclave.{name}",) in the class of the actor that uses it',
            )
        return self._services[name]

    def _make(self, name: str, opened: Callable[[], None]) -> Any:
        if name == "exchanges":
            from eactors.enclave.exchanges import Exchanges  # noqa: PLC0415 - here and below: not in every image

            return Exchanges(self._platform, self._manifest, self._own, opened)
        if name == "provisioning":
            from eactors.enclave.provisioning import Provisioning  # noqa: PLC0415

            return Provisioning(self._platform, self._identity, self._manifest.digest)
        if name == "reports":
            from eactors.enclave.reports import Reports  # noqa: PLC0415

            return Reports(self._platform, self._manifest)
        from eactors.enclave.sealing import Sealer  # noqa: PLC0415

        return Sealer(self._platform, self._identity)
