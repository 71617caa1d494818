"""The errors that enclaves raise on purpose; `eactors.deployment.errors` and `host.errors` have the rest.

Each names its culprit in the message and, where there is a next step, gives it in
``hint``; the command line prints them as ``error:`` and ``hint:``. This module is part
of every enclave, so it imports nothing.
"""

from __future__ import annotations


class EActorsError(Exception):
    """The base of all errors of EActors.

    Attributes:
        message: What is wrong, naming the culprit.
        hint: What to do next, or None.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class SourceError(EActorsError):
    """The source file cannot be imported, or declares its actors wrongly."""


class ActorStopped(EActorsError):  # noqa: N818 - it names what happened, like StopIteration
    """A stopped actor used one of its connectors."""


class MessageTooLarge(EActorsError, ValueError):  # noqa: N818
    """A message is longer than its channel's ``message-size``."""


class MessageInvalid(EActorsError, ValueError):  # noqa: N818
    """A received message does not decode to the type its connector names."""


class OutboxFull(EActorsError):  # noqa: N818
    """One actor has more unsent messages than its outbox may hold."""


class OperationNotOffered(EActorsError, TypeError):  # noqa: N818
    """A public mbox was asked for what only a private one can do."""


class RegionCorrupted(EActorsError):  # noqa: N818
    """Shared memory holds a value that no honest peer writes."""


class ChannelBroken(EActorsError):  # noqa: N818
    """An encrypted channel received what its peer did not send, or could not agree on keys.

    The channel delivers nothing more; the actor's other channels are not affected.

    Attributes:
        channel: The connector's attribute in the actor.
        peer: Name of the actor at the other end.
    """

    def __init__(self, message: str, *, channel: str = "", peer: str = "", hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.channel = channel
        self.peer = peer


class ExchangeFailed(EActorsError):  # noqa: N818
    """A key exchange received what no honest peer sends; the channel it was for is broken."""


class ReportInvalid(EActorsError):  # noqa: N818
    """A report was not made on this machine, not for this enclave, or was changed."""


class ManifestRejected(EActorsError):  # noqa: N818
    """The deployment manifest lacks a wanted signature, or is not the one that was signed."""


class NotInEnclave(EActorsError):  # noqa: N818
    """An actor on the untrusted side asked for what only an enclave has: reports, quotes, sealing keys."""


class SealBroken(EActorsError, ValueError):  # noqa: N818
    """Sealed data was changed, or sealed by an enclave with another measurement or signer."""


class PlatformError(EActorsError):
    """The platform refuses an instruction, or does not answer any more."""


class ImageError(EActorsError):
    """The image of an enclave is not what was measured and signed."""


class KeyFileError(EActorsError):
    """A key file is missing, unreadable, or holds no key of the kind that is needed."""


class ModuleNotInImage(EActorsError, ModuleNotFoundError):  # noqa: N818
    """Code in an enclave imports a module that its image does not hold."""


class SandboxViolation(EActorsError, PermissionError):  # noqa: N818
    """An actor in an enclave tried what only a system actor may do.

    Attributes:
        actor: Name of the actor; None if it was code outside of any actor.
    """

    def __init__(self, message: str, *, actor: str | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.actor = actor
        # What whoever expects a PermissionError of the operating system looks at.
        self.errno = 1  # EPERM, the same number on every Linux
        self.strerror = message

    def __str__(self) -> str:
        """Return the message alone, where OSError would put the number in front."""
        return self.message
