"""The platform without hardware: an ordinary process that keeps an enclave's rules."""

from __future__ import annotations

from eactors import _native


class Simulation:
    """An enclave as a sandboxed process; see docs/design/sandbox.md for what that is worth."""

    name = "simulation"

    def prepare(self, parent: int) -> None:
        """Be neither dumpable nor traceable, and die when process `parent` does."""
        _native.sandbox_prepare(parent)

    def seal(self) -> None:
        """Let the kernel refuse what is not on the list of `_native.sandbox_allowed`."""
        _native.sandbox_seal()
