"""A server's `ssl.SSLContext` with a key that is in no file.

CPython loads certificates and keys from names of files only. So both go through a file in
memory that has no name: one that only this process can open, through its own /proc/self/fd,
and that is overwritten and closed when OpenSSL has read it. An enclave is not dumpable, so not
even another process of the same user can open it there.
"""

from __future__ import annotations

import os
import ssl

from eactors.errors import SandboxViolation


def new_context() -> ssl.SSLContext:
    """A server's context without a certificate: TLS 1.2 and later, nothing renegotiated."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A client could keep the server busy with it; no client needs it.
    context.options |= ssl.OP_NO_RENEGOTIATION
    return context


def context_with(chain: bytes, key: bytes) -> ssl.SSLContext:
    """A server's context.

    Args:
        chain: The certificate, and those above it: PEM.
        key: Its key, which was compared with it: PEM, not encrypted.

    Raises:
        SandboxViolation: The enclave is sealed.
        ssl.SSLError: OpenSSL does not take them.
    """
    context = new_context()
    content = chain + key
    try:
        descriptor = os.memfd_create("tls", os.MFD_CLOEXEC)
    except PermissionError as error:
        raise SandboxViolation(
            "a TLS context cannot be made once the enclave is sealed: its certificate is loaded from a file",
            hint="make it in constructor()",
        ) from error
    try:
        os.fchmod(descriptor, 0o600)
        written = os.pwrite(descriptor, content, 0)
        assert written == len(content)
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    finally:
        os.pwrite(descriptor, bytes(len(content)), 0)
        os.close(descriptor)
    return context
