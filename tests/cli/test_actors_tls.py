"""Attested TLS in a sealed enclave: made in the constructor, served without system calls."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

from tests.attested_tls import owned
from tests.conftest import COMMAND

from eactors.verifier.certificate import check_binding, read_certificate
from eactors.verifier.collateral import collateral_for
from eactors.verifier.policy import read_policy
from eactors.verifier.quote import verify_quote

if TYPE_CHECKING:
    from tests.conftest import App

    from eactors.verifier.policy import Policy

SHOP = """
import ssl
from eactors.attested_tls import AttestedCertificate, by_name, context_of

def client_of():
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    return client

class Shop(Actor):
    params = {"sealed": "", "certificate": "", "key": ""}
    requires = ("encodings.idna",)  # what ssl gives a client's wish to the server with

    def constructor(self):
        "".encode("idna")
        if self.params["sealed"]:
            made = AttestedCertificate.from_sealed(self, bytes.fromhex(self.params["sealed"]))
        else:
            made = AttestedCertificate.create(self, ["shop.example"])
        contexts = {"shop.example": made.context()}
        if self.params["key"]:
            pem, key = (bytes.fromhex(self.params[name]) for name in ("certificate", "key"))
            contexts["owned.example"] = context_of(pem, key, ["owned.example"])
        self.made, self.server, self.client = made, by_name(contexts), client_of()
        self.names = list(contexts)

    def body(self):
        for name in self.names:
            print(self.visit(name))
        try:
            self.visit("stranger.example")
        except ssl.SSLError as error:
            print("refused", error.reason)
        print(self.made.export_sealed(self).hex())
        try:
            self.made.context()
        except SandboxViolation as error:
            print(error.hint)
        self.stop()

    def visit(self, name):
        up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
        ends = (
            self.client.wrap_bio(down, up, server_hostname=name),
            self.server.wrap_bio(up, down, server_side=True),
        )
        for end in ends * 3:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                pass
        ends[0].write(b"one book, please")
        assert ends[1].read() == b"one book, please"
        return ends[0].getpeercert(binary_form=True).hex()
"""


def test_a_sealed_enclave_serves_tls(app: App) -> None:
    """Handshakes, records, several domains; its quote is that of the measured image."""
    certificate, key = owned("owned.example")
    app.write(SHOP, "Shop:1")
    given = {"Shop.certificate": certificate.hex(), "Shop.key": key.hex()}
    params = [word for name, value in given.items() for word in ("--param", f"{name}={value}")]
    done = app.run(*params)
    assert (done.returncode, done.stderr) == (0, "")
    shop, other, refused, _, hint = done.stdout.splitlines()
    assert read_certificate(bytes.fromhex(shop)).names == ("shop.example",)
    assert bytes.fromhex(other) != bytes.fromhex(shop)
    assert refused.startswith("refused ")
    assert hint == "make it in constructor()"
    assert (built := app.run("-o", "built", *params, command="build")).returncode == 0, built.stderr
    policy = measured_policy(app)
    presented = read_certificate(bytes.fromhex(shop))
    check_binding(presented)
    collateral, roots = collateral_for(presented.quote, policy)
    attested = verify_quote(presented.quote, policy=policy, collateral=collateral, roots=roots)
    assert attested.identity.measurement.hex() in policy.measurements


def measured_policy(app: App) -> Policy:
    """Return the policy that ``eactors measure --policy`` writes."""
    command = [str(COMMAND), "measure", "built/enclave-1", "--policy"]
    done = subprocess.run(command, cwd=app.folder, capture_output=True, check=True, timeout=30)
    file = app.folder / "policy.toml"
    file.write_bytes(done.stdout)
    return read_policy(file)


def test_only_the_very_image_has_the_key_back(app: App) -> None:
    """A parameter is measured: the run that gets the sealed key is another image."""
    app.write(SHOP, "Shop:1")
    sealed = app.run().stdout.splitlines()[-2]
    done = app.run("--param", f"Shop.sealed={sealed}")
    assert done.returncode == 1
    assert "SealBroken" in done.stderr


def test_the_untrusted_side_has_no_certificate_of_its_own(app: App) -> None:
    """It has no quotes."""
    done = app.write(SHOP, "Shop:0").run()
    assert done.returncode == 1
    assert "NotInEnclave: actor 'Shop' cannot make quotes: it runs on the untrusted side" in done.stderr


def test_only_an_image_that_asks_for_it_has_the_library_of_certificates(app: App) -> None:
    """Its lines are trusted, too."""
    app.write(SHOP + "class Plain(Actor):\n    def body(self):\n        self.stop()\n", "Shop:1 Plain:2")
    done = app.run("-o", "built", command="build")
    assert done.returncode == 0, done.stderr
    files = [
        json.loads((app.folder / f"built/enclave-{number}/image.json").read_bytes())["files"]
        for number in (1, 2)
    ]
    has = [{name.partition("/")[2].partition("/")[0] for name in each} for each in files]
    assert {"cryptography", "attested_tls"} <= has[0]
    assert not {"cryptography", "attested_tls"} & has[1]
    # It replaces itself while it is imported, by an object that does not say where it came from.
    assert "site/cryptography/hazmat/primitives/asymmetric/dh.py" in files[0]
