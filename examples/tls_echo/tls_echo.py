import asyncio

from eactors.aio import AsyncActor
from eactors.attested_tls import AttestedCertificate
from eactors.services import Network


class Echo(AsyncActor):
    network = Network()
    params = {"port": 7008, "visitors": 0}

    def constructor(self):
        self.tls = AttestedCertificate.create(self, ["localhost"]).context()

    async def main(self):
        self.left = self.params["visitors"]
        self.last = asyncio.Event()
        server = await asyncio.start_server(self.visited, "127.0.0.1", self.params["port"], ssl=self.tls)
        print(f"echo: listening at {server.sockets[0].getsockname()[1]}")
        async with server:
            await self.last.wait()

    async def visited(self, reader, writer):
        while line := await reader.readline():
            writer.write(line)
            await writer.drain()
        writer.close()
        await writer.wait_closed()
        print("echo: a visitor has left")
        self.left -= 1
        if self.left == 0:
            self.last.set()
