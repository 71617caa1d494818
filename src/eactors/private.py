"""Private pools and mboxes: low-level messages inside one enclave.

Nothing here is shared with anyone, so these are plain deques, and an mbox has both ends.
"""

from __future__ import annotations

from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class PrivateNode:
    """A block of a private pool, held by whoever took it.

    Attributes:
        length: How many bytes of the payload are the message.
    """

    __slots__ = ("_payload", "length", "pool")

    def __init__(self, pool: PrivatePool, size: int) -> None:
        self.pool = pool
        self.length = 0
        self._payload = bytearray(size)

    @property
    def data(self) -> bytes:
        """The message."""
        return bytes(self._payload[: self.length])

    @property
    def view(self) -> memoryview:
        """A writable memoryview of the whole payload."""
        return memoryview(self._payload)

    def write(self, data: bytes) -> None:
        """Fill the node with ``data`` and set its length.

        Raises:
            ValueError: The data does not fit.
        """
        size = len(data)
        if size > len(self._payload):
            raise ValueError(f"{size} bytes do not fit into a node of {len(self._payload)}")
        self._payload[:size] = data
        self.length = size


class PrivatePool:
    """A LIFO of empty nodes in the memory of one enclave.

    Args:
        nodes: How many.
        payload: Bytes that each holds.
        moved: Called after a node was given back.
    """

    def __init__(self, nodes: int, payload: int, moved: Callable[[], None]) -> None:
        self.nodes = nodes
        self.payload = payload
        self._moved = moved
        self._free = deque(PrivateNode(self, payload) for _ in range(nodes))

    def pop_front(self) -> PrivateNode | None:
        """Take an empty node, or None if there is none."""
        return _take(self._free.pop)

    def push_front(self, node: PrivateNode) -> None:
        """Give a node back."""
        _check(self, node)
        self._free.append(node)
        self._moved()

    def is_empty(self) -> bool:
        """Whether it has no node at this moment."""
        return not self._free

    def length(self) -> int:
        """How many nodes it has at this moment."""
        return len(self._free)


class PrivateMbox:
    """A FIFO of full nodes in the memory of one enclave; it holds all nodes of its pool.

    Args:
        pool: Whose nodes it carries.
        moved: Called after a node was pushed or popped.
    """

    def __init__(self, pool: PrivatePool, moved: Callable[[], None]) -> None:
        self._pool = pool
        self._moved = moved
        self._full: deque[PrivateNode] = deque()

    def push_back(self, node: PrivateNode) -> bool:
        """Give a full node away; there is always room."""
        _check(self._pool, node)
        self._full.append(node)
        self._moved()
        return True

    def push_front(self, node: PrivateNode) -> bool:
        """Give a node away that overtakes all others."""
        _check(self._pool, node)
        self._full.appendleft(node)
        self._moved()
        return True

    def pop_front(self) -> PrivateNode | None:
        """The oldest node, or None."""
        return self._taken(self._full.popleft)

    def pop_back(self) -> PrivateNode | None:
        """The newest node, or None."""
        return self._taken(self._full.pop)

    def is_empty(self) -> bool:
        """Whether it has no node at this moment."""
        return not self._full

    def length(self) -> int:
        """How many nodes it has at this moment."""
        return len(self._full)

    def _taken(self, pop: Callable[[], PrivateNode]) -> PrivateNode | None:
        node = _take(pop)
        if node is not None:
            self._moved()
        return node


def _take(pop: Callable[[], PrivateNode]) -> PrivateNode | None:
    # Asking first would race with the other workers of this enclave.
    try:
        return pop()
    except IndexError:
        return None


def _check(pool: PrivatePool, node: PrivateNode) -> None:
    if not isinstance(node, PrivateNode) or node.pool is not pool:
        raise ValueError("only a node of the same pool can be pushed here")
