"""Whether what several processes saw of a store could have happened one after the other.

Single keys: J. M. Wing and C. Gong, "Testing and Verifying Concurrent Objects" (1993), with the memory
of G. Lowe, "Testing for linearizability" (2017). Transactions: each value is written once and each
written key was read before, so that the versions of a key are a chain; then who comes before whom is
a graph, and a circle in it is what no order explains (A. Adya, 1999).
"""

from __future__ import annotations

import graphlib
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    State = bytes | None
    """The value of a key; None: it is absent."""


@dataclass(frozen=True)
class Operation:
    """One operation on one key, as the process that did it saw it.

    Attributes:
        name: What it was: one of `OPERATIONS`.
        arguments: With what, but for the key.
        result: What came out.
        began, ended: When, by a clock that all share.
    """

    name: str
    arguments: tuple[Any, ...]
    result: Any
    began: int
    ended: int


def _get(state: State) -> tuple[Any, State]:
    return state, state


def _put(_: State, value: bytes) -> tuple[Any, State]:
    return None, value


def _delete(state: State) -> tuple[Any, State]:
    return state is not None, None


def _replace(state: State, expected: State, value: State) -> tuple[Any, State]:
    return (True, value) if state == expected else (False, state)


def _add(state: State, amount: int) -> tuple[Any, State]:
    total = int.from_bytes(state or b"", "little", signed=True) + amount
    return total, total.to_bytes(8, "little", signed=True)


OPERATIONS: dict[str, Callable[..., tuple[Any, State]]] = {
    "get": _get,
    "put": _put,
    "delete": _delete,
    "replace": _replace,
    "add": _add,
}


def linearizable(history: Iterable[Operation], state: State = None) -> bool:
    """Whether operations on one key can be put in an order that explains all results.

    Each takes effect at one moment between its beginning and its end.

    Args:
        history: All of them.
        state: What the key was before.
    """
    operations = sorted(history, key=lambda operation: operation.began)
    everything = (1 << len(operations)) - 1
    seen: set[tuple[int, State]] = set()
    todo: list[tuple[int, State]] = [(0, state)]
    while todo:
        now = todo.pop()
        done, state = now
        if done == everything:
            return True
        if now in seen:
            continue
        seen.add(now)
        for number in _next(operations, done):
            result, after = OPERATIONS[operations[number].name](state, *operations[number].arguments)
            if result == operations[number].result:
                todo.append((done | 1 << number, after))
    return False


def _next(operations: Sequence[Operation], done: int) -> Iterable[int]:
    """Those that may come next: none that is left had ended before they began."""
    first_end: int | None = None
    number = (~done & (done + 1)).bit_length() - 1  # the first that is left
    found = []
    while number < len(operations):
        operation = operations[number]
        if first_end is not None and operation.began > first_end:
            break
        if not done >> number & 1:
            found.append(number)
            first_end = operation.ended if first_end is None else min(first_end, operation.ended)
        number += 1
    return [each for each in found if first_end is None or operations[each].began <= first_end]


@dataclass(frozen=True)
class Transaction:
    """One transaction that was committed, or a snapshot that was only read.

    Attributes:
        reads: What it saw of each key; None: it was absent.
        writes: What it gave each key, which it had read: values that nobody else writes.
        began, ended: When, by a clock that all share.
    """

    reads: dict[bytes, State]
    began: int
    ended: int
    writes: dict[bytes, bytes] = field(default_factory=dict)


def why_not_serializable(transactions: Sequence[Transaction]) -> str | None:
    """Why no order of these explains what they have read, or None if one does.

    The order has to respect time: what had ended before something else began comes before it.
    """
    writers: dict[tuple[bytes, State], int] = {}
    overwriters: dict[tuple[bytes, State], int] = {}
    for number, transaction in enumerate(transactions):
        for key, value in transaction.writes.items():
            if (key, transaction.reads[key]) in overwriters:
                return f"two transactions have replaced the same value of {key!r}: one is lost"
            writers[key, value] = number
            overwriters[key, transaction.reads[key]] = number
    order = graphlib.TopologicalSorter({number: set() for number in range(len(transactions))})
    for number, transaction in enumerate(transactions):
        for key, read in transaction.reads.items():
            if read is not None and (key, read) not in writers:
                return f"{read!r} was read from {key!r}, and nobody has committed it"
            before, after = writers.get((key, read)), overwriters.get((key, read))
            if before is not None:
                order.add(number, before)
            if after not in {None, number}:
                order.add(after, number)
    _add_time(order, transactions)
    try:
        order.prepare()
    except graphlib.CycleError as error:
        return f"each of these comes before the next: {error.args[1]}"
    return None


def _add_time(order: graphlib.TopologicalSorter[Any], transactions: Sequence[Transaction]) -> None:
    """Note who had ended before whom began, by a node for each moment instead of an edge for each pair."""
    moments = sorted(
        [(transaction.began, 1, number) for number, transaction in enumerate(transactions)]
        + [(transaction.ended, 0, number) for number, transaction in enumerate(transactions)]
    )
    # A node for a moment follows the one before it, and everything that has ended then.
    for earlier, later in pairwise(range(len(moments))):
        order.add(("moment", later), ("moment", earlier))
    for place, (_, begins, number) in enumerate(moments):
        if begins:
            order.add(number, ("moment", place))
        else:
            order.add(("moment", place), number)
