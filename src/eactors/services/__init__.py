"""How actors ask system actors: the messages, and the checks of all that is answered.

One file per system actor. It holds the messages, which both sides use; the class that an actor
declares, like a connector; and the client that it finds in its place at run time. A system
actor is the host's: whatever it says is hostile input, and a client believes nothing that it
did not ask for.
"""

from eactors.services.clock import Clock
from eactors.services.console import Console
from eactors.services.errors import SystemActorError, SystemActorMisbehaved
from eactors.services.factory import Factory
from eactors.services.files import Files
from eactors.services.names import Names
from eactors.services.pipes import Pipes
from eactors.services.sockets import Network

__all__ = [
    "Clock",
    "Console",
    "Factory",
    "Files",
    "Names",
    "Network",
    "Pipes",
    "SystemActorError",
    "SystemActorMisbehaved",
]
