"""Pool and Mbox: what an actor class declares for low-level messages.

All actors that declare a pool, or an mbox of it, by the same name share it. If they all
live in one enclave it is private, otherwise public; the deployment's ``<pool>`` can ask
for either, and sets how many nodes there are and how large.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self, overload

    from eactors import _native


class Pool:
    """A named LIFO of empty nodes.

    In an instance: ``pop_front()`` takes a node or gives None, ``push_front(node)`` gives
    one back, and there are ``is_empty()`` and ``length()``. A node has ``data``,
    ``write(bytes)``, ``view`` and ``length``.

    Args:
        name: What actors and the deployment call it.
    """

    declared_in = "pools"

    def __init__(self, name: str) -> None:
        self.name = name

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type) -> Self: ...
        @overload
        def __get__(self, instance: object, owner: type) -> _native.Pool: ...
        def __get__(self, instance: object | None, owner: type) -> Self | _native.Pool: ...


class Mbox:
    """A named FIFO of full nodes of one pool.

    In an instance: ``push_back(node)`` gives a node away and says whether there was room,
    ``pop_front()`` takes the oldest or gives None, and there are ``is_empty()`` and
    ``length()``. A private mbox also has ``push_front(node)`` and ``pop_back()``.

    Args:
        name: What actors call it.
        pool: Whose nodes it carries.
    """

    declared_in = "mboxes"

    def __init__(self, name: str, pool: Pool) -> None:
        self.name = name
        self.pool = pool

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type) -> Self: ...
        @overload
        def __get__(self, instance: object, owner: type) -> _native.Mbox: ...
        def __get__(self, instance: object | None, owner: type) -> Self | _native.Mbox: ...
