"""A proxy in front of a server that carries bytes, and resets connections as it pleases."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading


class Proxy:
    """Listens on one port, connects to another, and breaks each connection after some bytes.

    Args:
        port: Where to listen, on 127.0.0.1.
        target: Where to connect to.
        seed: Of the numbers of bytes.
        most: The most bytes that a connection carries, towards either side.

    Attributes:
        cuts: How many connections it has broken.
    """

    def __init__(self, port: int, target: int, seed: int, most: int) -> None:
        self.cuts = 0
        self._target, self._dice, self._most = target, random.Random(seed), most
        self._listener = socket.create_server(("127.0.0.1", port))
        self._closing = False
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take no more connections."""
        self._closing = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _accept(self) -> None:
        while not self._closing:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._target), timeout=10)
            except OSError:
                _reset(client)
                continue
            for one, other in ((client, server), (server, client)):
                left = self._dice.randrange(self._most)
                threading.Thread(target=self._carry, args=(one, other, left), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket, left: int) -> None:
        """Carry so many bytes in one direction, and then reset both."""
        with contextlib.suppress(OSError):
            while data := one.recv(min(left, 1 << 14) or 1):
                if left == 0:
                    self.cuts += 1
                    break
                other.sendall(data)
                left -= len(data)
        for each in (one, other):
            _reset(each)


def _reset(connection: socket.socket) -> None:
    """End it the hard way: what is on its way is lost."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
