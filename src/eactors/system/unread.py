"""Unread: what was sent to one client and it has not taken, over all its sockets.

Each socket has a window of its own; with many sockets, that alone would let slow readers hold
as much memory as they like. Whoever finds no room waits in line, and reads nothing from the
kernel meanwhile, so that its peer has to wait, too.
"""

from __future__ import annotations

from typing import Protocol


class Unread:
    """Counts bytes, and says who may read next.

    Args:
        most: Bytes that may be sent and not taken.

    Attributes:
        count: Bytes that are.
    """

    def __init__(self, most: int) -> None:
        self.count = 0
        self._most = most
        self._line: dict[Reader, None] = {}
        self._calling = False

    @property
    def room(self) -> int:
        """How many bytes more may be sent."""
        return max(0, self._most - self.count)

    def add(self, count: int) -> None:
        """So many bytes were sent."""
        self.count += count

    def wait(self, reader: Reader) -> None:
        """Have a reader called when there is room, behind those that wait already."""
        self._line[reader] = None

    def release(self, count: int) -> None:
        """So many bytes were taken, or are of no interest any more."""
        self.count -= count
        if self._calling:  # by a reader that is called: the loop below goes on
            return
        self._calling = True
        try:
            while self._line and self.room:
                reader = next(iter(self._line))
                del self._line[reader]
                reader.go_on()
        finally:
            self._calling = False

    def forget(self, reader: Reader, count: int) -> None:
        """A reader reads no more, and so many bytes of it had not been taken."""
        self._line.pop(reader, None)
        self.release(count)

    def clear(self) -> None:
        """Call none of those that wait."""
        self._line.clear()


class Reader(Protocol):
    """Who waits for room."""

    def go_on(self) -> None:
        """There is room; one that finds less than it wanted waits again."""
