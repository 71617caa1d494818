"""What can become of a request to a system actor."""

from __future__ import annotations

from eactors.errors import EActorsError


class SystemActorError(EActorsError, OSError):
    """A system actor could not do what it was asked for.

    Attributes:
        errno: The operating system's number; 0 if the refusal is the system actor's own.
        operation: What was asked for, such as ``open data/log.txt``.
        reason: Why not, in words.
    """

    def __init__(self, operation: str, errno: int, reason: str, *, hint: str | None = None) -> None:
        super().__init__(f"{operation}: {reason}", hint=hint)
        self.errno = errno
        self.strerror = reason
        self.operation = operation
        self.reason = reason

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
