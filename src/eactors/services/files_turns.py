"""Turns: what an actor asks about files is done in order, though some of it takes several messages.

The system actor keeps the order of single requests. A transfer has the client to itself, and
what is asked for meanwhile waits behind it.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from eactors.answer import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    Start = Callable[[], Answer[Any]]
    Made = Callable[[Any], Any]


class Turns:
    """Who is next."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Start, bool, Made | None, Answer[Any]]] = deque()
        self._taken = self._starting = False

    def take(self, start: Start, *, alone: bool = False, made: Made | None = None) -> Answer[Any]:
        """Call ``start()`` when everything before has been asked for.

        Args:
            start: Asks, and returns the answer.
            alone: Nothing else is asked for until there is an answer.
            made: Makes the result from the answer's; it may raise an error instead.
        """
        answer: Answer[Any] = Answer()
        self._waiting.append((start, alone, made, answer))
        self._next()
        return answer

    def _next(self) -> None:
        if self._starting:
            return  # an answer that is there at once; the loop below goes on
        self._starting = True
        try:
            while self._waiting and not self._taken:
                self._start(*self._waiting.popleft())
        finally:
            self._starting = False

    def _start(self, start: Start, alone: bool, made: Made | None, answer: Answer[Any]) -> None:  # noqa: FBT001
        self._taken = alone

        def over(result: Any, error: Exception | None = None) -> None:
            if error is None and made is not None:
                try:
                    result = made(result)
                except Exception as raised:  # noqa: BLE001 - it is for whoever awaits the answer
                    result, error = None, raised
            if alone:
                self._taken = False
                self._next()
            answer.settle(result, error)

        start().then(over, lambda error: over(None, error))


class Both:
    """Asks for one thing after the other; the answer is the second's, or the first failure."""

    def __init__(self, first: Answer[Any], second: Start) -> None:
        self.answer: Answer[Any] = Answer()
        failed = _failing(self.answer)
        first.then(lambda _: second().then(self.answer.settle, failed), failed)


class Within:
    """Opens a file, uses it, and closes it whatever has become of that."""

    def __init__(self, opened: Answer[Any], use: Callable[[Any], Answer[Any]]) -> None:
        self.answer: Answer[Any] = Answer()
        opened.then(lambda file: self._use(file, use), _failing(self.answer))

    def _use(self, file: Any, use: Callable[[Any], Answer[Any]]) -> None:
        def used(result: Any) -> None:
            # Closing may tell of a failure that writing did not.
            file.close().then(lambda _: self.answer.settle(result), _failing(self.answer))

        def failed(error: Exception) -> None:
            file.close().then(
                lambda _: self.answer.settle(None, error), lambda _: self.answer.settle(None, error)
            )

        use(file).then(used, failed)


def _failing(answer: Answer[Any]) -> Callable[[Exception], None]:
    return lambda error: answer.settle(None, error)
