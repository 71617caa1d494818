"""Channels whose other end may end, and come again: what this end does then, besides reopening.c."""

from __future__ import annotations

from eactors import _native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from eactors.actor import Actor
    from eactors.connector import Connector


def reopen(
    connector: _native.Connector,
    declared: Connector,
    actor: type[Actor],
    entry: dict[str, Any],
    where: dict[str, Any],
    region: _native.Region,
    host_bell: int,
    attach: Callable[[bool], None],
) -> None:
    """Let a channel be opened anew.

    Args:
        connector: Its end, attached.
        declared: What the source says of it.
        actor: The class that says it.
        entry: What the plan says of it.
        where: What the launcher says of it.
        region: The shared memory.
        host_bell: What to ring when it is open.
        attach: Attaches the connector, to a peer with whom there are keys to be exchanged or not.
    """
    if "exchange" in entry:
        from eactors.attestation.exchange import class_of  # noqa: PLC0415 - not for plain channels

        class_of(entry["exchange"])  # its code is loaded now, and not once the enclave is sealed

    bound = reopened_of(declared, actor, entry["peer"])
    place = region, where["shared"], entry["side"], where["epoch"], host_bell
    _native.reopen(connector, *place, entry["reopens"] == "on-demand", attach, bound)


def reopened_of(declared: Connector, actor: type[Actor], peer: str) -> Callable[[Any], None] | None:
    """What is called with the actor when a new peer is there."""
    handler = getattr(actor, declared.reopened_handler or "", None)
    bind = getattr(declared, "bound", None)
    return handler if handler is None or bind is None else bind(handler, peer)
