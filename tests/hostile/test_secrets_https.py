"""A site's private key, what its guests write and what they get: searched for in all memory of a run."""

from __future__ import annotations

import contextlib
import os
import ssl
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.attested_tls import owned
from tests.conftest import COMMAND, App, all_processes, command_line, environment
from tests.hostile.test_secrets import memory
from tests.sites import EXAMPLE, Site, running

if TYPE_CHECKING:
    from collections.abc import Iterator

ASKED, HALF, HEADER, SAID = (os.urandom(12).hex().encode() for _ in range(4))
ANSWER = b"words that only an answer has: " + os.urandom(12).hex().encode()
SITE = f"""
import asyncio
from eactors.aio import AsyncActor
from eactors.attested_tls import context_of
from eactors.services import Network
from eactors.web import Domain, Site

async def app(scope, receive, send):
    if scope["type"] == "websocket":
        await receive()
        await send({{"type": "websocket.accept"}})
        return await asyncio.sleep(60)
    kept.append(dict(scope))
    while (message := await receive()).get("more_body"):
        kept.append(message)
    kept.append(message)
    await send({{"type": "http.response.start", "status": 200, "headers": []}})
    body = bytes.fromhex("{ANSWER.hex()}") * 1024
    kept.append(body)
    for _ in range(64):
        await send({{"type": "http.response.body", "body": body, "more_body": True}})
    await send({{"type": "http.response.body", "body": b""}})

kept = []  # so that what was asked and answered is in this memory for sure, as long as the run lasts

class Shop(AsyncActor):
    network = Network()

    def constructor(self):
        pem = self.provisioned
        context = context_of(pem, pem, ["book.localhost"])
        self.site = Site({{"book.localhost": Domain(app, context)}})

    async def main(self):
        await self.site.serve("127.0.0.1", 0, ready=lambda host, port: print(f"serving at {{host}}:{{port}}"))
"""


class Key:
    """A private key, in the forms that it has in files and in memory."""

    def __init__(self) -> None:
        self.private = ec.generate_private_key(ec.SECP256R1())
        number = self.private.private_numbers().private_value.to_bytes(32, "big")
        pem = self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        # OpenSSL's numbers have their lowest word first.
        self.forms = {"number": number, "reversed": number[::-1], "pem": pem.splitlines()[1]}


@pytest.fixture
def key() -> Key:
    """The key of the site."""
    return Key()


@pytest.fixture
def site(tmp_path: Path, key: Key) -> Iterator[Site]:
    """A site with this key, that answers with planted words."""
    source, built, file = tmp_path / "shop.py", tmp_path / "built", tmp_path / "shop.pem"
    source.write_text(SITE, encoding="utf-8")
    deployment = (EXAMPLE / "one-enclave.xml").read_text(encoding="utf-8").replace("Both", "Shop")
    (tmp_path / "shop.xml").write_text(deployment, encoding="utf-8")
    file.write_bytes(b"".join(owned("book.localhost", key=key.private)))
    commands: list[list[str | Path]] = [
        [COMMAND, "build", source, tmp_path / "shop.xml", "-o", built],
        [COMMAND, "provision", file, "--to", "Shop", "--allow-debug", built],
    ]
    for command in commands:
        subprocess.run(command, env=environment(tmp_path), check=True, capture_output=True, timeout=60)
    with running(tmp_path, built) as site:
        yield site


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can read the memory of enclaves")
def test_nobody_but_the_enclave_has_what_its_guests_say(site: Site, key: Key) -> None:
    """Launcher, system actors, software CPU and shared memory; while requests are on their way.

    One request is answered, one has sent half of its body, one does not read its answer.
    """
    done, half, slow = (site.connect("book.localhost", check=False) for _ in range(3))
    post = b"POST /%s HTTP/1.1\r\nHost: book.localhost\r\nX-Planted: %s\r\nContent-Length: %d\r\n\r\n"
    done.sendall(post % (SAID, HEADER, len(ASKED)) + ASKED)
    data = b""
    while not data.endswith(b"\r\n0\r\n\r\n"):
        data = (data + done.recv(65536))[-100:]
    half.sendall(post % (SAID, HEADER, 1000) + HALF)
    slow.sendall(b"GET / HTTP/1.1\r\nHost: book.localhost\r\n\r\n")
    assert slow.recv(1).startswith(b"H")

    enclave, system = site.pid("enclave-1"), site.pid("system.json")
    planted = {"asked": ASKED, "half": HALF, "header": HEADER, "path": SAID, "answer": ANSWER, **key.forms}
    # The control: the search finds all that is there, and the application keeps all but the key.
    inside, seen = {"asked", "half", "header", "path", "answer", "reversed"}, set[str]()

    def all_seen() -> bool:
        seen.update(found(enclave, planted))
        return seen >= inside

    assert App.wait_until(all_seen, 30), inside - seen
    others = {pid for pid in all_processes() if b"eactors.cpu" in command_line(pid)}
    for pid in (system, site.process.pid):
        assert found(pid, planted) == set(), command_line(pid)
    for pid in others:
        # Those of other tests that run beside this one may end meanwhile.
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):
            assert found(pid, planted) == set(), command_line(pid)
    # What the system actors have is ciphertext: they have some, and know whom the guests asked for.
    assert found(system, {"name": b"127.0.0.1"}) == {"name"}
    for connection in (done, half, slow):
        connection.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may")
def test_another_process_of_the_same_user_cannot_look(site: Site) -> None:
    """An enclave is not dumpable."""
    with pytest.raises(PermissionError):
        Path(f"/proc/{site.pid('enclave-1')}/mem").read_bytes()


def found(pid: int, planted: dict[str, bytes]) -> set[str]:
    """Return which of the planted words a process has anywhere in its memory."""
    return {name for part in memory(pid) for name, word in planted.items() if word in part}


def test_the_certificate_is_the_one_that_was_provisioned(site: Site, key: Key) -> None:
    """So the key that is searched for is the one that is used."""
    from cryptography import x509  # noqa: PLC0415

    der = ssl.PEM_cert_to_DER_cert(site.certificate("book.localhost").read_text(encoding="ascii"))
    assert x509.load_der_x509_certificate(der).public_key() == key.private.public_key()
