"""Console: the standard input of the launcher, and writing to its standard output with an answer.

``print()`` needs none of this. What is read is the host's word, and what is written is the
host's to show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import msgspec

from eactors.services.base import Client, Done, Failed, Message, Number, Service, nonsense

if TYPE_CHECKING:
    from typing import Self, overload

    from eactors import _native
    from eactors.answer import Answer

LONGEST_LINE = 1 << 16
"""Bytes of a line with its end; a longer one comes in parts."""

Chunk = Annotated[bytes, msgspec.Meta(max_length=LONGEST_LINE)]


class Write(Message, tag=10):
    """Write to standard output."""

    id: Number
    data: Chunk


class ReadLine(Message, tag=11):
    """Read the next line of standard input that nobody else is given."""

    id: Number


class Line(Message, tag=20):
    """A line, with its end unless it is the last; empty: there are no more."""

    id: Number
    data: Chunk


Requests = Write | ReadLine
Says = Done | Failed | Line


class ConsoleClient(Client):
    """Reads lines and writes text."""

    def write(self, text: str) -> Answer[None]:
        """Write text as it is, without an end of line; answered when the launcher has it.

        Against `print`, which goes another way, it has no order.

        Raises:
            ValueError: It is longer than 64 KiB.
        """
        data = text.encode("utf-8", "backslashreplace")
        if len(data) > LONGEST_LINE:
            raise ValueError(f"{len(data)} bytes at once; {LONGEST_LINE} are the most")
        return self.ask(Write(self.next_number(), data))

    def read_line(self) -> Answer[str | None]:
        """Read a line of the launcher's standard input, without its end; None: the input has ended.

        A line of more than 64 KiB comes in parts.

        Several actors that read are given a line each, in the order in which they asked.
        """
        return self.ask(ReadLine(self.next_number()), Line, _text)

    def waits(self) -> bool:
        """It says nothing unasked."""
        return False


def _text(line: Line) -> str | None:
    if not line.data:
        return None
    content = line.data.removesuffix(b"\n")
    if b"\n" in content:
        raise nonsense("gave several lines where one was asked for")
    return content.decode("utf-8", "replace")


class Console(Service):
    """The console, declared in an actor class: ``console = Console()``; at run time, a `ConsoleClient`."""

    system: ClassVar[str] = "console"
    says: ClassVar[Any] = Says
    capacity: ClassVar[int] = 8

    def client(self, connector: _native.Connector, decoder: msgspec.msgpack.Decoder[Any]) -> ConsoleClient:
        """A client."""
        return ConsoleClient(connector, self.system, decoder)

    if TYPE_CHECKING:

        @overload  # type: ignore[override]  # a client stands for its connector
        def __get__(self, instance: None, owner: type) -> Self: ...
        @overload
        def __get__(self, instance: object, owner: type) -> ConsoleClient: ...
        def __get__(self, instance: object | None, owner: type) -> Any: ...
