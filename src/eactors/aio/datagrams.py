"""Datagrams: the loop's sockets for datagrams, and the transport that protocols get of one."""

from __future__ import annotations

import socket as kernel
from asyncio import sleep, transports
from typing import TYPE_CHECKING, Any

from eactors.aio.addresses import Networked, kernel_address
from eactors.aio.refusals import refuse
from eactors.services.errors import SystemActorError

if TYPE_CHECKING:
    from asyncio import BaseProtocol, DatagramProtocol
    from collections.abc import Callable

    from eactors.services.handles import DatagramSocket


class DatagramTransport(transports._FlowControlMixin, transports.DatagramTransport):
    """A socket for datagrams.

    Args:
        loop: The actor's loop.
        socket: Of the network service.
        protocol: What is told of it.
        remote: The only peer; None: any.
    """

    def __init__(
        self, loop: Any, socket: DatagramSocket, protocol: DatagramProtocol, remote: tuple[str, int] | None
    ) -> None:
        peer = None if remote is None else kernel_address(remote)
        super().__init__({"sockname": kernel_address(socket.address), "peername": peer}, loop)
        self._loop = loop
        self._socket = socket
        self._protocol: Any = protocol
        self._remote = remote
        self._closing = False
        socket.on_closed = self._closed
        loop.call_soon(protocol.connection_made, self)

    def received(self, data: bytes, address: tuple[str, int]) -> None:
        """One has come."""
        if self._closing or (self._remote is not None and self._remote != address):
            return
        # On the loop: what a protocol raises is its own failure and not the network's.
        self._loop.call_soon(self._tell, data, kernel_address(address))

    def sendto(self, data: Any, addr: Any = None) -> None:
        """Send one; it may be lost."""
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"data argument must be a bytes-like object, not {type(data).__name__!r}")
        to = addr or self._remote
        if to is None or (self._remote is not None and tuple(to[:2]) != self._remote):
            raise ValueError(f"Invalid address: must be None or {self._remote}")
        if self._closing:
            return
        try:
            self._socket.send(bytes(data), to[0], to[1])
        except SystemActorError as error:
            self._protocol.error_received(error)

    def is_closing(self) -> bool:
        """Whether it is closed."""
        return self._closing

    def close(self) -> None:
        """Close it."""
        if not self._closing:
            self._closing = True
            self._socket.close()

    def abort(self) -> None:
        """Close it."""
        self.close()

    def set_protocol(self, protocol: BaseProtocol) -> None:
        """Tell another protocol from now on."""
        self._protocol = protocol

    def get_protocol(self) -> BaseProtocol:
        """What is told of it."""
        protocol: BaseProtocol = self._protocol
        return protocol

    def get_write_buffer_size(self) -> int:
        """Nothing waits: what cannot be sent at once is lost."""
        return 0

    def _tell(self, data: bytes, address: Any) -> None:
        if not self._closing:
            self._protocol.datagram_received(data, address)

    def _closed(self, error: Exception | None) -> None:
        self._closing = True
        self._loop.call_soon(self._protocol.connection_lost, error)


class Datagrams(Networked):
    """What a loop has of `asyncio.loop.create_datagram_endpoint`."""

    async def create_datagram_endpoint(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], DatagramProtocol],
        local_addr: tuple[str, int] | None = None,
        remote_addr: tuple[str, int] | None = None,
        *,
        family: int = 0,
        proto: int = 0,
        flags: int = 0,
        reuse_port: bool | None = None,
        allow_broadcast: bool | None = None,
        sock: Any = None,
    ) -> tuple[Any, Any]:
        """Make a socket for datagrams."""
        if sock is not None:
            if local_addr or remote_addr or family or proto or flags or reuse_port or allow_broadcast:
                raise ValueError("socket modifier keyword arguments can not be used when sock is specified.")
            refuse("create_datagram_endpoint(sock=...)", "give local_addr or remote_addr")
        if family not in (0, kernel.AF_INET, kernel.AF_INET6) or reuse_port or allow_broadcast:
            refuse("a datagram endpoint of this kind", "use UDP, without reuse_port and allow_broadcast")
        local, remote = await self._pair(local_addr, remote_addr, family, proto, flags)
        held: list[DatagramTransport] = []

        def received(data: bytes, address: tuple[str, int]) -> None:
            for transport in held:
                transport.received(data, address)

        answer = self._net().open(received, *local)
        opened: DatagramSocket = await self._answered(answer, lambda late: late.close())
        try:
            protocol = protocol_factory()
        except BaseException:
            opened.close()
            raise
        held.append(DatagramTransport(self, opened, protocol, remote))
        await sleep(0)
        return held[0], protocol

    async def _pair(
        self, local: Any, remote: Any, family: int, proto: int, flags: int
    ) -> tuple[tuple[str, int], tuple[str, int] | None]:
        """The addresses of both ends, of one family."""
        if not (local or remote):
            if family == 0:
                raise ValueError("unexpected address family")
            return ("::" if family == kernel.AF_INET6 else "", 0), None
        found: dict[int, list[Any]] = {}
        for side, address in enumerate((local, remote)):
            if address is None:
                continue
            if not (isinstance(address, tuple) and len(address) == 2):  # noqa: PLR2004
                raise TypeError("2-tuple is expected")
            infos = await self._ensure_resolved(  # type: ignore[attr-defined]
                address, family=family, type=kernel.SOCK_DGRAM, proto=proto, flags=flags, loop=self
            )
            for info in infos:
                found.setdefault(info[0], [None, None])[side] = info[4][:2]
        for kind, (own, peer) in found.items():
            if (local and own is None) or (remote and peer is None):
                continue
            return own or ("::" if kind == kernel.AF_INET6 else "", 0), peer
        raise ValueError("can not get address information")
