"""Fixtures of the unit tests."""

from tests.plans import plan
from tests.world import ends, world

__all__ = ["ends", "plan", "world"]
