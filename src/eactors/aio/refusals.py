"""What the event loop of an enclave does not offer, and what to do instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from eactors.errors import EActorsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class NotOnThisLoop(EActorsError, NotImplementedError):  # noqa: N818 - it names what happened
    """asyncio was asked for what an enclave's event loop cannot do."""


_DESCRIPTORS = "an enclave has no descriptors; use create_connection, create_server or streams"
_SOCKETS = "an enclave has no sockets of its own; use create_connection, create_server or streams"
_PROCESSES = "an enclave starts no processes; let a Factory start an enclave"
_THREADS = (
    "an enclave starts no threads; make it an actor on a worker of its own, or do it in the constructor"
)
_SIGNALS = "no signal reaches an enclave; the application is ended from outside"
_RUNNING = "the loop is run by the actor's worker; put what is to run into main()"

HINTS = {
    "add_reader": _DESCRIPTORS,
    "remove_reader": _DESCRIPTORS,
    "add_writer": _DESCRIPTORS,
    "remove_writer": _DESCRIPTORS,
    "connect_read_pipe": _DESCRIPTORS,
    "connect_write_pipe": _DESCRIPTORS,
    "connect_accepted_socket": _SOCKETS,
    "sock_recv": _SOCKETS,
    "sock_recv_into": _SOCKETS,
    "sock_recvfrom": _SOCKETS,
    "sock_recvfrom_into": _SOCKETS,
    "sock_sendall": _SOCKETS,
    "sock_sendto": _SOCKETS,
    "sock_connect": _SOCKETS,
    "sock_accept": _SOCKETS,
    "sock_sendfile": _SOCKETS,
    "subprocess_exec": _PROCESSES,
    "subprocess_shell": _PROCESSES,
    "run_in_executor": _THREADS,
    "add_signal_handler": _SIGNALS,
    "remove_signal_handler": _SIGNALS,
    "getnameinfo": "ask the network system actor by another name",
}
"""By method of the loop."""


def refuse(what: str, hint: str) -> NoReturn:
    """Refuse an operation.

    Raises:
        NotOnThisLoop: Always.
    """
    raise NotOnThisLoop(f"{what} is not offered by the event loop of an enclave", hint=hint)


def refusing(name: str) -> Callable[..., Any]:
    """A method that refuses."""

    def method(self: object, *arguments: object, **options: object) -> NoReturn:  # noqa: ARG001
        refuse(f"{name}()", HINTS[name])

    method.__name__ = name
    return method


RUNNING = _RUNNING
