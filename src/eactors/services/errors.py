"""What can become of a request to a system actor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eactors.errors import EActorsError

if TYPE_CHECKING:
    from typing import Self


_KINDS: dict[str, type[SystemActorError]] = {}
"""By number, the errors that are those of the operating system, too."""


class SystemActorError(EActorsError, OSError):
    """A system actor could not do what it was asked for.

    Where Python has a class for the operating system's error, it is one of that class as well, so
    ``except ConnectionRefusedError`` means what it always does.

    Attributes:
        errno: The operating system's number; 0 if the refusal is the system actor's own.
        operation: What was asked for, such as ``open data/log.txt``.
        reason: Why not, in words.
    """

    def __new__(cls, operation: str, errno: int, reason: str, *, hint: str | None = None) -> Self:  # noqa: ARG004 - as __init__
        """Make it also what the operating system's error would be: a `ConnectionResetError`, say."""
        kind = type(OSError(errno, reason))
        if kind is OSError or issubclass(cls, kind):
            return super().__new__(cls)
        name = f"{cls.__name__}{errno}"
        if name not in _KINDS:
            _KINDS[name] = type(cls.__name__, (cls, kind), {"__module__": __name__, "__doc__": cls.__doc__})
        return super().__new__(_KINDS[name])  # type: ignore[return-value]  # a subclass of cls

    def __init__(self, operation: str, errno: int, reason: str, *, hint: str | None = None) -> None:
        super().__init__(f"{operation}: {reason}", hint=hint)
        self.args = (self.message,)  # where OSError keeps none
        self.errno = errno
        self.strerror = self.reason = reason
        self.operation = operation

    def __str__(self) -> str:
        """Return the message alone, where OSError would put the number in front."""
        return self.message


class SystemActorMisbehaved(EActorsError):  # noqa: N818
    """A system actor answered what no honest one does; nothing more is asked of it, or believed.

    Attributes:
        system: Its name, such as ``network``.
    """

    def __init__(self, message: str, *, system: str = "", hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.system = system
