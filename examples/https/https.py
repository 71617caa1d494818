"""Two sites over HTTPS: a guest book, and the pages of a shop. Their TLS ends in enclaves."""

import asyncio
import re
import ssl

from guestbook import GuestBook

from eactors.aio import AsyncActor
from eactors.attested_tls import AttestedCertificate, context_of
from eactors.resources import read_resource, resource_names
from eactors.services import Network
from eactors.web import Assets, Domain, Site

PAIR = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL)


class Book(AsyncActor):
    """The guest book in an enclave of its own."""

    network = Network()
    resources = ("site/book/*",)
    params = {"host": "127.0.0.1", "port": 8443, "names": "book.localhost,localhost,127.0.0.1"}

    def constructor(self):
        book = guest_book()
        self.site = site_of(self, [(names_of(self), book.app)])

    async def main(self):
        await serve(self)


class Shop(AsyncActor):
    """The shop's pages in an enclave of their own."""

    network = Network()
    resources = ("site/shop/*",)
    params = {"host": "127.0.0.1", "port": 8443, "names": "shop.localhost"}

    def constructor(self):
        self.site = site_of(self, [(names_of(self), files("site/shop/"))])

    async def main(self):
        await serve(self)


class Both(AsyncActor):
    """Both in one enclave, behind one port."""

    network = Network()
    resources = ("site/book/*", "site/shop/*")
    params = {
        "host": "127.0.0.1",
        "port": 8443,
        "book": "book.localhost,localhost,127.0.0.1",
        "shop": "shop.localhost",
    }

    def constructor(self):
        book, shop = self.params["book"].split(","), self.params["shop"].split(",")
        self.site = site_of(self, [(book, guest_book().app), (shop, files("site/shop/"))])

    async def main(self):
        await serve(self)


class Door(AsyncActor):
    """Stands outside, reads which site a client asks for, and passes its bytes on to that enclave.

    It sees what anybody on the way sees: the name in the clear, and the rest encrypted.
    """

    network = Network()
    params = {"host": "127.0.0.1", "port": 8443, "routes": "book.localhost=8441 shop.localhost=8442"}

    def constructor(self):
        self.routes = dict(route.split("=") for route in self.params["routes"].split())

    async def main(self):
        server = await asyncio.start_server(self.visited, self.params["host"], self.params["port"])
        host, port = server.sockets[0].getsockname()
        print(f"the door is open at {host}:{port}")
        await server.serve_forever()

    async def visited(self, reader, writer):
        try:
            async with asyncio.timeout(10):
                hello, name = await hello_of(reader)
            port = self.routes.get(name)
            if port is not None:
                inside, outside = await asyncio.open_connection("127.0.0.1", int(port))
                outside.write(hello)
                async with asyncio.TaskGroup() as group:
                    group.create_task(pass_on(reader, outside))
                    group.create_task(pass_on(inside, writer))
        except (OSError, TimeoutError, ExceptionGroup):
            pass
        finally:
            writer.close()


async def hello_of(reader):
    """What a client has said so far, and which name it asks for. OpenSSL reads it, as for a server."""
    asked = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sni_callback = lambda *told: asked.append(told[1]) or ssl.ALERT_DESCRIPTION_CLOSE_NOTIFY
    incoming, hello = ssl.MemoryBIO(), b""
    connection = context.wrap_bio(incoming, ssl.MemoryBIO(), server_side=True)
    while not asked and len(hello) < 20_000:
        data = await reader.read(20_000)
        if not data:
            break
        hello += data
        incoming.write(data)
        try:
            connection.do_handshake()
        except ssl.SSLWantReadError:
            continue
        except ssl.SSLError:
            break
    return hello, asked[0] if asked else None


async def pass_on(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.write_eof()


async def serve(actor):
    def ready(host, port):
        print(f"serving {', '.join(actor.site.names)} at {host}:{port}")

    await actor.site.serve(actor.params["host"], actor.params["port"], ready=ready)


def names_of(actor):
    return actor.params["names"].split(",")


def files(folder):
    return Assets({name.removeprefix(folder): read_resource(name) for name in resource_names(folder)})


def guest_book():
    return GuestBook(read_resource("site/book/index.html").decode(), files("site/book/"))


def site_of(actor, sites):
    """Certificates are those that were provisioned, in the order of the sites, or else made here."""
    provisioned = actor.provisioned
    pairs = None if provisioned is None else PAIR.findall(provisioned) or [provisioned]
    domains = {}
    for number, (names, app) in enumerate(sites):
        if pairs is not None:
            pem = pairs[min(number, len(pairs) - 1)]
            context = context_of(pem, pem, names, title=f"the certificate provisioned for {actor.name}")
        else:
            context = AttestedCertificate.create(actor, names).context()
        domain = Domain(app, context)
        domains |= dict.fromkeys(names, domain)
    return Site(domains, unnamed=sites[0][0][0])
