"""What an enclave asks of the platform that it runs on; only for type checkers, so it is in no image."""

from __future__ import annotations

from typing import Protocol


class Platform(Protocol):
    """One way to isolate an enclave, and to prove what it is.

    The entry calls `prepare` before it loads any code of the application, and `seal` once
    the actors are constructed. The rest may be called at any time, by any thread.

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

    def report(self, target: bytes, data: bytes) -> bytes:
        """Prove to another enclave of this machine what this one is: EREPORT.

        Args:
            target: TARGETINFO of the only enclave that can check it, 512 bytes.
            data: What to say to it, 64 bytes.

        Returns:
            A REPORT, 432 bytes (Intel SDM volume 3D, section 38.15).

        Raises:
            PlatformError: An operand is malformed.
        """

    def key(self, request: bytes) -> bytes:
        """Get a key that only this enclave, or only those of its signer, can get: EGETKEY.

        Args:
            request: A KEYREQUEST, 512 bytes (section 38.18).

        Returns:
            The key, 16 bytes.

        Raises:
            PlatformError: This enclave may not have that key.
        """

    def quote(self, data: bytes) -> bytes:
        """Prove to anyone anywhere what this enclave is.

        Args:
            data: What to say to them, 64 bytes.

        Returns:
            An SGX quote, version 3.

        Raises:
            PlatformError: The platform cannot make quotes.
        """

    def counter(self, policy: int, name: bytes) -> bytes:
        """Read a monotonic counter, which outlives the enclave and the machine's power.

        Args:
            policy: Whose it is: `TO_MEASUREMENT`, `TO_SIGNER` (and product id), or 0, of anyone who
                knows its name.
            name: 32 bytes that tell counters of the same owner apart.

        Returns:
            A number of 8 bytes, little-endian, and 16 bytes beside it; nothing: there is no such counter.

        Raises:
            PlatformError: The platform has no counters, or cannot read this one.
        """

    def advance(self, policy: int, name: bytes, expected: bytes, new: bytes) -> bytes:
        """Advance a monotonic counter, at once and for good, unless it is not what is expected.

        Args:
            policy: As for `counter`.
            name: As for `counter`.
            expected: What it should be; nothing: there should be none, and it is made.
            new: What it is to be; its number is higher.

        Returns:
            What it is then.

        Raises:
            PlatformError: The platform has no counters, or cannot advance this one.
        """

    def seal(self) -> None:
        """Give up all system calls but those that the platform itself needs.

        Raises:
            OSError: The machine cannot; no thread has been sealed.
        """
