"""The checker of histories finds what no order explains. Else the tests that use it would say nothing."""

from __future__ import annotations

import pytest
from tests.histories import Operation, Transaction, linearizable, why_not_serializable

ONE = (1).to_bytes(8, "little")


def did(began: int, ended: int, name: str, *arguments: object, saw: object = None) -> Operation:
    """One operation."""
    return Operation(name, arguments, saw, began, ended)


@pytest.mark.parametrize(
    "history",
    [
        [did(0, 1, "put", b"a"), did(2, 3, "get", saw=b"a")],
        # While it is written, either value is right, in either order of the readers' ends.
        [did(0, 9, "put", b"a"), did(1, 3, "get", saw=None), did(4, 5, "get", saw=b"a")],
        [did(0, 9, "put", b"a"), did(1, 8, "get", saw=b"a"), did(2, 7, "get", saw=None)],
        [did(0, 5, "add", 1, saw=2), did(1, 4, "add", 1, saw=1)],
        [did(0, 5, "replace", None, b"a", saw=True), did(0, 5, "replace", None, b"b", saw=False)],
        [did(0, 1, "put", b"a"), did(2, 3, "delete", saw=True), did(4, 5, "delete", saw=False)],
    ],
)
def test_what_some_order_explains(history: list[Operation]) -> None:
    """An operation takes effect at one moment between its beginning and its end."""
    assert linearizable(history)


@pytest.mark.parametrize(
    "history",
    [
        # Read before it was written; not seen after it was; seen, and then not.
        [did(0, 1, "get", saw=b"a"), did(2, 3, "put", b"a")],
        [did(0, 1, "put", b"a"), did(2, 3, "get", saw=None)],
        [did(0, 9, "put", b"a"), did(1, 2, "get", saw=b"a"), did(3, 4, "get", saw=None)],
        # Lost updates.
        [did(0, 5, "add", 1, saw=1), did(1, 4, "add", 1, saw=1)],
        [did(0, 5, "replace", None, b"a", saw=True), did(0, 5, "replace", None, b"b", saw=True)],
        [did(0, 5, "put", b"a"), did(0, 5, "put", b"b"), did(6, 7, "get", saw=ONE)],
    ],
)
def test_what_no_order_explains(history: list[Operation]) -> None:
    """Stale reads, values from nowhere, lost updates."""
    assert not linearizable(history)


def test_transactions_in_some_order() -> None:
    """Two that follow each other, and a reader between them in time who sees the first."""
    history = [
        Transaction({b"x": None, b"y": None}, 0, 9, {b"x": b"1"}),
        Transaction({b"x": b"1", b"y": None}, 1, 8, {b"y": b"2"}),
        Transaction({b"x": b"1", b"y": None}, 2, 7),
    ]
    assert why_not_serializable(history) is None


@pytest.mark.parametrize(
    ("history", "why"),
    [
        (
            [
                Transaction({b"x": None}, 0, 9, {b"x": b"1"}),
                Transaction({b"x": None}, 0, 9, {b"x": b"2"}),
            ],
            "one is lost",
        ),
        ([Transaction({b"x": b"?"}, 0, 9)], "nobody has committed it"),
        (  # Each has read what the other was about to change.
            [
                Transaction({b"x": None, b"y": None}, 0, 9, {b"x": b"1"}),
                Transaction({b"x": None, b"y": None}, 0, 9, {b"y": b"2"}),
            ],
            "comes before the next",
        ),
        (  # Two readers see two writers in different orders.
            [
                Transaction({b"x": None}, 0, 9, {b"x": b"1"}),
                Transaction({b"y": None}, 0, 9, {b"y": b"2"}),
                Transaction({b"x": b"1", b"y": None}, 0, 9),
                Transaction({b"x": None, b"y": b"2"}, 0, 9),
            ],
            "comes before the next",
        ),
        (  # It is over, and a later reader does not see it.
            [Transaction({b"x": None}, 0, 1, {b"x": b"1"}), Transaction({b"x": None}, 2, 3)],
            "comes before the next",
        ),
    ],
)
def test_transactions_in_no_order(history: list[Transaction], why: str) -> None:
    """Lost updates, values from nowhere, skewed writes, long forks, stale reads."""
    assert why in str(why_not_serializable(history))
