"""uvicorn in an enclave: its own server and protocols, with what an enclave has to leave out.

No signal reaches an enclave, so no handlers are installed. What uvicorn and asyncio load late
is loaded with this module: once the enclave is sealed there are no files to load from.
"""

from __future__ import annotations

import encodings.idna  # noqa: F401 - for every name of a host
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import h11
import uvicorn
import uvicorn.lifespan.off
import uvicorn.lifespan.on
import uvicorn.logging
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from eactors.errors import EActorsError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Generator


class SiteError(EActorsError):
    """A site cannot be served."""


class Config(uvicorn.Config):
    """What uvicorn is told, and has loaded.

    Args:
        app: The ASGI application.
        head_seconds: How long a client may take for the head of a request; uvicorn would wait
            for ever.
        options: Of `uvicorn.Config`, instead of those that are right for an enclave.
    """

    def __init__(self, app: Any, *, head_seconds: float = 20.0, **options: Any) -> None:
        settings: dict[str, Any] = {
            "http": Protocol,
            "ws": WebSocketsSansIOProtocol,
            # Whoever asks for what is nothing for the host, which reads all lines.
            "access_log": False,
            "log_level": "warning",
            "use_colors": False,
            # What stands between enclave and client is the host's.
            "proxy_headers": False,
            "timeout_graceful_shutdown": 3,
            **options,
        }
        super().__init__(app, **settings)
        self.head_seconds = head_seconds
        self.load()


class Protocol(H11Protocol):
    """uvicorn's, which ends the connections of those who never end their request's head."""

    _late: asyncio.TimerHandle | None = None

    def __init__(self, config: Config, *arguments: Any, **options: Any) -> None:
        super().__init__(config, *arguments, **options)
        self._patience = config.head_seconds

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        """Look whether a head is there, or has begun."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._head_has_come()
        elif self._late is None and self.conn.trailing_data[0]:
            self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more. uvicorn would keep the connection for some seconds if it was broken off."""
        self._head_has_come()
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
        super().connection_lost(exc)

    def _wait_for_head(self) -> None:
        self._late = self.loop.call_later(self._patience, self.transport.abort)

    def _head_has_come(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


class Server(uvicorn.Server):
    """uvicorn's server.

    Attributes:
        ready: Called when clients can connect, with address and port.
    """

    ready: Callable[[str, int], object] | None = None

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals alone: none reaches an enclave."""
        yield

    async def startup(self, sockets: Any = None) -> None:
        """Listen; uvicorn would end the process if it cannot, with the reason in its log only."""
        try:
            await super().startup(sockets)
        except SystemExit as ended:
            reason = ended.__context__
            why = os.strerror(reason.errno) if isinstance(reason, OSError) and reason.errno else reason
            raise SiteError(
                f"cannot listen at {self.config.host}:{self.config.port}: {why}",
                hint="give the actor another address: --param ACTOR.port=NUMBER",
            ) from None
        if self.ready is not None:
            self.ready(*self.servers[0].sockets[0].getsockname()[:2])
