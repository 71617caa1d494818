"""Private pools and mboxes: low-level messages inside one enclave.

Nothing here is shared with anyone, so these are plain deques, and an mbox has both ends.
"""

from __future__ import annotations

from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class _Block:
    """The memory of a node, which outlives the handles of its holders."""

    __slots__ = ("length", "payload")

    def __init__(self, size: int) -> None:
        self.payload = bytearray(size)
        self.length = 0


class PrivateNode:
    """A block of a private pool, held by whoever took it.

    Like a public node it is spent once it has been pushed, and goes back to its pool by
    itself if its holder drops it.
    """

    __slots__ = ("_block", "pool")

    def __init__(self, pool: PrivatePool, block: _Block) -> None:
        self.pool = pool
        self._block: _Block | None = block

    @property
    def length(self) -> int:
        """How many bytes of the payload are the message."""
        return self._held().length

    @length.setter
    def length(self, length: int) -> None:
        if not 0 <= length <= self.pool.payload:
            raise ValueError(f"a node of this pool holds 0 to {self.pool.payload} bytes")
        self._held().length = length

    @property
    def data(self) -> bytes:
        """The message."""
        block = self._held()
        return bytes(block.payload[: block.length])

    @property
    def view(self) -> memoryview:
        """A writable memoryview of the whole payload."""
        return memoryview(self._held().payload)

    def write(self, data: bytes) -> None:
        """Fill the node with ``data`` and set its length.

        Raises:
            ValueError: The data does not fit.
        """
        block, size = self._held(), len(data)
        if size > self.pool.payload:
            raise ValueError(f"{size} bytes do not fit into a node of {self.pool.payload}")
        block.payload[:size] = data
        block.length = size

    def detach(self) -> _Block:
        """Take the block out, to give it away.

        Raises:
            BufferError: A view of it is still in use.
        """
        block = self._held()
        try:
            # The only way to ask a bytearray whether someone has a view of it.
            block.payload.append(0)
        except BufferError:
            raise BufferError(
                "a view of this node is still in use; release() it before the node goes"
            ) from None
        block.payload.pop()
        self._block = None
        return block

    def _held(self) -> _Block:
        if self._block is None:
            raise ValueError("this node has been pushed; who pops it holds it now")
        return self._block

    def __del__(self) -> None:
        if self._block is not None:
            self.pool.take_back(self._block)


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
        self._free = deque(_Block(payload) for _ in range(nodes))

    def pop_front(self) -> PrivateNode | None:
        """Take an empty node, or None if there is none."""
        return _take(self, self._free.pop)

    def push_front(self, node: PrivateNode) -> None:
        """Give a node back."""
        self.take_back(_detached(self, node))

    def take_back(self, block: _Block) -> None:
        """Keep the block of a node that was pushed or dropped."""
        self._free.append(block)
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
        self._full: deque[_Block] = deque()

    def push_back(self, node: PrivateNode) -> bool:
        """Give a full node away; there is always room."""
        self._full.append(_detached(self._pool, node))
        self._moved()
        return True

    def push_front(self, node: PrivateNode) -> bool:
        """Give a node away that overtakes all others."""
        self._full.appendleft(_detached(self._pool, node))
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

    def _taken(self, pop: Callable[[], _Block]) -> PrivateNode | None:
        node = _take(self._pool, pop)
        if node is not None:
            self._moved()
        return node


def _take(pool: PrivatePool, pop: Callable[[], _Block]) -> PrivateNode | None:
    # Asking first would race with the other workers of this enclave.
    try:
        return PrivateNode(pool, pop())
    except IndexError:
        return None


def _detached(pool: PrivatePool, node: PrivateNode) -> _Block:
    if not isinstance(node, PrivateNode) or node.pool is not pool:
        raise ValueError("only a node of the same pool can be pushed here")
    return node.detach()
