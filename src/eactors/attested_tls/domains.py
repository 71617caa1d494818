"""Several domains behind one address: the client says which one it wants (SNI, RFC 6066).

A name that is not served is refused with the alert unrecognized_name: to answer with some
other domain's certificate would only tell strangers which domains there are.

What the client asks for is never decoded as an international name: ssl.SSLContext would do
that, with code from files that a sealed enclave cannot load, and in time that grows with the
square of a stranger's text. So the callback is set below ssl.SSLContext.
"""

from __future__ import annotations

import _ssl
import ssl

from eactors.attested_tls.context import new_context
from eactors.attested_tls.names import names_of, pattern_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Connection = ssl.SSLObject | ssl.SSLSocket

_set_callback = vars(_ssl._SSLContext)["sni_callback"].__set__  # noqa: SLF001 - see above


def by_name(
    contexts: Mapping[str, ssl.SSLContext], *, unnamed: ssl.SSLContext | None = None
) -> ssl.SSLContext:
    """One TLS context that serves each client with the context of the name that it asks for.

    In a connection's ``ssl_object.context`` is the chosen one afterwards.

    Args:
        contexts: Contexts by name; ``"*.shop.example"`` stands for one more label. Their own
            settings, such as application protocols, apply.
        unnamed: For clients that name nobody, as those do that connect to an address; None:
            they are refused.

    Raises:
        CertificateError: A name is none, or there is none.
    """
    names_of(contexts)
    chosen = {names_of([name])[0]: context for name, context in contexts.items()}

    def choose(connection: Connection, name: str | None, _front: ssl.SSLContext) -> int | None:
        if name is None:
            context = unnamed
        else:
            pattern = pattern_for(chosen, name.lower().removesuffix("."))
            context = None if pattern is None else chosen[pattern]
        if context is None:
            return ssl.AlertDescription.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        connection.context = context
        return None

    front = new_context()
    _set_callback(front, choose)
    return front
