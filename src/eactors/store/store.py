"""Store: what an actor class declares for state that several actors share, or that outlives them.

All actors that declare a store by the same name use the same one. If they all live in one
enclave it is private, otherwise public; the deployment's ``<store>`` says where it lives, how
large it may grow, and who can read it.
"""

from __future__ import annotations

from eactors.errors import SourceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Self, TypeVar, overload

    from eactors.store.live import LiveStore

    Handler = TypeVar("Handler", bound=Callable[..., Any])


class Store:
    """A named key-value store that its users share.

    Declared in the class; in an instance, ``self.<attribute>`` is a mutable mapping of bytes to
    values, whose every operation is atomic: see `LiveStore`.

    Args:
        name: What actors and the deployment call it.
        value: A ``msgspec.Struct`` (or any type that msgspec knows) that all values are of;
            without, values are bytes.
    """

    declared_in = "stores"

    def __init__(self, name: str, *, value: Any = None) -> None:
        self.name = name
        self.value = value
        self.watches: list[tuple[bytes, str]] = []

    def on_change(self, prefix: bytes = b"") -> Callable[[Handler], Handler]:
        """Let the decorated method know of changes, as ``handler(self, key, old, new)``.

        It is called in the actor's turns, for each key whose value differs from the one that it
        was told last, or that was there just before its ``constructor()``; None stands for absent.
        What changes often is not told each time, but what it is in the end always is. An actor
        that watches a store ends by ``stop()`` only.

        Args:
            prefix: How the keys begin that are watched.
        """
        if not isinstance(prefix, bytes):
            raise SourceError(
                f"on_change() of store {self.name!r} needs a prefix of bytes, not {prefix!r}",
                hint='write @NAME.on_change(), or @NAME.on_change(b"prefix")',
            )

        def declare(handler: Handler) -> Handler:
            self.watches.append((prefix, handler.__name__))
            return handler

        return declare

    def codec(self) -> tuple[Callable[[Any], bytes] | None, Callable[[bytes], Any] | None]:
        """How values become bytes and back; (None, None) if they are bytes. See `Connector.codec`."""
        if self.value is None:
            return None, None
        from eactors.codec import codec_of  # noqa: PLC0415 - an enclave without typed values does without it

        return codec_of(self.value)

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type) -> Self: ...
        @overload
        def __get__(self, instance: object, owner: type) -> LiveStore: ...
        def __get__(self, instance: object | None, owner: type) -> Self | LiveStore: ...
