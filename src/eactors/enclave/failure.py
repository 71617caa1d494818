"""An exception as plain data, for the host to show.

The host has the source files and the room to format; the enclave, sealed, has neither.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CHAIN_MOST = 5
_FRAMES_MOST = 50


def describe(error: BaseException) -> dict[str, Any]:
    """The exception's type, message, hint, frames and cause.

    Returns:
        ``{"type": str, "message": str, "hint": str | None, "frames": [[file, line,
        function], ...], "cause": the same of the cause | None}``, outermost frame first.
    """
    described: dict[str, Any] | None = None
    for link in reversed(_chain(error)):
        described = {
            "type": type(link).__name__,
            "message": _text(link),
            "hint": getattr(link, "hint", None),
            "frames": _frames(link),
            "cause": described,
        }
    assert described is not None
    return described


def _chain(error: BaseException) -> list[BaseException]:
    chain = [error]
    while len(chain) < _CHAIN_MOST:
        last = chain[-1]
        cause = last.__cause__ or (None if last.__suppress_context__ else last.__context__)
        if cause is None or cause in chain:
            break
        chain.append(cause)
    return chain


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
