"""Private pools and mboxes: the public ones' semantics, and both ends."""

from __future__ import annotations

import pytest

from eactors.private import PrivateMbox, PrivateNode, PrivatePool


def test_an_mbox_has_both_ends() -> None:
    """push_front overtakes; pop_back takes the newest."""
    moves: list[int] = []
    pool = PrivatePool(4, 16, lambda: moves.append(1))
    mbox = PrivateMbox(pool, lambda: moves.append(1))
    for name, push in ((b"b", mbox.push_back), (b"c", mbox.push_back), (b"a", mbox.push_front)):
        node = pool.pop_front()
        assert node is not None
        node.write(name)
        assert push(node)
    assert (mbox.length(), mbox.is_empty(), pool.length()) == (3, False, 1)
    taken = [mbox.pop_front(), mbox.pop_back(), mbox.pop_front(), mbox.pop_back(), mbox.pop_front()]
    assert [node and node.data for node in taken] == [b"a", b"c", b"b", None, None]
    for node in taken[:3]:
        assert node is not None
        pool.push_front(node)
    assert pool.length() == 4
    assert len(moves) == 9


def test_a_pushed_node_cannot_be_pushed_again() -> None:
    """One node in two places would be two messages in one memory."""
    pool = PrivatePool(1, 16, lambda: None)
    mbox = PrivateMbox(pool, lambda: None)
    node = pool.pop_front()
    assert node is not None
    mbox.push_back(node)
    with pytest.raises(ValueError, match="this node has been pushed"):
        mbox.push_back(node)


def test_a_dropped_node_returns_to_its_pool() -> None:
    """As a public one does."""
    pool = PrivatePool(1, 16, lambda: None)
    node = pool.pop_front()
    del node
    assert pool.length() == 1


def test_wrong_nodes_are_refused() -> None:
    """Of another pool, or no node at all; more data than fits, or a length beyond it."""
    pool, other = PrivatePool(1, 16, lambda: None), PrivatePool(1, 16, lambda: None)
    node = other.pop_front()
    assert node is not None
    for wrong in (node, None, "node"):
        with pytest.raises(ValueError, match="only a node of the same pool"):
            pool.push_front(wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="17 bytes do not fit into a node of 16"):
        node.write(bytes(17))
    with pytest.raises(ValueError, match="0 to 16 bytes"):
        node.length = 17
    assert isinstance(node, PrivateNode)
