"""Answer: what somebody else will have answered, a system actor or whoever keeps a store."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Self

Result = TypeVar("Result")


class Answer(Generic[Result]):
    """What a system actor will have answered.

    In a handler, say with `then` what to do with it; an `AsyncActor` awaits it.
    """

    __slots__ = ("_error", "_failure", "_finished", "_result", "_seen", "_then")

    def __init__(self) -> None:
        self._finished = self._seen = False
        self._result: Any = None
        self._error: Exception | None = None
        self._then: Callable[[Any], object] | None = None
        self._failure: Callable[[Exception], object] | None = None

    @property
    def done(self) -> bool:
        """Whether it is there."""
        return self._finished

    def result(self) -> Result:
        """The result.

        Raises:
            SystemActorError: The system actor could not do it.
            SystemActorMisbehaved: It answered nonsense.
            RuntimeError: There is no answer yet.
        """
        if not self._finished:
            raise RuntimeError("there is no answer yet; say what to do with it by then()")
        self._seen = True
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[no-any-return]

    def then(
        self, call: Callable[[Result], object], failed: Callable[[Exception], object] | None = None
    ) -> Self:
        """Have ``call(result)`` called when it is there; once, and at once if it is.

        Args:
            call: Gets the result.
            failed: Gets the error; without it an error is raised in the actor.
        """
        self._then, self._failure = call, failed
        if self._finished:
            self._tell()
        return self

    def settle(self, result: Any, error: Exception | None = None) -> None:
        """Fill it in; for clients."""
        if self._finished:
            return
        self._finished, self._result, self._error = True, result, error
        if self._then is not None:
            self._tell()

    def _tell(self) -> None:
        self._seen = True
        call, failed = self._then, self._failure
        self._then = self._failure = None
        if self._error is None:
            if call is not None:
                call(self._result)
        elif failed is not None:
            failed(self._error)
        else:
            raise self._error

    def __del__(self) -> None:
        if self._error is not None and not self._seen:
            print(f"nobody asked for an answer, which is: {self._error}", file=sys.stderr)  # noqa: T201 - the actor's own words

    def __await__(self) -> Generator[Any, None, Result]:
        """Wait for it, in an `AsyncActor`."""
        from asyncio import get_running_loop  # noqa: PLC0415 - only an AsyncActor has it in its image

        if not self._finished:
            future: Any = get_running_loop().create_future()

            def wake(_: object) -> None:
                if not future.done():
                    future.set_result(None)

            self.then(wake, wake)
            yield from future
        return self.result()
