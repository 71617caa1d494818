"""What the launcher raises."""

from __future__ import annotations

from eactors.errors import EActorsError


class LaunchError(EActorsError):
    """The machine refuses what the application needs to start."""
