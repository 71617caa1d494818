"""Refuses what a deployment says twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eactors.deployment.errors import DeploymentError

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable


def refuse_twins(file: str, things: Iterable[tuple[Hashable, int, str]], hint: str) -> None:
    """Refuse two equal ``things``, each a key, a line and the complaint to make of the second."""
    seen: dict[Hashable, int] = {}
    for key, line, complaint in things:
        if key in seen:
            where = "both in this line" if seen[key] == line else f"here and in line {seen[key]}"
            raise DeploymentError(f"{complaint}: {where}", file=file, line=line, hint=hint)
        seen[key] = line
