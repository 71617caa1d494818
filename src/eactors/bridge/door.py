"""The door of a server: where it listens for the servers that connect to it.

Anybody may connect. Who does not say hello in time, or is no server of this deployment, is
shown out, and nobody who is inside notices.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import threading
from typing import TYPE_CHECKING

from eactors.bridge.span import Span, hello_from
from eactors.bridge.wire import Hello, Refused, VersionDiffers, WireError
from eactors.host.errors import LaunchError

if TYPE_CHECKING:
    from collections.abc import Callable

    from eactors.bridge.address import Address

_PATIENCE = 5.0
"""Seconds in which who has connected must have said hello."""
_STRANGERS = 32
"""Who may be on the doorstep at once."""


class Door:
    """A listening socket.

    Args:
        title: What the deployment calls this server.
        address: Where to listen.

    Raises:
        LaunchError: It cannot listen there.
    """

    def __init__(self, title: str, address: Address) -> None:
        try:
            family, _, _, _, where = socket.getaddrinfo(
                address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            self._socket = socket.create_server(where[:2], family=family, backlog=64)
        except OSError as error:
            raise _cannot_listen(title, address, error) from error
        self._steps = threading.BoundedSemaphore(_STRANGERS)
        self._closing = False

    def open(self, hello: Hello, spans: dict[int, Span], notice: Callable[[str], None]) -> None:
        """Let the other servers in.

        Args:
            hello: What this server says of itself to whom it refuses.
            spans: By the other server's place.
            notice: Told of who was refused and should have been let in.
        """
        self._hello, self._spans, self._notice = hello, spans, notice
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Listen no more."""
        self._closing = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # ends accept()
        self._thread.join()
        self._socket.close()

    def _accept(self) -> None:
        while not self._closing:
            self._steps.acquire()
            try:
                connection, _ = self._socket.accept()
            except OSError:
                self._steps.release()
                continue
            threading.Thread(target=self._greet, args=(connection,), daemon=True).start()

    def _greet(self, connection: socket.socket) -> None:
        span = None
        try:
            connection.settimeout(_PATIENCE)
            hello = hello_from(connection)
            span = self._spans.get(hello.server)
            self._led_to(span, connection, hello)
        except VersionDiffers as error:
            self._refuse(connection, self._hello.pack(), f"it speaks wire version {error.version}")
        except Refused as error:
            own = self._hello.pack() if span is None else span.hello().pack()
            self._refuse(connection, own, REASONS[error.why])
        except (WireError, OSError):
            connection.close()
        finally:
            self._steps.release()

    def _led_to(self, span: Span | None, connection: socket.socket, hello: Hello) -> None:
        if span is None or hello.peer != self._hello.server:
            raise Refused("server")
        span.offer(connection, hello)

    def _refuse(self, connection: socket.socket, own: bytes, why: str) -> None:
        """Say who this is, so that the other side can see what is wrong, and hang up."""
        with contextlib.suppress(OSError):
            who = connection.getpeername()[0]
            self._notice(f"refused a server at {who}: {why}")
            connection.sendall(own)
            connection.shutdown(socket.SHUT_WR)
        connection.close()


REASONS = {
    "deployment": "it runs another build of the deployment",
    "server": "it takes this server for another",
    "restarted": "it was started anew, or twice, and knows nothing of what was sent before",
    "twin": "it has been connected with another process for this server",
}


def _cannot_listen(title: str, address: Address, error: OSError) -> LaunchError:
    where = f"server {title!r} cannot listen on port {address.port} of {address.host}"
    hints = {
        errno.EADDRINUSE: "another process runs this server already, or another program has the port:"
        f" end it, or give the server another port in the deployment, as in <ip>{address.host}:PORT</ip>",
        errno.EADDRNOTAVAIL: "this machine does not have that address: run this server on the machine that"
        " has, or give --listen with an address that it has",
        errno.EACCES: "ports below 1024 are for root: give the server another one",
    }
    reason = error.strerror or str(error)
    return LaunchError(
        f"{where}: {reason}",
        hint=hints.get(error.errno or 0, "give the server an address that this machine has"),
    )
