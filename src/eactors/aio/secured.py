"""Secured: asyncio's TLS over a transport, for many connections in little memory."""

from __future__ import annotations

from asyncio import sslproto

from eactors.services.network import CHUNK


class Secured(sslproto.SSLProtocol):
    """asyncio's, which would keep 256 KiB for each connection, and from the peer why it is refused."""

    max_size = CHUNK
    """Bytes that it reads at once; no message of the network brings more."""

    def _on_handshake_complete(self, handshake_exc: BaseException | None) -> None:
        if handshake_exc is not None:
            self._process_outgoing()  # type: ignore[attr-defined]
        super()._on_handshake_complete(handshake_exc)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Free the buffers: nothing comes any more, and the garbage collector may not come for long."""
        super().connection_lost(exc)
        self._ssl_buffer = self._ssl_buffer_view = None
