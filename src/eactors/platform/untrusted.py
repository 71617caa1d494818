"""No isolation: the untrusted side, enclave 0."""

from __future__ import annotations

from eactors import _native
from eactors.errors import NotInEnclave

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


class Untrusted:
    """An ordinary process that ends with its launcher, and may do what any process may."""

    name = "untrusted"

    def prepare(self, parent: int) -> None:
        """Die when process `parent` does."""
        _native.die_with(parent)

    def report(self, target: bytes, data: bytes) -> NoReturn:  # noqa: ARG002 - the protocol's
        """Refuse: nobody vouches for the untrusted side."""
        raise _refusal("a report")

    def key(self, request: bytes) -> NoReturn:  # noqa: ARG002
        """Refuse: there is nobody to keep a key from."""
        raise _refusal("a sealing key")

    def quote(self, data: bytes) -> NoReturn:  # noqa: ARG002
        """Refuse: nobody vouches for the untrusted side."""
        raise _refusal("a quote")

    def seal(self) -> None:
        """Give up nothing."""


def _refusal(what: str) -> NotInEnclave:
    return NotInEnclave(
        f"the untrusted side cannot have {what}",
        hint="place the actor in an enclave: give it another id than 0 in the deployment",
    )
