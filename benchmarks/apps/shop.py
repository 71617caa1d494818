"""One ASGI application, served by the same uvicorn in an enclave and in an ordinary process."""

from typing import Any

from eactors.aio import AsyncActor
from eactors.attested_tls import AttestedCertificate
from eactors.services import Network
from eactors.web import Domain, Site

ANSWER = b"x" * 1024
HEADERS = [(b"content-type", b"text/plain"), (b"content-length", b"1024")]


async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001 - as ASGI calls it
    """Answer with 1 KiB."""
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": ANSWER})


class Shop(AsyncActor):
    """The enclave."""

    network = Network()
    params = {"keep_alive": 600}

    def constructor(self) -> None:
        context = AttestedCertificate.create(self, ["localhost", "127.0.0.1"]).context()
        domain = Domain(app, context, timeout_keep_alive=self.params["keep_alive"])
        self.site = Site({"localhost": domain, "127.0.0.1": domain}, unnamed="localhost")

    async def main(self) -> None:
        await self.site.serve("127.0.0.1", 0, ready=lambda host, port: print(f"serving {host}:{port}"))
