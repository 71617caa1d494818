"""Whose keys a deployment names: who signs its images, and who must sign its manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from eactors.build.keyfile import development_key, fingerprint, load_key, public_pem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    from eactors.deployment.plan import Plan

DEVELOPMENT = "development"


class Owners:
    """The keys that a plan names, or the development key if it names none.

    Args:
        plan: Whose keys.

    Attributes:
        keys: Every key by name, private or public.

    Raises:
        KeyFileError: A key file is missing, or holds no usable key.
    """

    def __init__(self, plan: Plan) -> None:
        self.keys: dict[str, RSAPrivateKey | RSAPublicKey] = {
            name: load_key(path) for name, path in plan.keys.items()
        }
        if not self.keys and plan.enclaves:
            self.keys[DEVELOPMENT] = development_key()

    @property
    def are_for_development(self) -> bool:
        """Whether all that there is is the development key of this installation."""
        return set(self.keys) == {DEVELOPMENT}

    def signer(self, name: str | None) -> RSAPrivateKey | RSAPublicKey:
        """The key of a signer; None: the development key."""
        return self.keys[name or DEVELOPMENT]

    def public(self, names: Sequence[str]) -> dict[str, str]:
        """The public keys (PEM) of these owners, by the names of their signatures; no name: of all."""
        keys = [self.keys[name] for name in names or self.keys]
        return {fingerprint(key)[:16]: public_pem(key) for key in keys}

    def private(self) -> list[RSAPrivateKey]:
        """The keys that can sign here."""
        return [key for key in self.keys.values() if isinstance(key, RSAPrivateKey)]
