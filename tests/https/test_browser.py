"""A headless Chromium visits the guest book: it shows the page, and its script talks over WebSocket."""

from __future__ import annotations

import contextlib
import itertools
import json
import subprocess
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from tests.sites import tool
from websockets.sync.client import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.sites import Site

OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--ignore-certificate-errors",
    "--window-size=900,700",
)
SAY = """
new Promise(done => setInterval(() => {
    const said = document.getElementById("said");
    if (!said || said.dataset.state != "open") return;
    if (said.children.length) done(said.children[0].textContent);
    document.getElementById("words").value = "hello from a browser";
    document.getElementById("talk").requestSubmit();
}, 50))
"""


def chromium(site: Site, folder: Path, *options: str) -> str:
    """Have a Chromium look at the guest book; what it prints."""
    command = [tool("chromium"), *OPTIONS, f"--user-data-dir={folder}", *options]
    done = subprocess.run(
        [*command, f"https://book.localhost:{site.port}/"],
        capture_output=True,
        text=True,
        timeout=90,
        check=True,
    )
    return done.stdout


@contextlib.contextmanager
def remote_controlled(folder: Path) -> Iterator[Callable[..., Any]]:
    """A Chromium that does what it is told: a function that calls its methods."""
    command = [tool("chromium"), *OPTIONS, f"--user-data-dir={folder}", "--remote-debugging-port=0"]
    process = subprocess.Popen([*command, "about:blank"], stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        where = next(line.split()[-1] for line in process.stderr if "DevTools listening on" in line)
        with connect(where, max_size=None) as connection:
            numbers = itertools.count(1)

            def call(method: str, session: str | None = None, **params: Any) -> Any:
                number = next(numbers)
                message = {"id": number, "method": method, "params": params}
                connection.send(json.dumps({**message, **({"sessionId": session} if session else {})}))
                while True:
                    answer = json.loads(connection.recv(timeout=60))
                    if answer.get("id") == number:
                        return answer.get("result")

            yield call
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_chromium_shows_the_page(site: Site, tmp_path: Path) -> None:
    """Style sheet and picture included: their colours are on the screen."""
    assert "<title>Guest book in an enclave</title>" in chromium(site, tmp_path, "--dump-dom")
    picture = tmp_path / "page.png"
    chromium(site, tmp_path, f"--screenshot={picture}")
    colours = colours_of(picture.read_bytes())
    assert (0x1E, 0x6B, 0x52) in colours, "the style sheet was not there"
    assert (0xF2, 0xC1, 0x4E) in colours, "the picture was not there"


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_a_browser_s_script_talks_over_websocket(site: Site, tmp_path: Path) -> None:
    """What is said in the page comes back to it from the enclave."""
    with remote_controlled(tmp_path) as call:
        target = call("Target.createTarget", url=f"https://book.localhost:{site.port}/")["targetId"]
        session = call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        # The empty page, which is there at first, takes what waits in it along when it goes.
        asked = {"expression": SAY, "awaitPromise": True, "returnByValue": True}
        tries = (call("Runtime.evaluate", session, **asked) for _ in range(5))
        heard = next(answer for answer in tries if answer is not None)
    assert heard["result"]["value"] == "hello from a browser"


def colours_of(png: bytes) -> set[tuple[int, ...]]:
    """Return the colours of a PNG: of 8 bits, not interlaced."""
    width, channels = int.from_bytes(png[16:20], "big"), {2: 3, 6: 4}[png[25]]
    data, place = b"", 8
    while place < len(png):
        length, kind = int.from_bytes(png[place : place + 4], "big"), png[place + 4 : place + 8]
        data += png[place + 8 : place + 8 + length] if kind == b"IDAT" else b""
        place += length + 12
    raw, above, found = zlib.decompress(data), bytearray(width * channels), set()
    for start in range(0, len(raw), width * channels + 1):
        row = bytearray(raw[start + 1 : start + 1 + width * channels])
        for i in range(len(row)):
            left = row[i - channels] if i >= channels else 0
            corner = above[i - channels] if i >= channels else 0
            row[i] = (row[i] + predicted(raw[start], left, above[i], corner)) & 0xFF
        found |= {tuple(row[i : i + 3]) for i in range(0, len(row), channels)}
        above = row
    return found


def predicted(kind: int, left: int, up: int, corner: int) -> int:
    """Return what a filter of PNG expects of a byte."""
    if kind == 4:
        guess = left + up - corner
        return min((left, up, corner), key=lambda one: abs(guess - one))
    return (0, left, up, (left + up) // 2)[kind]
