"""Addresses, as asyncio has them: names of hosts, and what sockets are bound to."""

from __future__ import annotations

import encodings.idna
import encodings.punycode  # noqa: F401 - ssl looks both up when an enclave is sealed already
import socket
from asyncio import base_events
from typing import TYPE_CHECKING, Any

from eactors.aio.refusals import refuse
from eactors.services.errors import SystemActorError

if TYPE_CHECKING:
    from collections.abc import Callable

    from eactors.answer import Answer
    from eactors.services.sockets import NetworkClient


class HostUnknown(SystemActorError, socket.gaierror):  # noqa: N818 - it names what happened
    """A name of a host, or of a port, was not resolved."""

    def __init__(self, operation: str, errno: int, reason: str, *, hint: str | None = None) -> None:
        super().__init__(operation, errno or socket.EAI_NONAME, reason, hint=hint)


def kernel_address(address: tuple[str, int]) -> Any:
    """An address of a message as a socket would tell it; without a port it is the path of a Unix socket."""
    host, port = address
    if port == 0:
        return host
    return (host, port, 0, 0) if ":" in host else (host, port)


def number_of(port: Any) -> int:
    """The number of a port, of which an enclave knows no names."""
    try:
        return int(port or 0)
    except ValueError:
        raise HostUnknown(
            f"port {port!r}", socket.EAI_SERVICE, "an enclave knows no names of ports"
        ) from None


class Networked(base_events.BaseEventLoop):
    """A loop with a client of the network, which knows the addresses of hosts.

    Args:
        network: The actor's client of the network; None: it declares none.
    """

    def __init__(self, network: NetworkClient | None) -> None:
        super().__init__()
        self._network = network

    async def getaddrinfo(
        self,
        host: Any,
        port: Any,
        *,
        family: int = 0,
        type: int = 0,
        proto: int = 0,
        flags: int = 0,
    ) -> list[Any]:
        """The addresses of a host, as the host's machine says."""
        kind, number = type or socket.SOCK_STREAM, number_of(port)
        if not host:
            any_of_both = flags & socket.AI_PASSIVE
            found = [
                (True, "::" if any_of_both else "::1"),
                (False, "0.0.0.0" if any_of_both else "127.0.0.1"),  # noqa: S104 - what it means
            ]
        else:
            name = host.decode("ascii") if isinstance(host, bytes) else host
            answers = await self._answered(self._net().resolve(name, number), _nothing)
            found = [(v6, address) for v6, address, _ in answers]
        infos = [
            (socket.AF_INET6, kind, proto, "", (address, number, 0, 0))
            if v6
            else (socket.AF_INET, kind, proto, "", (address, number))
            for v6, address in found
            if family in (0, socket.AF_INET6 if v6 else socket.AF_INET)
        ]
        if not infos:
            raise HostUnknown(f"resolve {host}", socket.EAI_NONAME, "it has no address of this family")
        return infos

    async def _answered(self, answer: Answer[Any], unwanted: Callable[[Any], object]) -> Any:
        """Wait for an answer; what comes when nobody waits any more is given to ``unwanted``."""
        try:
            return await answer
        except SystemActorError as error:
            if error.errno == 0:  # no error of the operating system: the name could not be resolved
                raise HostUnknown(error.operation, 0, error.reason) from None
            raise
        except BaseException:
            answer.then(unwanted, _nothing)
            raise

    def _net(self) -> NetworkClient:
        if self._network is None:
            refuse("the network", "declare network = Network() in the actor's class (eactors.services)")
        return self._network


def _nothing(_: object) -> None:
    pass
