"""Values: how the values of a store become bytes and back, and the words for what is wrong."""

from __future__ import annotations

from eactors.errors import MessageInvalid
from eactors.store.errors import WrongType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from eactors.store.store import Store

_COUNTER = 8


class Values:
    """The values of one store, as one actor class declares them.

    Args:
        declared: What the class says.

    Attributes:
        store: The store's name.
        are_typed: Whether they are anything but bytes.
    """

    def __init__(self, declared: Store) -> None:
        self.store = declared.name
        self._wanted = declared.value
        self._encode, self._decode = declared.codec()
        self.are_typed = self._encode is not None

    def encode(self, key: bytes, value: Any) -> bytes:
        """A value as bytes.

        Raises:
            WrongType: The key is no bytes, or the value is not of the store's type.
        """
        if type(key) is not bytes:
            raise self.refusal(key)
        if self._encode is not None and self._decode is not None:
            try:
                data = self._encode(value)
                self._decode(data)  # msgspec looks at what is inside only where it comes back
            except (MessageInvalid, TypeError, ValueError) as error:
                raise WrongType(
                    f"store {self.store!r}, key {key!r}: {error.__cause__ or error}",
                    hint=f"it is declared with value={_name(self._wanted)}",
                ) from error
            return data
        if type(value) is not bytes:
            raise self.refusal(key, value)
        return value

    def decode(self, key: bytes, data: bytes) -> Any:
        """What was stored.

        Raises:
            WrongType: It is not of the store's type.
        """
        if self._decode is None:
            return data
        try:
            return self._decode(data)
        except MessageInvalid as error:
            what = f"what is there is no {_name(self._wanted)}"
            raise WrongType(
                f"store {self.store!r}, key {key!r}: {what}: {error.__cause__}",
                hint="declare the store with one value= wherever it is written",
            ) from error

    def refusal(self, key: object, value: object = b"") -> WrongType:
        """The error for a key or value that is no bytes."""
        if type(key) is not bytes:
            return WrongType(
                f"store {self.store!r}: a key is bytes, and {key!r} is {type(key).__name__}",
                hint="encode it, such as by key.encode()",
            )
        return WrongType(
            f"store {self.store!r}, key {key!r}: a value is bytes, and this is {type(value).__name__}",
            hint="encode it, or declare the type of all values: Store(..., value=...)",
        )

    def counted(self, key: bytes, data: bytes | None) -> int:
        """The number in a counter; an absent one is 0.

        Raises:
            WrongType: What is there is no counter.
        """
        if self.are_typed:
            raise WrongType(
                f"store {self.store!r} has values of {_name(self._wanted)}, and no counters",
                hint="keep counters in a store that is declared without value=",
            )
        if data is not None and len(data) != _COUNTER:
            raise WrongType(
                f"store {self.store!r}, key {key!r}: what is there has {len(data)} bytes and is no counter",
                hint=f"a counter has {_COUNTER} bytes, and is made by add()",
            )
        return int.from_bytes(data or b"", "little", signed=True)


def counter_bytes(number: int) -> bytes:
    """A counter as it is stored.

    Raises:
        OverflowError: It does not fit.
    """
    return number.to_bytes(_COUNTER, "little", signed=True)


def _name(wanted: Any) -> str:
    return getattr(wanted, "__name__", None) or str(wanted)
