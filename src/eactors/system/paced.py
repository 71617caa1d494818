"""PacedSession: a session that takes a request only when it is through with the one before.

What its client asks for meanwhile waits in the channel, and then in the client: however much
that is, the system actor holds one request. So the order of requests is kept, though some of
them are carried out by threads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eactors.system.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future


class PacedSession(Session):
    """A session whose requests may block; `in_thread` carries them out."""

    _busy = False
    _then: Callable[[], object] | None = None

    def is_busy(self) -> bool:
        """A thread is at work."""
        return self._busy

    def when_idle(self, call: Callable[[], object]) -> None:
        """Call ``call()`` when no thread is at work for this client."""
        if self._busy:
            self._then = call
        else:
            call()

    def in_thread(
        self,
        request: Any,
        function: Callable[[], Any],
        then: Callable[[Any], object] | None = None,
        discard: Callable[[Any], object] | None = None,
    ) -> None:
        """Carry out what may block; nothing else is done for this client until it is through.

        Args:
            request: What is answered.
            function: Called in a thread.
            then: Called with its result; answers. None: it is answered by `Done`.
            discard: Called with the result instead, if the client has gone meanwhile.
        """
        self._busy = True
        life = self.life

        def through(future: Future[Any]) -> None:
            self._busy = False
            error = future.exception()
            if error is not None and not isinstance(error, OSError):
                raise error
            if life != self.life:
                if error is None and discard is not None:
                    discard(future.result())
            elif error is not None:
                self.fail(request, error)
            elif then is None:
                self.done(request)
            else:
                then(future.result())
            waiting, self._then = self._then, None
            if waiting is not None:
                waiting()

        self.reactor.in_thread(function, through)
