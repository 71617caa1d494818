"""Which stores are encrypted, and which enclaves can have the key.

What leaves the enclaves is encrypted if only enclaves use it. With an untrusted user there is
no one to keep it from, and what never leaves needs no cipher: there asking for one is
refused rather than ignored, as it is for channels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from eactors.deployment.encryption import signer_words
from eactors.deployment.errors import DeploymentError
from eactors.deployment.hints import quoted
from eactors.deployment.model import UNTRUSTED
from eactors.deployment.plan import PlannedKeyChannel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from eactors.deployment.model import Deployment, StoreEncryption, StoreKey, StoreKind, StoreSettings
    from eactors.deployment.plan import PlannedActor, PlannedEnclave, PlannedStore

Decision = tuple["StoreEncryption", "StoreKey | None"]


class StoreKeys:
    """Decides for each store of a deployment.

    Args:
        deployment: The deployment, for messages.
        enclaves: The planned enclaves.
    """

    def __init__(self, deployment: Deployment, enclaves: dict[int, PlannedEnclave]) -> None:
        self._deployment = deployment
        self._enclaves = enclaves

    def decide(
        self, name: str, kind: StoreKind, users: list[PlannedActor], setting: StoreSettings | None
    ) -> Decision:
        """Return the encryption of a store, and who can have its key.

        Raises:
            DeploymentError: The setting asks for what the placement of its users, or another
                part of the setting, rules out.
        """
        outside = sorted({user.name for user in users if user.enclave == UNTRUSTED})
        encryption = setting.encryption if setting is not None else None
        if encryption is None:
            encryption = "none" if outside or kind == "private" else "aes-gcm"
        elif setting is not None and encryption != "none":
            self._refuse_useless(setting, kind, outside)
        homes = [self._enclaves[number] for number in sorted({user.enclave for user in users} - {UNTRUSTED})]
        if encryption == "none":
            self._refuse_without_encryption(setting, name, kind, outside)
            return encryption, None
        apart = _apart(homes)
        key = setting.key if setting is not None else None
        if key is None:
            key = "measurement" if len(homes) == 1 else "shared" if apart else "signer"
        if setting is not None and key == "measurement" and len(homes) > 1:
            raise self._refusal(
                setting,
                f"has key 'measurement', but is used in {_listed(each.title for each in homes)}: no two"
                " enclaves have one measurement",
                "write key=" + ('"shared"' if apart else '"signer"') + ", or place its users together",
            )
        if setting is not None and key == "signer" and apart:
            raise self._refusal(
                setting,
                f"has key 'signer', but {apart}",
                'write key="shared", or let the enclaves that use it be of one signer and product id',
            )
        if key == "shared":
            self._refuse_comings(name, setting, homes)
        return encryption, key

    def _refuse_comings(self, name: str, setting: StoreSettings | None, homes: list[PlannedEnclave]) -> None:
        """Refuse to hand a key to who may not be there at the start, or be there twice."""
        for home in homes:
            if len(homes) > 1 and home.life.may_begin_again:
                raise DeploymentError(
                    f"store {quoted(name)} has a key that its enclaves give each other at the start, but"
                    f" {home.title} is started on demand or anew",
                    file=self._deployment.file,
                    line=None if setting is None else setting.line,
                    hint="let it live as long as the application, or let all be of one signer and product id:"
                    ' then they have a key in common, key="signer"',
                )

    def _refuse_useless(self, setting: StoreSettings, kind: StoreKind, outside: list[str]) -> None:
        if outside:
            who = _listed(map(quoted, outside))
            raise self._refusal(
                setting,
                f"cannot be encrypted: {who} {'is' if len(outside) == 1 else 'are'} untrusted and would need"
                " the key, so there is no one to keep it from",
                f"delete encryption from this <store>, or place {who} in an enclave",
            )
        if kind == "private":
            raise self._refusal(
                setting,
                "cannot be encrypted: it is private, and never leaves its enclave",
                'delete encryption from this <store>, or write kind="public"',
            )

    def _refuse_without_encryption(
        self, setting: StoreSettings | None, name: str, kind: StoreKind, outside: list[str]
    ) -> None:
        if setting is None:
            return
        asked = {
            "key": setting.key,
            "rollback": setting.rollback if setting.rollback != "none" else None,
        }
        why = (
            f"{_listed(map(quoted, outside))} may read and write it outside of any enclave"
            if outside
            else f"what is in the memory of one enclave needs none ({name} is private)"
            if kind == "private"
            else "its encryption is 'none'"
        )
        for attribute, value in asked.items():
            if value is not None:
                raise self._refusal(
                    setting,
                    f"has {attribute} {quoted(value)}, but is not encrypted: {why}",
                    f'delete {attribute} from this <store>, or have it encrypted: encryption="aes-gcm"',
                )

    def _refusal(self, setting: StoreSettings, what: str, hint: str) -> DeploymentError:
        return DeploymentError(
            f"store {quoted(setting.name)} {what}",
            file=self._deployment.file,
            line=setting.line,
            hint=hint,
        )


def plan_key_channels(
    stores: Iterable[PlannedStore], actors: dict[str, PlannedActor], first: int
) -> tuple[PlannedKeyChannel, ...]:
    """Plan how shared keys get from the first enclave of each store to the others.

    The first is that with the lowest id, whatever the store: so no two wait for each other.

    Args:
        stores: The stores.
        actors: The placed actors.
        first: The id of the first channel.
    """
    pairs = [
        (store, min(homes), other)
        for store in stores
        if store.key == "shared"
        for homes in [{actors[user].enclave for user in store.users}]
        for other in sorted(homes)[1:]
    ]
    return tuple(
        PlannedKeyChannel(first + number, store.name, store.server, (holder, other))
        for number, (store, holder, other) in enumerate(pairs)
    )


def _apart(homes: list[PlannedEnclave]) -> str | None:
    """Why these enclaves have no sealing key in common, in words; None: they have."""
    first = homes[0]
    for other in homes[1:]:
        if other.signer != first.signer:
            words = signer_words(first), signer_words(other)
            return f"{first.title} is signed by {words[0]}, and {other.title} by {words[1]}"
        if other.product_id != first.product_id:
            ids = first.product_id, other.product_id
            return f"{first.title} has product id {ids[0]}, and {other.title} has {ids[1]}"
        if other.debug != first.debug:
            debug, none = (first, other) if first.debug else (other, first)
            return f"{debug.title} is a debug enclave, and {none.title} is not"
    return None


def _listed(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
