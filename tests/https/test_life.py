"""How a site begins and ends: what keeps it from opening, and how it closes."""

from __future__ import annotations

import signal
import socket
import subprocess
import textwrap
from typing import TYPE_CHECKING

import pytest
from tests.conftest import COMMAND, deployment_of, environment
from tests.sites import answer, running

if TYPE_CHECKING:
    from pathlib import Path

SITE = """
import asyncio
from eactors.aio import AsyncActor
from eactors.attested_tls import AttestedCertificate
from eactors.services import Network
from eactors.web import Domain, Site

{app}

class Shop(AsyncActor):
    network = Network()
    params = {{"port": 0}}

    def constructor(self):
        context = AttestedCertificate.create(self, ["book.localhost"]).context()
        self.site = Site({{"book.localhost": Domain(app, context)}})

    async def main(self):
        await self.site.serve("127.0.0.1", self.params["port"], ready=self.ready)
        print("never")

    def ready(self, host, port):
        print(f"serving at {{host}}:{{port}}")
"""

SLOW = """
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        print("closed in good order")
        await send({"type": "lifespan.shutdown.complete"})
        return
    print("asked")
    try:
        await asyncio.sleep(60 if scope["path"] == "/endless" else 0.5)
    except asyncio.CancelledError:
        print("given up")
        raise
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
    await send({"type": "http.response.body", "body": b"done"})
"""


def written(folder: Path, app: str, header: str = "") -> tuple[Path, Path]:
    """Write a site with an application; its source and deployment."""
    source, deployment = folder / "site.py", folder / "site.xml"
    source.write_text(header + SITE.format(app=textwrap.dedent(app)), encoding="utf-8")
    deployment.write_text(deployment_of("Shop:1"), encoding="utf-8")
    return source, deployment


def refused(folder: Path, *what: str | Path) -> str:
    """Run a site that cannot open; what it says."""
    done = subprocess.run(
        [COMMAND, "run", *what],
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode in {1, 2}, done.stderr
    return done.stderr


def test_whoever_has_asked_gets_an_answer(tmp_path: Path) -> None:
    """Ctrl-C: nobody new is let in, what was asked is answered, the application is told."""
    with running(tmp_path, *written(tmp_path, SLOW)) as site:
        assert site.process.stdout is not None
        with site.connect("book.localhost", check=False) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: book.localhost\r\n\r\n")
            assert site.process.stdout.readline() == "asked\n"
            site.process.send_signal(signal.SIGINT)
            ((head, body),) = answer(connection)
        assert (head.split()[1], body) == (b"200", b"done")
        assert site.process.wait(timeout=20) == 128 + signal.SIGINT
        assert site.process.stdout.read() == "closed in good order\n"
        assert site.errors() == ""


def test_nobody_can_keep_it_from_ending(tmp_path: Path) -> None:
    """A request without end is given up after some seconds; at the second Ctrl-C at once."""
    with running(tmp_path, *written(tmp_path, SLOW)) as site:
        assert site.process.stdout is not None
        with site.connect("book.localhost", check=False) as connection:
            connection.sendall(b"GET /endless HTTP/1.1\r\nHost: book.localhost\r\n\r\n")
            assert site.process.stdout.readline() == "asked\n"
            assert site.end(signal.SIGTERM) == 128 + signal.SIGTERM
        assert site.process.stdout.read() == "given up\nclosed in good order\n"


def test_a_port_in_use(tmp_path: Path) -> None:
    """Named, with what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refused(tmp_path, *written(tmp_path, SLOW), "--param", f"Shop.port={port}")
    assert f"error: actor 'Shop' failed: SiteError: cannot listen at 127.0.0.1:{port}: Address" in said
    assert "hint: give the actor another address: --param ACTOR.port=NUMBER" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("header", "error"),
    [
        (
            "import no_such_library\n",
            "cannot be imported: ModuleNotFoundError: No module named 'no_such_library'",
        ),
        ("def broken(:\n", "cannot be imported: SyntaxError"),
        ("raise RuntimeError('not today')\n", "cannot be imported: RuntimeError: not today"),
    ],
)
def test_an_application_that_does_not_import(tmp_path: Path, header: str, error: str) -> None:
    """Refused before anything starts, with the place in the source."""
    said = refused(tmp_path, *written(tmp_path, SLOW, header))
    assert f"error: {tmp_path / 'site.py'} {error}" in said


def test_an_application_that_does_not_start(tmp_path: Path) -> None:
    """It says so by the lifespan protocol, with its own words."""
    app = """
    async def app(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no books today"})
    """
    said = refused(tmp_path, *written(tmp_path, app))
    assert "no books today" in said
    assert "SiteError: the application of book.localhost has failed to start" in said


def test_an_application_that_fails(tmp_path: Path) -> None:
    """The client gets status 500 and no details; the next one is served."""
    app = """
    async def app(scope, receive, send):
        assert scope["type"] == "http"
        if scope["path"] == "/bad":
            raise RuntimeError("not this page")
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})
    """
    with running(tmp_path, *written(tmp_path, app)) as site:
        bad = site.curl("/bad", "-i").stdout
        assert bad.startswith(b"HTTP/1.1 500")
        assert b"not this page" not in bad
        assert site.curl("/good", "-i").stdout.startswith(b"HTTP/1.1 204")
        assert "RuntimeError: not this page" in site.errors()
