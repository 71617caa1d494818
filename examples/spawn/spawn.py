"""Spawn: a door-keeper gives each visitor an enclave of its own, and ends it when the visitor leaves."""

import asyncio
from contextlib import suppress

from eactors import Actor, Connector, Connectors
from eactors.aio import AsyncActor
from eactors.services import Factory, Network, SystemActorError


class Keeper(AsyncActor):
    """Keeps the door, and carries lines between each visitor and its room."""

    network = Network()
    factory = Factory()
    rooms = Connectors("room")
    params = {"port": 7009, "visitors": 0}

    def constructor(self):
        self.inside = {}
        self.come = 0
        self.last = asyncio.Event()

    async def main(self):
        async with asyncio.TaskGroup() as visits:

            def knocks(reader, writer):
                visits.create_task(self.visited(reader, writer))

            door = await asyncio.start_server(knocks, "127.0.0.1", self.params["port"])
            print(f"the door is open at {door.sockets[0].getsockname()[1]}")
            async with door:
                await self.last.wait()

    async def visited(self, reader, writer):
        self.come += 1
        visitor = f"visitor {self.come}"
        if self.come == self.params["visitors"]:
            self.last.set()
        try:
            room = await self.factory.start("room", ended=lambda _: writer.close())
        except SystemActorError as error:
            print(f"{visitor} was turned away: {error.reason}")
            writer.write(b"There is no room for you now. Please come again.\n")
            writer.close()
        else:
            print(f"{visitor} is in {room.name}")
            await self.carry(reader, writer, room)
        with suppress(OSError):
            await writer.wait_closed()
        print(f"{visitor} has left")

    async def carry(self, reader, writer, room):
        """Carry a visitor's lines into its room, until the one leaves or the other has ended."""
        inside = self.rooms[room.name]
        self.inside[room.name] = writer, room
        inside.send(b"")
        with suppress(OSError, ValueError):  # the connection is lost, or a line has no end
            # A room that has ended may be there again, for another visitor.
            while (line := await reader.readline()) and room.how is None:
                inside.send(line)
                await writer.drain()
        if room.how is None:
            inside.send(b"")

    @rooms.on_message
    def answered(self, name, cargo):
        writer, room = self.inside[name]
        if cargo.data:
            writer.write(cargo.data)
        else:
            room.stop()


class Room(Actor, family="room"):
    """A notebook for one visitor. An empty message says that it has come, and another that it leaves."""

    keeper = Connector("Keeper")

    def constructor(self):
        self.notes = None

    @keeper.on_message
    def heard(self, cargo):
        if cargo.data:
            self.keeper.send(self.answer(cargo.data.split(maxsplit=2)) + b"\n")
        elif self.notes is None:
            self.notes = {}
            self.keeper.send(b"You are alone here.\n")
        else:
            # Whoever may come now finds nothing, also if the host does not end this enclave.
            self.notes = None
            self.keeper.send(b"")

    def answer(self, words):
        match words:
            case [b"remember", name, value]:
                self.notes[name] = value.strip()
                return b"%s is noted." % name
            case [b"recall", name]:
                return self.notes.get(name, b"Nobody has told me of %s." % name)
        return b"Say: remember NAME VALUE, or: recall NAME."
