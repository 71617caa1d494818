"""An exception as plain data, for the host to show.

The host has the source files and the room to format; the enclave, sealed, has neither.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CHAIN_MOST = 5
_FRAMES_MOST = 50


def describe(error: BaseException, earlier: tuple[BaseException, ...] = ()) -> dict[str, Any]:
    """The exception's type, message, errno, hint, frames and cause.

    Args:
        error: The exception.
        earlier: Those of which it is the cause; not all too many are described.

    Returns:
        ``{"type": str, "message": str, "errno": int | None, "hint": str | None, "frames": [[file, line,
        function], ...], "cause": the same of the cause | None}``, outermost frame first.
    """
    told = (*earlier, error)
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause in told or len(told) == _CHAIN_MOST:
        cause = None
    return {
        "type": type(error).__name__,
        "message": _text(error),
        "errno": error.errno if isinstance(error, OSError) and isinstance(error.errno, int) else None,
        "hint": getattr(error, "hint", None),
        "frames": _frames(error),
        "cause": None if cause is None else describe(cause, told),
    }


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - the exception is the application's, and so is its __str__
        return "(its message cannot be shown)"


def _frames(error: BaseException) -> list[list[object]]:
    frames: list[list[object]] = []
    at = error.__traceback__
    while at is not None:
        code = at.tb_frame.f_code
        frames.append([code.co_filename, at.tb_lineno, code.co_name])
        at = at.tb_next
    return frames[-_FRAMES_MOST:]
