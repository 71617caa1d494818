"""A host that looks for what a key exchange leaves behind: ``python -m tests.ephemeral BUILT HOLD``.

It is root, and changes nothing. When side 0 has said hello, its private key is found in its
memory, since its public half is in the hello; with that the host has what both ends will agree on.
When side 0 has its keys, and side 1 still waits for the last report, it looks again.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.coldboot import Memory
from tests.lockstep import Lockstep

from eactors import _native

BASE = bytes((9, *bytes(31)))
"""The base point: a public key is the private one times it (RFC 7748, section 6.1)."""


class Looking:
    """What the host finds, step by step."""

    def __init__(self, built: Path, hold: Path) -> None:
        self.lockstep = Lockstep(built, hold, self.strike)
        self.told: dict[str, int | dict[str, bool]] = {}

    def memories(self) -> list[Memory]:
        """Return the memory of both enclaves."""
        return [Memory(facts.pid) for facts in self.lockstep.app.outcome.enclaves[:2]]

    def strike(self, step: str) -> None:
        """Look."""
        zero, one = self.memories()
        if step == "hello":
            public = self.lockstep.frame(0, 1).content[4:]
            private = {key for key in zero.windows(32) if bytes(_native.x25519(key, BASE)) == public}
            self.told["private keys"] = len(private)
            (self._private,) = private
        elif step == "answer":
            self._secret = bytes(_native.x25519(self._private, self.lockstep.frame(0, 0).content[4:]))
            self.told[step] = {"private key at 0": self._private in zero, "secret at 1": self._secret in one}
        else:
            self.told[step] = {
                "private key at 0": self._private in zero,
                "secret at 0": self._secret in zero,
                "secret at 1": self._secret in one,
            }


def main() -> None:
    """Be the host."""
    looking = Looking(*map(Path, sys.argv[1:]))
    looking.told["status"] = looking.lockstep.run().status
    print(json.dumps(looking.told), file=sys.stderr)  # noqa: T201 - for the test that started this


if __name__ == "__main__":
    main()
