"""The software CPU of platform "simulation": SGX's instructions in a process of its own.

It stands for hardware, not for the host: an enclave trusts what it answers, and it never
trusts an enclave. See docs/design/software-cpu.md for what that is worth.
"""

from __future__ import annotations
