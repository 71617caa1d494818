"""Domain: an ASGI application, and the certificate that it is reached by.

Which application answers is decided by the certificate that the client was shown, and never by
what it writes into a request: a request that names a host of another certificate is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.lifespan.on import LifespanOn

import eactors.web.late  # noqa: F401 - what applications will want
from eactors.attested_tls.names import pattern_for
from eactors.web.server import Config, SiteError

if TYPE_CHECKING:
    import asyncio
    import ssl

_MISDIRECTED = 421


class Domain:
    """An ASGI application, and the certificate that it is reached by.

    Args:
        app: The application.
        context: TLS with its certificate.
        options: Of uvicorn's `Config`, such as ``root_path``; and ``head_seconds``: how long a
            client may take for the head of a request.
    """

    def __init__(self, app: Any, context: ssl.SSLContext, **options: Any) -> None:
        self.context = context
        self.names: tuple[str, ...] = ()
        self.config = Config(self._checked(app), **options)
        self._lifespan: LifespanOn | None = None

    async def start(self) -> None:
        """Start the application.

        Raises:
            SiteError: It refuses.
        """
        lifespan = LifespanOn(self.config)
        await lifespan.startup()
        if lifespan.should_exit:
            raise SiteError(
                f"the application of {self.names[0]} has failed to start",
                hint="why is in the lines above",
            )
        self._lifespan = lifespan

    async def end(self) -> None:
        """End the application, if it was started."""
        if self._lifespan is not None:
            await self._lifespan.shutdown()

    def protocol(self, server_state: Any) -> asyncio.Protocol:
        """What serves a new connection."""
        assert self._lifespan is not None
        kind: Any = self.config.http_protocol_class
        protocol: asyncio.Protocol = kind(self.config, server_state, self._lifespan.state)
        return protocol

    def _checked(self, app: Any) -> Any:
        async def checked(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "lifespan" or self._is_for(scope["headers"]):
                await app(scope, receive, send)
            elif scope["type"] == "websocket":
                await send({"type": "websocket.close"})
            else:
                empty = [(b"content-length", b"0")]
                await send({"type": "http.response.start", "status": _MISDIRECTED, "headers": empty})
                await send({"type": "http.response.body"})

        return checked

    def _is_for(self, headers: list[tuple[bytes, bytes]]) -> bool:
        for name, value in headers:
            if name == b"host":
                return pattern_for(self.names, _without_port(value)) is not None
        return False


def _without_port(host: bytes) -> str:
    name = host.decode("latin-1").lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.partition(":")[0]
