"""Keys of signers and owners, and what they sign; the state directory; policies' files."""

from __future__ import annotations

import base64
import json
import multiprocessing
import stat
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from tests.enclaves import write_image
from tests.keys import key

from eactors import _native
from eactors.build import keyfile
from eactors.build.signing import (
    check_manifest,
    development_key,
    fingerprint,
    is_private,
    load_key,
    load_private,
    load_public,
    new_key,
    public_pem,
    sign_image,
    sign_manifest,
    signers,
)
from eactors.cpu.sigstruct import Sigstruct
from eactors.errors import EActorsError, ImageError, KeyFileError, ManifestRejected
from eactors.state import secret_file, state_directory
from eactors.verifier.policy import Policy, PolicyError, read_policy

if TYPE_CHECKING:
    from pathlib import Path

ALICE, BOB = key("alice"), key("bob")
PEM = serialization.Encoding.PEM


def private_pem(
    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, password: bytes | None = None
) -> bytes:
    """Return a private key as PEM."""
    lock = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return private.private_bytes(PEM, serialization.PrivateFormat.PKCS8, lock)


@pytest.fixture
def quick_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let making a key take no time: it is always alice's."""
    monkeypatch.setattr(keyfile, "_generate", lambda: ALICE)


@pytest.mark.usefixtures("quick_keys")
def test_a_new_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Mode 0600, and it reads back as what it is."""
    file = tmp_path / "alice.pem"
    assert fingerprint(new_key(file)) == fingerprint(load_private(file)) == fingerprint(load_public(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["alice.pem"]


def test_a_made_key_is_what_sgx_demands() -> None:
    """RSA of 3072 bits with exponent 3."""
    made = keyfile._generate().public_key()
    assert (made.key_size, made.public_numbers().e) == (3072, 3)


@pytest.mark.usefixtures("quick_keys")
def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    """Whatever the file is."""
    file = tmp_path / "alice.pem"
    file.write_text("precious")
    with pytest.raises(KeyFileError, match=r"alice\.pem exists, and a key is never overwritten"):
        new_key(file)
    assert file.read_text() == "precious"
    with pytest.raises(KeyFileError, match="cannot be written: No such file or directory"):
        new_key(tmp_path / "missing" / "alice.pem")


def test_a_public_key_file_is_enough_to_check(tmp_path: Path) -> None:
    """And not enough to sign."""
    file = tmp_path / "alice.pub.pem"
    file.write_text(public_pem(ALICE))
    assert fingerprint(load_public(file)) == fingerprint(ALICE)
    assert not is_private(load_key(file))
    with pytest.raises(KeyFileError, match="holds no private key in PEM") as info:
        load_private(file)
    assert info.value.hint == "name the file of the private key"


WEAK = rsa.generate_private_key(65537, 2048)
CURVE = ec.generate_private_key(ec.SECP256R1())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"", "holds no private key in PEM"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "holds no private key in PEM"),
        (private_pem(WEAK), "holds an RSA key of 2048 bits with exponent 65537; SGX demands 3072 bits"),
        (private_pem(CURVE), "holds a key that is not RSA"),
        (private_pem(ALICE, b"secret"), "is encrypted"),
    ],
)
def test_a_wrong_key_file_is_named(tmp_path: Path, content: bytes | None, words: str) -> None:
    """With what is wrong and what to do."""
    file = tmp_path / "alice.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(KeyFileError, match=words) as info:
        load_private(file)
    assert str(file) in str(info.value)
    assert info.value.hint


@pytest.mark.usefixtures("quick_keys")
def test_the_development_key_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the state directory, and refused if others may read it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert fingerprint(development_key()) == fingerprint(ALICE)
    monkeypatch.setattr(keyfile, "_generate", lambda: BOB)
    assert fingerprint(development_key()) == fingerprint(ALICE)
    file = tmp_path / "eactors" / "development.pem"
    file.chmod(0o640)
    with pytest.raises(KeyFileError, match=r"development\.pem holds a secret") as info:
        development_key()
    assert info.value.hint == f"chmod 600 {file}"


@pytest.mark.usefixtures("quick_keys")
@pytest.mark.parametrize("where", [100, 200, 300])
def test_a_damaged_development_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: int) -> None:
    """One bit of the modulus is another: nothing is signed with it, and its file is named."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    development_key()
    file = tmp_path / "eactors" / "development.pem"
    lines = file.read_text().splitlines()
    der = bytearray(base64.b64decode("".join(lines[1:-1])))
    der[where] ^= 0x10
    text = base64.encodebytes(bytes(der)).decode()
    file.write_text(f"{lines[0]}\n{text}{lines[-1]}\n")
    with pytest.raises(KeyFileError, match=r"development\.pem is damaged") as info:
        development_key()
    assert info.value.hint == f"delete it: rm {file}"


def test_the_state_directory_is_for_its_user_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """XDG_STATE_HOME if it is absolute, else below the home; a wider one is narrowed."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "state" / "eactors").mkdir(parents=True, mode=0o755)
    assert state_directory() == tmp_path / "state" / "eactors"
    assert stat.S_IMODE(state_directory().stat().st_mode) == 0o700
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    assert state_directory() == tmp_path / ".local" / "state" / "eactors"
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with pytest.raises(EActorsError, match="cannot be made: Not a directory"):
        state_directory()


def _make_secret(path: Path, number: int, barrier: Any, answers: Any) -> None:
    def make() -> bytes:
        barrier.wait()  # all have seen that there is none
        return bytes([number]) * 32

    answers.put(secret_file(path, make))


def test_racing_creators_end_with_the_same_secret(tmp_path: Path) -> None:
    """The first one's, whole; and no draft stays behind."""
    context = multiprocessing.get_context("fork")
    barrier, answers = context.Barrier(4), context.Queue()
    path = tmp_path / "secret"
    makers = [context.Process(target=_make_secret, args=(path, i, barrier, answers)) for i in range(4)]
    for maker in makers:
        maker.start()
    got = {answers.get() for _ in makers}
    for maker in makers:
        maker.join()
    assert got == {path.read_bytes()}
    assert [file.name for file in tmp_path.iterdir()] == ["secret"]


def test_a_signed_image_has_a_sigstruct_of_its_own(tmp_path: Path) -> None:
    """Of its measurement and settings, by its signer."""
    folder = write_image(tmp_path / "enclave-1", product_id=3, security_version=4, debug=True, signer=BOB)
    signed = Sigstruct.parse((folder / "sigstruct.bin").read_bytes())
    signed.check()
    assert (signed.signer.hex(), signed.product_id, signed.svn) == (fingerprint(BOB), 3, 4)
    assert (signed.attributes[0], signed.attribute_mask) == (6, b"\xff" * 16)
    assert sign_image(folder, ALICE).hex() == fingerprint(ALICE)


def test_a_damaged_image_is_not_signed(tmp_path: Path) -> None:
    """A signature would make it look right."""
    folder = write_image(tmp_path / "enclave-1")
    (folder / "__main__.py").write_text("print()")
    with pytest.raises(ImageError, match=r"__main__\.py was changed"):
        sign_image(folder, ALICE)


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A folder with a manifest."""
    (tmp_path / "manifest.json").write_bytes(b'{"format":1}\n')
    return tmp_path


OWNERS = {"alice": ALICE, "bob": BOB}


def rejection(built: Path) -> str:
    """Return why a manifest that alice and bob should have signed is rejected."""
    with pytest.raises(ManifestRejected) as info:
        check_manifest(built, OWNERS)
    return str(info.value)


def test_several_owners_sign_the_same_manifest(built: Path) -> None:
    """In any order, and enclaves find the signatures right."""
    files = [sign_manifest(built, owner) for owner in (BOB, ALICE)]
    check_manifest(built, OWNERS)
    assert sorted(signers(built)) == sorted(map(fingerprint, OWNERS.values()))
    for file in files:
        signature = json.loads(file.read_bytes())
        assert _native.rsa_pss_verify(
            signature["key"].encode(), bytes.fromhex(signature["signature"]), b'{"format":1}\n'
        )


def test_a_missing_signature_is_named(built: Path) -> None:
    """With those that are there: it may be signed by somebody else."""
    alice, bob = (fingerprint(one)[:16] for one in OWNERS.values())
    assert rejection(built) == f"{built}/manifest.json is not signed by alice ({alice})"
    sign_manifest(built, BOB)
    assert rejection(built) == f"{built}/manifest.json is signed by {bob}, not by alice ({alice})"


def test_a_manifest_that_differs_is_told_from_a_wrong_signature(built: Path) -> None:
    """Two owners who built different things have both signed honestly."""
    sign_manifest(built, ALICE)
    (built / "manifest.json").write_bytes(b'{"format":1,"x":2}\n')
    sign_manifest(built, BOB)
    assert rejection(built).startswith("alice's signature is for another manifest")
    with pytest.raises(ManifestRejected, match="signature is for another manifest"):
        signers(built)


@pytest.mark.parametrize(
    "change",
    [
        lambda signature: signature | {"signature": "00" * 384},
        lambda signature: signature | {"signature": "x"},
        lambda signature: signature | {"signature": ""},
    ],
)
def test_a_wrong_signature_is_refused(built: Path, change: Any) -> None:
    """Whose it is, is said."""
    file = sign_manifest(built, ALICE)
    file.write_text(json.dumps(change(json.loads(file.read_bytes()))))
    assert rejection(built) == "alice's signature of the manifest is wrong"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"1", b"\xff"])
def test_a_damaged_signature_file_is_named(built: Path, content: bytes) -> None:
    """With what to do."""
    file = sign_manifest(built, ALICE)
    file.write_bytes(content)
    assert rejection(built).startswith(f"the signature {file} cannot be read")


def test_a_signature_under_another_name_is_refused(built: Path) -> None:
    """Bob's signature does not pass as alice's."""
    alice, bob = (sign_manifest(built, owner) for owner in OWNERS.values())
    alice.write_bytes(bob.read_bytes())
    assert rejection(built) == "alice's signature of the manifest is wrong"
    with pytest.raises(ManifestRejected, match="holds the signature of"):
        signers(built)


def test_a_missing_manifest_is_named(tmp_path: Path) -> None:
    """With how to get one."""
    with pytest.raises(ManifestRejected, match=r"manifest\.json cannot be read") as info:
        sign_manifest(tmp_path, ALICE)
    assert info.value.hint == "build one: eactors build SOURCE.py DEPLOYMENT.xml -o DIR"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "the policy accepts every enclave there is"),
        ({"product_id": 1}, "the policy accepts every enclave there is"),
        ({"measurement": []}, "the policy has the unknown entry 'measurement'"),
        (
            {"measurements": "ab"},
            "must be a list of hexadecimal identities of 64 digits, not 'ab'",
        ),
        ({"measurements": ["ab"]}, "measurements must be"),
        ({"signers": ["x" * 64]}, "signers must be"),
        ({"product_id": True}, "product_id must be a number from 0 to 65535, not True"),
        ({"security_version": -1}, "security_version must be"),
        ({"allow_debug": 1}, "allow_debug must be true or false, not 1"),
        ({"statuses": ["Revoked"]}, "statuses must be a list out of UpToDate"),
        ({"root": "mine"}, "root must be 'intel' or 'simulation', not 'mine'"),
        ({"root": []}, "root must be"),
    ],
)
def test_a_wrong_policy_is_refused(values: dict[str, Any], words: str) -> None:
    """By the entry that is wrong; a typing error must not accept more than was meant."""
    with pytest.raises(PolicyError, match=words):
        Policy.of(values)


@pytest.mark.parametrize(
    ("name", "content"),
    [("policy.json", '{"signers": ["SIGNER"], "allow_debug": true}'),
     ("policy.toml", 'signers = ["SIGNER"]\nallow_debug = true')],
)  # fmt: skip
def test_a_policy_is_read_from_a_file(tmp_path: Path, name: str, content: str) -> None:
    """JSON or TOML, by its name; what is wrong with it is said with its name."""
    file = tmp_path / name
    file.write_text(content.replace("SIGNER", "AB" * 32))
    assert read_policy(file) == Policy(signers=frozenset({"ab" * 32}), allow_debug=True)
    for wrong in ("[", "1", '"x"', "[1]"):
        file.write_text(wrong)
        with pytest.raises(PolicyError, match=str(file)):
            read_policy(file)
