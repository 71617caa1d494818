"""Site: domains behind one address, each with its own certificate and application."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from eactors.attested_tls import by_name
from eactors.attested_tls.names import names_of
from eactors.web.server import Config, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from eactors.web.domain import Domain


class Site:
    """Domains behind one address. Made in ``constructor()``.

    Args:
        domains: By name or address; ``"*.shop.example"`` stands for one more label. One may
            have several names.
        unnamed: The name of the one that answers clients that name none, as those do that
            connect to an address; None: they are refused.
        options: Of uvicorn's `Config`, for the server.

    Attributes:
        names: Of all its domains.
    """

    def __init__(self, domains: Mapping[str, Domain], *, unnamed: str | None = None, **options: Any) -> None:
        for name, domain in domains.items():
            domain.names += names_of([name])
        self._domains = {id(domain.context): domain for domain in domains.values()}
        self.names = tuple(domains)
        self._config = Config(_nothing, **{"lifespan": "off", **options})
        self._config.http_protocol_class = self._gate()
        self._config.ssl = by_name(
            {name: domain.context for name, domain in domains.items()},
            unnamed=None if unnamed is None else domains[unnamed].context,
        )
        self._server = Server(self._config)

    async def serve(self, host: str, port: int, *, ready: Callable[[str, int], object] | None = None) -> None:
        """Serve until this task is cancelled; then what was begun is answered, and no more.

        Args:
            host: A name or address of this machine.
            port: 0: any that is free.
            ready: Called when clients can connect, with address and port.

        Raises:
            SiteError: The address is taken, or an application does not start.
        """
        self._config.host, self._config.port = host, port
        self._server.ready = ready
        domains = list(self._domains.values())
        try:
            for domain in domains:
                await domain.start()
            await self._server_to_its_end()
        finally:
            for domain in reversed(domains):
                await domain.end()

    async def _server_to_its_end(self) -> None:
        serving = asyncio.get_running_loop().create_task(self._server.serve())
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            self._server.should_exit = True
            await serving
            raise

    def _gate(self) -> type[asyncio.Protocol]:
        """What a new connection meets: it finds the domain, and hands over to its protocol."""
        domains = self._domains

        class Gate(asyncio.Protocol):
            def __init__(self, *, server_state: Any, **_: Any) -> None:
                self._state = server_state

            def connection_made(self, transport: Any) -> None:
                domain = domains[id(transport.get_extra_info("ssl_object").context)]
                protocol = domain.protocol(self._state)
                transport.set_protocol(protocol)
                protocol.connection_made(transport)

        return Gate


async def _nothing(scope: Any, receive: Any, send: Any) -> None:
    """The server's own application, which nobody reaches."""
