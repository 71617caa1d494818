"""asyncio in an enclave: an event loop that waits for messages, and connections that send them.

Libraries written for asyncio run on it unchanged, TLS included, for all that they do with the
operating system is asked of the network system actor in messages. What cannot be had that way
is refused in words.
"""

from eactors.aio.actor import AsyncActor

__all__ = ["AsyncActor"]
