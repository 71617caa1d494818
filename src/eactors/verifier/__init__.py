"""The verifier (RFC 9334): whether a quote is from an enclave that somebody's policy accepts.

It runs wherever that somebody trusts: never on the host that the enclave runs on.
"""

from __future__ import annotations
