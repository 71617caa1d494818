"""A site to be attacked: large answers and questions, and what its enclave holds."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import suppress

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from eactors.aio import AsyncActor
from eactors.attested_tls import AttestedCertificate
from eactors.services import Network
from eactors.web import Domain, Site

PART = bytes(range(256)) * 256


class Load(AsyncActor):
    """The site."""

    network = Network()
    params = {"head_seconds": 20.0}  # noqa: RUF012 - read only

    def constructor(self) -> None:
        """Make it."""
        self.let_go = asyncio.Event()
        routes = [
            Route("/1k", kibibyte),
            Route("/down", download),
            Route("/up", upload, methods=["POST"]),
            Route("/waiting", self.waiting, methods=["POST"]),
            Route("/go", self.go),
            Route("/sockets", self.sockets),
        ]
        context = AttestedCertificate.create(self, ["localhost", "127.0.0.1"]).context()
        domain = Domain(Starlette(routes=routes), context, head_seconds=self.params["head_seconds"])
        self.site = Site({"localhost": domain, "127.0.0.1": domain}, unnamed="localhost")

    async def main(self) -> None:
        """Serve it."""
        await self.site.serve("127.0.0.1", 0, ready=lambda host, port: print(f"serving {host}:{port}"))  # noqa: T201

    async def sockets(self, _: Request) -> PlainTextResponse:
        """How many there are."""
        return PlainTextResponse(str(len(self.network.sockets)))

    async def waiting(self, request: Request) -> PlainTextResponse:
        """Take an upload when somebody says so."""
        await self.let_go.wait()
        return await upload(request)

    async def go(self, _: Request) -> PlainTextResponse:
        """Say so."""
        self.let_go.set()
        return PlainTextResponse("")


async def kibibyte(_: Request) -> PlainTextResponse:
    """1 KiB."""
    return PlainTextResponse("x" * 1024)


async def upload(request: Request) -> PlainTextResponse:
    """Take any number of bytes."""
    digest = hashlib.sha256()
    with suppress(ClientDisconnect):
        async for part in request.stream():
            digest.update(part)
    return PlainTextResponse(digest.hexdigest())


async def download(request: Request) -> StreamingResponse:
    """Give as many as are asked for."""
    mebibytes = int(request.query_params["mib"])

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(mebibytes * 16):
            yield PART

    return StreamingResponse(parts(), headers={"content-length": str(mebibytes << 20)})
