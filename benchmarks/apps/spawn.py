"""How long it takes from asking for an enclave to its first message, one enclave after another."""

import json
import time
from typing import Any

from eactors import Actor, Connector, Connectors
from eactors.services import Factory


class Keeper(Actor):
    """Asks for an enclave, waits for its answer to a message, and ends it."""

    factory = Factory()
    guests = Connectors("guest")
    params = {"count": 20}

    def constructor(self) -> None:
        """Begin."""
        self.took: list[float] = []
        self.start()

    def start(self) -> None:
        """Ask for the next."""
        self.asked = time.monotonic()
        self.factory.start("guest", ended=self.ended).then(self.there)

    def there(self, guest: Any) -> None:
        """Send it a message."""
        self.guest = guest
        self.guests[guest.name].send(b"hello")

    @guests.on_message
    def answered(self, name: str, cargo: Any) -> None:
        """It has answered: over a channel whose key exchange it has had to pass."""
        self.took.append(time.monotonic() - self.asked)
        self.guest.stop()

    def ended(self, guest: Any) -> None:
        """Go on, or say how long it took in the median."""
        if len(self.took) < self.params["count"]:
            self.start()
        else:
            print(json.dumps({"per_second": 1 / sorted(self.took)[len(self.took) // 2]}))
            self.stop()


class Guest(Actor, family="guest"):
    """Answers."""

    keeper = Connector("Keeper")

    @keeper.on_message
    def echo(self, cargo: Any) -> None:
        """Send back what came."""
        self.keeper.send(cargo)
