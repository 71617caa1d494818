"""Network: TCP, UDP and Unix sockets, and names of hosts, for actors in enclaves."""

from __future__ import annotations

import errno
import os
import socket as kernel
from typing import TYPE_CHECKING, Any, ClassVar

from eactors.deployment.plan import DEFAULT_SOCKETS, DEFAULT_UNREAD
from eactors.services import network
from eactors.services.base import Ending
from eactors.system.grants import Grants
from eactors.system.listeners import Datagrams, Listener, address_of
from eactors.system.reactor import GONE, WRITE
from eactors.system.session import Session
from eactors.system.streams import Stream
from eactors.system.unix import connect_below, listen_below
from eactors.system.unread import Unread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    Candidate = tuple[int, int, Any]

_CONNECT_SECONDS = 60.0

_MOST_NAMES = 256
"""That one actor may look up at once."""


class NetworkSession(Session):
    """One actor's sockets.

    Attributes:
        streams: Whatever is open, by the client's number.
        unread: What the client has not taken.
    """

    takes: ClassVar[Any] = network.Requests

    def handlers(self) -> dict[type, Callable[[Any], object]]:
        """By kind of request."""
        self.streams: dict[int, Stream | Listener | Datagrams] = {}
        self._grants = Grants(self.client, self.settings.get("directories", ()))
        self._connecting: dict[int, Callable[[], object]] = {}
        """What gives up a connection that is on its way, by the client's number for it."""
        self._looking_up = 0
        limits = {each["actor"]: each for each in self.settings.get("limits", ())}
        own = limits.get(self.client) or limits.get(None) or {}
        self._most = int(own.get("sockets", DEFAULT_SOCKETS))
        self.unread = Unread(int(own.get("unread", DEFAULT_UNREAD)))
        return {
            network.Write: self._write,
            network.Taken: self._taken,
            network.Accept: self._accept,
            network.Close: self._close,
            network.Finish: self._finish,
            network.Listen: self._listen,
            network.Connect: self._connect,
            network.Open: self._open,
            network.SendTo: self._send_to,
            network.Resolve: self._resolve,
        }

    def ending(self) -> None:
        """Tell the client that it is to end."""
        self.reply(Ending())

    def ended(self) -> None:
        """Close everything."""
        self.unread.clear()
        for stream in list(self.streams.values()):
            stream.end()
        for give_up in list(self._connecting.values()):
            give_up()
        self._grants.close()

    def has_room(self) -> bool:
        """Whether the client may have one more socket."""
        return len(self.streams) + len(self._connecting) < self._most

    def add(self, request: network.Accept | network.Connect, sock: kernel.socket) -> None:
        """Begin with a connection, or say why not."""
        try:
            self._check_number(request.socket)
            # First, for a peer that has gone already has no address.
            peer, local = address_of(sock.getpeername()), address_of(sock.getsockname())
            sock.setblocking(False)  # noqa: FBT003 - as sockets have it
            if sock.family != kernel.AF_UNIX:
                sock.setsockopt(kernel.IPPROTO_TCP, kernel.TCP_NODELAY, 1)
        except OSError as error:
            sock.close()
            self.fail(request, error)
            return
        self.streams[request.socket] = Stream(self, request.socket, sock)
        self.reply(network.Connected(request.id, peer, local))

    def _write(self, request: network.Write) -> None:
        stream = self.streams.get(request.socket)
        if isinstance(stream, Stream):
            stream.write(request.data)

    def _taken(self, request: network.Taken) -> None:
        stream = self.streams.get(request.socket)
        if isinstance(stream, Stream | Datagrams):
            stream.taken(request.count)

    def _finish(self, request: network.Finish) -> None:
        stream = self.streams.get(request.socket)
        if isinstance(stream, Stream):
            stream.finish()

    def _close(self, request: network.Close) -> None:
        stream = self.streams.get(request.socket)
        if stream is not None:
            stream.close(abort=request.abort)

    def _accept(self, request: network.Accept) -> None:
        listener = self.streams.get(request.listener)
        if not isinstance(listener, Listener):
            raise OSError(errno.EBADF, "the listener is closed")
        listener.accept(request)

    def _listen(self, request: network.Listen) -> None:
        self._check_room(request.socket)
        if request.path is None:
            sock, name = _listening(request), None
        else:
            sock, name = listen_below(self._grants, request.path, request.backlog)
        self.streams[request.socket] = Listener(self, request.socket, sock, name)
        self.reply(network.Bound(request.id, address_of(sock.getsockname())))

    def _open(self, request: network.Open) -> None:
        self._check_room(request.socket)
        family, address = _local(request.host, request.port)
        sock = kernel.socket(family, kernel.SOCK_DGRAM | kernel.SOCK_NONBLOCK)
        try:
            sock.bind(address)
        except (OSError, ValueError, TypeError):
            sock.close()
            raise
        self.streams[request.socket] = Datagrams(self, request.socket, sock)
        self.reply(network.Bound(request.id, address_of(sock.getsockname())))

    def _send_to(self, request: network.SendTo) -> None:
        socket = self.streams.get(request.socket)
        if isinstance(socket, Datagrams):
            socket.send(request)

    def _resolve(self, request: network.Resolve) -> None:
        def answer(addresses: list[Candidate]) -> None:
            found = [(family == kernel.AF_INET6, *address_of(address)) for family, _, address in addresses]
            self.reply(network.Resolved(request.id, found[:256]))

        self._look_up(request, request.host, request.port, answer)

    def _connect(self, request: network.Connect) -> None:
        self._check_room(request.socket)
        if request.path is not None:
            self.add(request, connect_below(self._grants, request.path))
            return
        self._connecting[request.socket] = _nothing
        try:
            self._look_up(
                request, request.host, request.port, lambda found: self._try(request, iter(found), None)
            )
        except OSError:
            del self._connecting[request.socket]
            raise

    def _look_up(self, request: Any, host: str, port: int, then: Callable[[list[Candidate]], object]) -> None:
        """Find a host's addresses in a thread, for that may take as long as it likes."""
        if self._looking_up >= _MOST_NAMES:
            raise OSError(
                errno.EAGAIN, f"{_MOST_NAMES} names are the most that one actor may look up at once"
            )
        self._looking_up += 1

        def through(future: Future[Any]) -> None:
            self._looking_up -= 1
            try:
                found = future.result()
            except (OSError, ValueError, TypeError) as error:
                self._connecting.pop(getattr(request, "socket", 0), None)
                self.fail(request, as_os_error(error, host))
            else:
                then([(family, 0, address) for family, _, _, _, address in found])

        def look() -> object:
            return kernel.getaddrinfo(host or None, port, type=kernel.SOCK_STREAM)

        self.reactor.in_thread(look, through)

    def _try(self, request: network.Connect, rest: Iterator[Candidate], error: OSError | None) -> None:
        """Connect to the first of the addresses that answers."""
        candidate = next(rest, None)
        if candidate is None or self.stopped:
            self._connecting.pop(request.socket, None)
            self.fail(request, error or OSError(errno.EHOSTUNREACH, "the host has no address"))
            return
        family, _, address = candidate
        try:
            sock = kernel.socket(family, kernel.SOCK_STREAM | kernel.SOCK_NONBLOCK)
        except OSError as failed:
            self._try(request, rest, failed)
            return
        try:
            if request.local_host or request.local_port:
                _bind(sock, (request.local_host, request.local_port))
            code = sock.connect_ex(address)
        except (OSError, ValueError, TypeError) as failed:
            sock.close()
            self._try(request, rest, as_os_error(failed, request.local_host))
            return
        if code not in {0, errno.EINPROGRESS}:
            sock.close()
            self._try(request, rest, OSError(code, os.strerror(code)))
            return

        def settled(_: int) -> None:
            late.cancel()
            self.reactor.unregister(sock.fileno())
            failed = sock.getsockopt(kernel.SOL_SOCKET, kernel.SO_ERROR)
            if failed or self.stopped:
                sock.close()
                self._try(request, rest, OSError(failed, os.strerror(failed)))
                return
            self._connecting.pop(request.socket, None)
            self.add(request, sock)

        def give_up() -> None:
            late.cancel()
            self._connecting.pop(request.socket, None)
            self.reactor.unregister(sock.fileno())
            sock.close()

        def too_late() -> None:
            give_up()
            self._connecting[request.socket] = _nothing
            self._try(request, rest, OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)))

        late = self.reactor.later(_CONNECT_SECONDS, too_late)
        self._connecting[request.socket] = give_up
        self.reactor.register(sock.fileno(), WRITE | GONE, settled)

    def _check_number(self, number: int) -> None:
        if number in self.streams or number in self._connecting:
            raise OSError(errno.EEXIST, "the client has a socket of that number")

    def _check_room(self, number: int) -> None:
        self._check_number(number)
        if not self.has_room():
            words = f"the deployment lets this actor have no more than {self._most} sockets open at once"
            raise OSError(errno.EMFILE, words)


def _bind(sock: kernel.socket, address: tuple[str, int]) -> None:
    """Bind to an address; an error names it, for it might be the peer's."""
    try:
        # A number, for a name could take as long as it likes.
        found = kernel.getaddrinfo(*address, family=sock.family, flags=kernel.AI_NUMERICHOST)
        sock.bind(found[0][4])
    except OSError as error:
        raise OSError(error.errno, f"cannot bind to {address}: {error.strerror}") from None


def as_os_error(error: Exception, what: str) -> OSError:
    """An error as it is told to the client: what is no name is refused by Python itself."""
    return error if isinstance(error, OSError) else OSError(errno.EINVAL, f"{what!r} is no address")


def _nothing() -> None:
    pass


def _listening(request: network.Listen) -> kernel.socket:
    """A socket that listens at a host and port."""
    family, address = _local(request.host, request.port)
    sock = kernel.socket(family, kernel.SOCK_STREAM | kernel.SOCK_NONBLOCK)
    try:
        sock.setsockopt(kernel.SOL_SOCKET, kernel.SO_REUSEADDR, 1)
        if family == kernel.AF_INET6:
            # Or "::" would take the port of all IPv4 addresses, too.
            sock.setsockopt(kernel.IPPROTO_IPV6, kernel.IPV6_V6ONLY, 1)
        if request.reuse_port:
            sock.setsockopt(kernel.SOL_SOCKET, kernel.SO_REUSEPORT, 1)
        sock.bind(address)
        sock.listen(request.backlog)
    except (OSError, ValueError, TypeError):
        sock.close()
        raise
    return sock


def _local(host: str, port: int) -> tuple[int, Any]:
    """Family and address to bind to."""
    if not host:
        return kernel.AF_INET, ("0.0.0.0", port)  # noqa: S104 - what an empty host means
    # A number, for to look a name up could take as long as it likes, and everybody else would wait.
    number = "127.0.0.1" if host == "localhost" else host
    family, _, _, _, address = kernel.getaddrinfo(
        number, port, type=kernel.SOCK_STREAM, flags=kernel.AI_NUMERICHOST
    )[0]
    return family, address
