"""Placement: what an actor may know of the deployment when it names its peers."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def family_index(name: str, family: str) -> int | None:
    """The number of ``name`` in ``family`` (3 for keeper3 in keeper), or None."""
    digits = name[len(family) :]
    return int(digits) if name.startswith(family) and digits.isascii() and digits.isdigit() else None


class Placement:
    """One actor among the placed actors of a deployment.

    Attributes:
        name: This actor's name.
        index: Its number in its family; None if its class claims no family.
    """

    def __init__(self, name: str, index: int | None, placed: Iterable[str]) -> None:
        self.name = name
        self.index = index
        self._placed = tuple(placed)

    def family(self, family: str) -> list[str]:
        """The placed actors called ``family`` and a number, in the order of their numbers."""
        numbered = [(family_index(name, family), name) for name in self._placed]
        return [name for index, name in sorted((i, n) for i, n in numbered if i is not None)]
