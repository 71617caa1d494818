"""Stitching servers together: channels between actors on two machines, over one connection per pair."""
