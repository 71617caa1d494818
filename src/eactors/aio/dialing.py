"""Dialing: the loop's connections to others."""

from __future__ import annotations

import os
import socket
from asyncio import base_events, staggered
from functools import partial
from typing import TYPE_CHECKING, Any

from eactors.aio.addresses import Networked, number_of
from eactors.aio.refusals import refuse
from eactors.aio.secured import Secured
from eactors.aio.streams import StreamTransport

if TYPE_CHECKING:
    import ssl
    from asyncio import BaseProtocol
    from collections.abc import Callable, Iterable

    from eactors.aio.loop import Loop
    from eactors.services.connection import Connection

    Info = tuple[int, int, int, str, Any]


class Dialing(Networked):
    """What a loop has of `asyncio.loop.create_connection`, with its checks and its errors."""

    async def create_connection(
        self,
        protocol_factory: Callable[[], BaseProtocol],
        host: str | None = None,
        port: int | None = None,
        *,
        ssl: ssl.SSLContext | bool | None = None,
        family: int = 0,
        proto: int = 0,
        flags: int = 0,
        sock: Any = None,
        local_addr: tuple[str, int] | None = None,
        server_hostname: str | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
        happy_eyeballs_delay: float | None = None,
        interleave: int | None = None,
        all_errors: bool = False,
    ) -> tuple[Any, Any]:
        """Connect to a host."""
        timeouts = ssl_handshake_timeout, ssl_shutdown_timeout
        check_tls(ssl, timeouts, server_hostname)
        if ssl and server_hostname is None:
            if not host:
                raise ValueError("You must set server_hostname when using ssl without a host")
            server_hostname = host
        if sock is not None:
            if host is not None or port is not None:
                raise ValueError("host/port and sock can not be specified at the same time")
            connection = self._adopted(sock)
        elif host is None and port is None:
            raise ValueError("host and port was not specified and no sock specified")
        elif family or proto or local_addr or happy_eyeballs_delay is not None or interleave or all_errors:
            infos = await self._infos((host, port), family, proto, flags)
            own = None if local_addr is None else await self._infos(local_addr, family, proto, flags)
            if interleave or happy_eyeballs_delay is not None:
                infos = base_events._interleave_addrinfos(infos, interleave or 1)  # type: ignore[attr-defined]
            connection = await self._dial(infos, own, happy_eyeballs_delay, all_errors=all_errors)
        else:
            # In one question, for the system actor tries all addresses that it finds.
            connection = await self._opened(host or "localhost", number_of(port))
        return await self._connected(connection, protocol_factory, ssl, server_hostname, timeouts)

    async def create_unix_connection(
        self,
        protocol_factory: Callable[[], BaseProtocol],
        path: Any = None,
        *,
        ssl: ssl.SSLContext | bool | None = None,
        sock: Any = None,
        server_hostname: str | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
    ) -> tuple[Any, Any]:
        """Connect to a Unix socket."""
        timeouts = ssl_handshake_timeout, ssl_shutdown_timeout
        check_tls(ssl, timeouts, server_hostname)
        if ssl and server_hostname is None:
            raise ValueError("you have to pass server_hostname when using ssl")
        if path is not None and sock is not None:
            raise ValueError("path and sock can not be specified at the same time")
        if sock is not None:
            connection = self._adopted(sock)
        elif path is None:
            raise ValueError("no path and sock were specified")
        else:
            connection = await self._opened("", 0, path=os.fsdecode(path))
        return await self._connected(connection, protocol_factory, ssl, server_hostname, timeouts)

    def _adopted(self, _: Any) -> Connection:
        """Take over a connected socket."""
        refuse("create_connection(sock=...)", "give host and port")

    async def _infos(self, address: Any, family: int, proto: int, flags: int) -> list[Info]:
        found: list[Info] = await self._ensure_resolved(  # type: ignore[attr-defined]
            address, family=family, type=socket.SOCK_STREAM, proto=proto, flags=flags, loop=self
        )
        return found

    async def _dial(
        self, infos: list[Info], own: list[Info] | None, delay: float | None, *, all_errors: bool
    ) -> Connection:
        """Connect to the first of several addresses that answers, from one of our own."""
        errors: list[OSError] = []

        async def attempt(info: Info) -> Connection:
            try:
                return await self._opened(*info[4][:2], local=_local_for(info, own))
            except OSError as error:
                errors.append(error)
                raise

        if delay is not None:
            attempts: Iterable[Any] = (partial(attempt, info) for info in infos)
            winner = (await staggered.staggered_race(attempts, delay, loop=self))[0]
            if winner is not None:
                return winner  # type: ignore[no-any-return]
        else:
            for info in infos:
                try:
                    return await attempt(info)
                except OSError:
                    continue
        raise _together(errors, all_errors=all_errors)

    async def _opened(
        self, host: str, port: int, *, path: str | None = None, local: tuple[str, int] = ("", 0)
    ) -> Connection:
        answer = self._net().connect(host, port, path=path, local=local)
        connection: Connection = await self._answered(answer, lambda late: late.close(abort=True))
        return connection

    async def _connected(
        self: Any,
        connection: Connection,
        factory: Callable[[], BaseProtocol],
        ssl: ssl.SSLContext | bool | None,
        name: str | None,
        timeouts: tuple[float | None, float | None],
    ) -> tuple[Any, Any]:
        loop: Loop = self
        try:
            protocol = factory()
        except BaseException:
            connection.close(abort=True)
            raise
        waiter = self.create_future()
        transport: Any
        if ssl:
            secured: Any = Secured(
                loop,
                protocol,
                None if ssl is True else ssl,  # type: ignore[arg-type]  # None: asyncio's own
                waiter,
                server_side=False,
                server_hostname=name,
                ssl_handshake_timeout=timeouts[0],  # type: ignore[arg-type]
                ssl_shutdown_timeout=timeouts[1],
            )
            StreamTransport(loop, connection, secured)
            transport = secured._get_app_transport()
        else:
            transport = StreamTransport(loop, connection, protocol, waiter=waiter)
        try:
            await waiter
        except BaseException:
            transport.close()
            raise
        return transport, protocol


def check_tls(context: object, timeouts: tuple[float | None, float | None], name: str | None = None) -> None:
    """Refuse arguments that mean nothing without TLS, in asyncio's words."""
    if context:
        return
    given = (
        (name, "server_hostname"),
        (timeouts[0], "ssl_handshake_timeout"),
        (timeouts[1], "ssl_shutdown_timeout"),
    )
    for value, what in given:
        if value is not None:
            raise ValueError(f"{what} is only meaningful with ssl")


def _local_for(info: Info, own: list[Info] | None) -> tuple[str, int]:
    """Our own address that goes with a peer's."""
    if own is None:
        return "", 0
    for family, _, _, _, address in own:
        if family == info[0]:
            return address[0], address[1]
    raise OSError(f"no matching local address with family={info[0]} found")


def _together(errors: list[OSError], *, all_errors: bool) -> Exception:
    """What failed, as asyncio puts it together."""
    if all_errors:
        return ExceptionGroup("create_connection failed", errors)
    if not errors:
        return OSError("getaddrinfo() returned empty list")
    if all(str(error) == str(errors[0]) for error in errors):
        return errors[0]
    return OSError(f"Multiple exceptions: {', '.join(map(str, errors))}")
