"""``eactors attest`` against the running example, and against those who stand in front of it."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import threading
from typing import TYPE_CHECKING

from tests.attested_tls import owned, serving
from tests.conftest import COMMAND, environment

from eactors.attested_tls.context import context_with
from eactors.verifier.certificate import read_certificate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.sites import Site


def attest(site: Site, built: Path, port: int) -> subprocess.CompletedProcess[str]:
    """Attest whoever answers at a port, by the policy for the built image."""
    measured = subprocess.run(
        [COMMAND, "measure", built / "enclave-1", "--policy"], capture_output=True, check=True, timeout=30
    )
    policy = site.folder / "policy.toml"
    policy.write_bytes(measured.stdout)
    return subprocess.run(
        [COMMAND, "attest", f"https://127.0.0.1:{port}", "--policy", policy],
        env=environment(site.temporary),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_whoever_verifies_it_knows_which_pages_it_serves(site: Site, built: Path) -> None:
    """The measurement covers code and resources; the certificate belongs to the enclave that answers."""
    done = attest(site, built, site.port)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "policy.toml accepts this enclave" in done.stdout.splitlines()[-1]
    assert "names             book.localhost, localhost, 127.0.0.1" in done.stdout


def test_another_image_is_not_trusted(site: Site, guest_book: Path) -> None:
    """The policy for one deployment does not accept the enclave of another."""
    done = attest(site, guest_book, site.port)
    assert done.returncode == 1
    assert "does not accept the enclave's measurement" in done.stdout


def test_a_relay_with_the_quote_of_the_site_is_not_trusted(site: Site, built: Path) -> None:
    """It could read everything: it has copied the quote into a certificate of its own."""
    with site.connect("localhost", check=False) as connection:
        der = connection.getpeercert(binary_form=True)
    assert der is not None
    quote = read_certificate(der).quote
    with serving(context_with(*owned("localhost", "127.0.0.1", quote=quote))) as port:
        done = attest(site, built, port)
    assert done.returncode == 1
    assert "not trusted: the quote in the certificate is for another key: whoever answers" in done.stdout


def test_who_passes_bytes_on_changes_nothing(site: Site, built: Path) -> None:
    """Whoever stands between sees ciphertext, and the client still talks with the enclave."""
    with passing_on(site.port) as port:
        done = attest(site, built, port)
    assert done.returncode == 0, done.stdout + done.stderr


@contextlib.contextmanager
def passing_on(to: int) -> Iterator[int]:
    """A relay of bytes to a port, in a thread; its own port."""
    loop = asyncio.new_event_loop()

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
        writer.close()

    async def visited(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inside, outside = await asyncio.open_connection("127.0.0.1", to)
        await asyncio.gather(copy(reader, outside), copy(inside, writer))

    async def serve() -> asyncio.Server:
        return await asyncio.start_server(visited, "127.0.0.1", 0)

    server = loop.run_until_complete(serve())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield server.sockets[0].getsockname()[1]
    loop.call_soon_threadsafe(server.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
