"""No isolation: the untrusted side, enclave 0."""

from __future__ import annotations

from eactors import _native


class Untrusted:
    """An ordinary process that ends with its launcher, and may do what any process may."""

    name = "untrusted"

    def prepare(self, parent: int) -> None:
        """Die when process `parent` does."""
        _native.die_with(parent)

    def seal(self) -> None:
        """Give up nothing."""
