"""What an enclave's entry asks of the platform that it runs on."""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing would cost every enclave its memory
if TYPE_CHECKING:
    from typing import Protocol
else:
    Protocol = object


class Platform(Protocol):
    """One way to isolate an enclave.

    The entry calls `prepare` before it loads any code of the application, and `seal` once
    the actors are constructed.

    Attributes:
        name: What a deployment calls this platform.
    """

    name: str

    def prepare(self, parent: int) -> None:
        """Shut other processes out, and end with the launcher.

        Args:
            parent: The launcher's process id.

        Raises:
            ProcessLookupError: The launcher has already ended.
            OSError: The machine cannot isolate this process.
        """

    def seal(self) -> None:
        """Give up all system calls but those that the platform itself needs.

        Raises:
            OSError: The machine cannot; no thread has been sealed.
        """
