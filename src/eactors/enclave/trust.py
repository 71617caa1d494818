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

    Attributes:
        manifest: Who the others are.
        identity: Who this enclave is.
        own: Its id.

    Raises:
        ManifestRejected: An owner's signature is missing, or the manifest is about another
            enclave than this one.
    """

    def __init__(
        self, platform: Platform, plan: dict[str, Any], launch: dict[str, Any], opened: Callable[[], None]
    ) -> None:
        content = launch["manifest"].encode()
        check_signatures(content, launch["signatures"], plan["owners"])
        self.manifest = Manifest(content)
        identity = own_identity(platform)
        check_own(identity, self.manifest.enclave(plan["enclave"]))
        if not launch["sandbox"] and not identity.debug:
            raise ManifestRejected(
                "the launcher wants this enclave without its sandbox, and it is no debug enclave",
                hint='leave out --no-sandbox, or set debug="yes" in its <enclave-settings> and build again',
            )
        self.platform, self.identity, self.own, self.opened = platform, identity, plan["enclave"], opened
        self._powers = {name: self._make(name) for name in plan["powers"]}

    def power(self, name: str) -> Any:
        """What of ``eactors.enclave`` goes by this name: it is in images whose plan asks for it.

        Raises:
            ModuleNotInImage: This enclave's plan does not.
        """
        if name not in self._powers:
            raise ModuleNotInImage(
                f"the module eactors.enclave.{name} is not in the image of this enclave",
                hint=f'declare requires = ("eactors.enclave.{name}",) in the class of the actor that uses it',
            )
        return self._powers[name]

    def _make(self, name: str) -> Any:
        return __import__(f"eactors.enclave.{name}", fromlist=["make"]).make(self)
