"""``eactors attest`` as a user runs it: against enclaves, relays, and what is neither."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from tests.attested_tls import SECS, Attester, owned, serving
from tests.conftest import COMMAND, environment

from eactors.attested_tls import AttestedCertificate, by_name, context_of
from eactors.attested_tls.context import context_with
from eactors.cpu.structures import DEBUG, INIT, MODE64BIT, attributes
from eactors.verifier.certificate import Presented, check_binding, read_certificate
from eactors.verifier.quote import QuoteRefused

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import App

POLICY = f"""
measurements = ["{SECS.measurement.hex()}"]
signers = ["{SECS.signer.hex()}"]
product_id = 3
security_version = 4
root = "simulation"
allow_simulation = true
"""
NAMES = ["localhost", "127.0.0.1"]


@pytest.fixture(scope="module")
def attester() -> Attester:
    """An enclave whose quotes the command can verify: of the same installation."""
    return Attester()


@pytest.fixture(scope="module")
def genuine(attester: Attester) -> ssl.SSLContext:
    """An enclave's context."""
    return AttestedCertificate.create(attester, NAMES).context()


def attest(
    folder: Path, port: int, *options: str, policy: str = POLICY, host: str = "localhost"
) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    (folder / "policy.toml").write_text(policy, encoding="utf-8")
    command = [str(COMMAND), "attest", f"https://{host}:{port}", "--policy", "policy.toml", *options]
    return subprocess.run(
        command,
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_an_enclave_that_the_policy_accepts_is_trusted(tmp_path: Path, genuine: ssl.SSLContext) -> None:
    """With all that the quote says, and a verdict."""
    with serving(genuine) as port:
        done = attest(tmp_path, port)
    assert (done.returncode, done.stderr) == (0, "")
    words = {
        key.strip(): value for key, value in ((line[:18], line[18:]) for line in done.stdout.splitlines())
    }
    assert words["measurement"] == SECS.measurement.hex()
    assert words["signer"] == SECS.signer.hex()
    assert (words["product id"], words["security version"]) == ("3", "4")
    assert (words["debug"], words["simulated"], words["platform"]) == ("no", "yes", "UpToDate")
    assert words["names"] == "localhost, 127.0.0.1"
    assert done.stdout.splitlines()[-1] == (
        "trusted: policy.toml accepts this enclave, though it is a simulated enclave,"
        " which protects nothing from its host"
    )


def test_scripts_get_json(tmp_path: Path, genuine: ssl.SSLContext) -> None:
    """The same facts, and the key to pin later connections to."""
    with serving(genuine) as port:
        done = attest(tmp_path, port, "--json", host="127.0.0.1")
    said = json.loads(done.stdout)
    assert (done.returncode, said["trusted"], said["genuine"], said["verdict"]) == (0, True, True, "warning")
    assert (said["measurement"], said["simulated"]) == (SECS.measurement.hex(), True)
    assert said["public_key"].startswith("sha256//")
    assert said["reason"] is None


@pytest.mark.parametrize(
    ("change", "what", "words"),
    [
        ({"measurements": f'["{"ab" * 32}"]'}, "measurement", "does not accept the enclave's measurement"),
        ({"signers": f'["{"ab" * 32}"]'}, "signer", "does not accept the enclave's signer"),
        ({"product_id": "2"}, "product_id", "has product id 3, and the policy accepts 2"),
        ({"security_version": "5"}, "security_version", "the policy accepts 5 or above"),
        ({"allow_simulation": "false"}, "simulation", "simulated enclave"),
    ],
)
def test_an_enclave_that_the_policy_does_not_accept_is_not_trusted(
    tmp_path: Path, genuine: ssl.SSLContext, change: dict[str, str], what: str, words: str
) -> None:
    """Though it is genuine; what it is is shown all the same."""
    lines = [line.split(" = ") for line in POLICY.strip().splitlines()]
    policy = "\n".join(f"{name} = {change.get(name, value)}" for name, value in lines)
    with serving(genuine) as port:
        done = attest(tmp_path, port, "--json", policy=policy)
        plain = attest(tmp_path, port, policy=policy)
    said = json.loads(done.stdout)
    assert (done.returncode, said["trusted"], said["genuine"], said["refused"]) == (1, False, True, what)
    assert words in said["reason"]
    assert plain.returncode == 1
    assert f"not trusted: {said['reason']}" in plain.stdout
    assert SECS.measurement.hex() in plain.stdout


def test_a_debug_enclave_is_not_trusted_unless_allowed(tmp_path: Path) -> None:
    """Its host may look inside."""
    secs = SECS._replace(attributes=attributes(INIT | MODE64BIT | DEBUG))
    made = AttestedCertificate.create(Attester(secs=secs), NAMES)
    with serving(made.context()) as port:
        refused = attest(tmp_path, port)
        allowed = attest(tmp_path, port, policy=f"{POLICY}allow_debug = true\n")
    assert refused.returncode == 1
    assert "not trusted: the quote is of a debug enclave" in refused.stdout
    assert "hint: for a test, set allow_debug in the policy" in refused.stdout
    assert allowed.returncode == 0
    assert "though it is a simulated debug enclave" in allowed.stdout


def quote_of(context: ssl.SSLContext) -> bytes:
    """Return the quote that a server presents."""
    return presented_by(context).quote


def presented_by(context: ssl.SSLContext) -> Presented:
    """Return what a server presents."""
    with serving(context) as port:
        return read_certificate(ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", port))))


def test_a_relay_is_not_trusted(tmp_path: Path, genuine: ssl.SSLContext) -> None:
    """It has copied an enclave's quote into a certificate with a key of its own, and so reads all."""
    relay = context_with(*owned(*NAMES, quote=quote_of(genuine)))
    with serving(relay) as port:
        done = attest(tmp_path, port)
        said = json.loads(attest(tmp_path, port, "--json").stdout)
    assert done.returncode == 1
    assert done.stdout.startswith("claimed, and not proved:\n")
    assert "not trusted: the quote in the certificate is for another key: whoever answers" in done.stdout
    assert (said["trusted"], said["genuine"], said["refused"]) == (False, False, "key")


def test_a_copied_certificate_is_of_no_use(genuine: ssl.SSLContext) -> None:
    """Without its key there is no handshake: OpenSSL does not even take it."""
    with serving(genuine) as port:
        copied = ssl.get_server_certificate(("127.0.0.1", port)).encode()
    with pytest.raises(ssl.SSLError, match="KEY_VALUES_MISMATCH"):
        context_with(copied, owned(*NAMES)[1])


@pytest.mark.parametrize("place", [0, 60, 112, 176, 304, 440, 700, 1100])
def test_a_changed_quote_is_not_trusted(tmp_path: Path, attester: Attester, place: int) -> None:
    """Header, CPUSVN, measurement, signer, product id, signature, the quoting enclave's report."""

    class Liar(Attester):
        def __init__(self) -> None:
            self.secs = SECS

        def quote(self, data: bytes) -> bytes:
            changed = bytearray(attester.quote(data))
            changed[place] ^= 1
            return bytes(changed)

    with serving(AttestedCertificate.create(Liar(), NAMES).context()) as port:
        done = attest(tmp_path, port, "--json")
    said = json.loads(done.stdout)
    assert (done.returncode, said["genuine"], said["refused"]) == (1, False, "quote")


@pytest.mark.parametrize("quote", [b"", b"quote", bytes(5000)])
def test_what_is_no_quote_is_not_trusted(tmp_path: Path, quote: bytes) -> None:
    """Whatever lies in the extension."""
    with serving(context_with(*owned(*NAMES, quote=quote))) as port:
        done = attest(tmp_path, port, "--json")
    assert (done.returncode, json.loads(done.stdout)["trusted"]) == (1, False)


def test_an_expired_certificate_is_not_trusted(tmp_path: Path, attester: Attester) -> None:
    """Its quote may be as good as ever; clients with a clock would not connect."""
    with serving(AttestedCertificate.create(attester, NAMES, days=0).context()) as port:
        done = attest(tmp_path, port)
    assert done.returncode == 1
    assert "not trusted: the certificate has expired on 20" in done.stdout


def test_a_certificate_is_valid_between_its_dates(genuine: ssl.SSLContext) -> None:
    """Not before, either."""
    presented = presented_by(genuine)
    check_binding(presented)
    for days, words in ((-3, "is not valid before"), (400, "has expired on")):
        with pytest.raises(QuoteRefused, match=words) as info:
            check_binding(presented, datetime.now(UTC) + timedelta(days=days))
        assert info.value.what == "expired"


def test_ordinary_tls_is_not_trusted(tmp_path: Path) -> None:
    """However good its certificate is."""
    with serving(context_of(*owned("localhost"), ["localhost"])) as port:
        done = attest(tmp_path, port)
    assert done.returncode == 1
    assert "not trusted: the certificate carries no quote" in done.stdout
    assert "hint: this is ordinary TLS" in done.stdout


def test_a_quote_for_hardware_needs_collateral(tmp_path: Path) -> None:
    """Given as a file, or asked of Intel."""
    policy = f'measurements = ["{"ab" * 32}"]\n'
    with serving(AttestedCertificate.create(Attester(tmp_path), NAMES).context()) as port:
        missing = attest(tmp_path, port, "--collateral", "missing.json", policy=policy)
        (tmp_path / "empty.json").write_text("{}")
        empty = attest(tmp_path, port, "--collateral", "empty.json", policy=policy)
    assert missing.returncode == 2
    assert "error: the collateral missing.json cannot be read" in missing.stderr
    assert empty.returncode == 1
    assert "the collateral cannot be read" in empty.stdout


def test_a_quote_of_another_machine_s_simulation_is_not_trusted(tmp_path: Path) -> None:
    """Anybody can simulate any measurement: each installation's root counts only there."""
    with serving(AttestedCertificate.create(Attester(tmp_path), NAMES).context()) as port:
        done = attest(tmp_path, port)
    assert done.returncode == 1
    assert "not trusted: the quote does not verify under the root of 'simulation'" in done.stdout


def test_where_there_is_no_tls_nobody_is_judged(tmp_path: Path, genuine: ssl.SSLContext) -> None:
    """Status 2: nothing is known of whoever is there."""
    with serving(None, b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        plain = attest(tmp_path, port)
    assert (plain.returncode, plain.stdout) == (2, "")
    error, hint = plain.stderr.splitlines()
    assert error == f"error: localhost:{port} does not speak TLS"
    assert hint == "hint: see whether the port is that of HTTPS, not of HTTP"
    with serving(None) as port:
        closed = attest(tmp_path, port)
    assert closed.returncode == 2
    assert f"error: the TLS handshake with localhost:{port} failed: " in closed.stderr
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        silent = attest(tmp_path, port, "--timeout", "0.2")
    assert (silent.returncode, "did not answer in time" in silent.stderr) == (2, True)
    refused = attest(tmp_path, port)
    assert refused.returncode == 2
    assert f"error: nobody listens at localhost:{port}: connection refused" in refused.stderr
    with serving(by_name({"shop.example": genuine})) as port:
        stranger = attest(tmp_path, port)
    assert stranger.returncode == 2
    assert f"error: the server at localhost:{port} serves no domain 'localhost'" in stranger.stderr


@pytest.mark.parametrize("url", ["localhost", "http://localhost", "https://", "https://a:b", "https://u@h"])
def test_an_address_that_is_none_is_refused(tmp_path: Path, url: str) -> None:
    """Before the policy is read."""
    command = [str(COMMAND), "attest", url, "--policy", "policy.toml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr == (
        f"error: {url!r} is no address of an HTTPS server\nhint: write https://HOST:PORT\n"
    )


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("measurements = [", "cannot be read"),
        ("", "accepts every enclave there is"),
        ('measurements = ["ab"]', "measurements must be a list of hexadecimal identities of 64 digits"),
        (f"{POLICY}allow_bugs = true", "unknown entry 'allow_bugs'"),
        (POLICY.replace("= true", '= "yes"'), "allow_simulation must be true or false"),
        (POLICY.replace('"simulation"', '"mine"'), "root must be 'intel' or 'simulation'"),
        (POLICY.replace("= 3", "= -1"), "product_id must be a number from 0 to 65535"),
    ],
)
def test_a_wrong_policy_is_the_user_s_mistake(tmp_path: Path, policy: str, words: str) -> None:
    """Named before anybody is asked anything."""
    done = attest(tmp_path, 1, policy=policy)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert "policy.toml" in done.stderr
    assert words in done.stderr


def test_a_missing_policy_is_named(tmp_path: Path) -> None:
    """Instead of trusting anybody."""
    command = [str(COMMAND), "attest", "https://localhost:1", "--policy", "none.toml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "error: the policy none.toml cannot be read" in done.stderr


def test_measure_writes_policies_or_json_not_both(app: App) -> None:
    """What it writes is read in test_actors_tls.py."""
    app.write("class A(Actor):\n    def body(self):\n        self.stop()\n", "A:1")
    assert app.run("-o", "built", command="build").returncode == 0

    def measure(*options: str) -> subprocess.CompletedProcess[str]:
        command = [str(COMMAND), "measure", "built/enclave-1", *options]
        return subprocess.run(
            command, cwd=app.folder, capture_output=True, text=True, timeout=60, check=False
        )

    text = measure("--policy").stdout
    assert f'measurements = ["{measure().stdout.strip()}"]' in text
    assert "allow_debug = true" in text  # no <key>: the development key signs debug enclaves
    both = measure("--policy", "--json")
    assert (both.returncode, "exclude each other" in both.stderr) == (2, True)
    (app.folder / "built/enclave-1/sigstruct.bin").unlink()
    unsigned = measure("--policy")
    assert (unsigned.returncode, "is not signed" in unsigned.stderr) == (2, True)
