"""Fixtures of the unit tests."""

from tests.world import ends, world

__all__ = ["ends", "world"]
