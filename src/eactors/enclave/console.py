"""The actors' print(): whole lines, sent to the console system actor."""

from __future__ import annotations

import io
from _thread import get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from eactors.enclave.link import HostLink


class ConsoleStream(io.TextIOBase):
    """A text stream that sends each line when it is complete.

    Every worker has a line of its own under construction, so that lines of several workers
    in one enclave never mix.

    Args:
        link: The link to the host.
        kind: The kind of frames to send.
    """

    def __init__(self, link: HostLink, kind: bytes) -> None:
        self._link = link
        self._kind = kind
        self._begun: dict[int, str] = {}

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Text goes to the host as UTF-8."""
        return "utf-8"

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, text: str) -> int:
        """Add to this worker's line, and send all lines that are complete."""
        worker = get_ident()
        lines = self._begun.pop(worker, "") + text
        end = lines.rfind("\n") + 1
        if end < len(lines):
            self._begun[worker] = lines[end:]
        if end:
            self._send(lines[:end])
        return len(text)

    def finish(self) -> None:
        """Send this worker's last line though it has no end."""
        rest = self._begun.pop(get_ident(), "")
        if rest:
            self._send(rest + "\n")

    def _send(self, text: str) -> None:
        self._link.send(self._kind, text.encode("utf-8", "backslashreplace"))
