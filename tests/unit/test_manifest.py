"""The deployment manifest: believed if every owner signed it, read in one form only."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from tests.attested import Deployed, canonical, measurement_of

from eactors.attestation.identity import Identity, own_identity
from eactors.attestation.manifest import Manifest, check_own, check_signatures
from eactors.errors import ManifestRejected

FIELDS = Deployed([(1, 2), (2, 3)]).fields
CONTENT = canonical(FIELDS)


class Owner:
    """Someone with a key."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(3, 3072)
        public = self.key.public_key()
        self.pem = public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ).decode()
        self.name = hashlib.sha256(public.public_numbers().n.to_bytes(384, "little")).hexdigest()[:16]

    def sign(self, content: bytes = CONTENT, salt: int = 32) -> dict[str, Any]:
        """Return what this owner's signature file holds."""
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), salt)
        return {
            "key": self.pem,
            "manifest": hashlib.sha256(content).hexdigest(),
            "signature": self.key.sign(content, pss, hashes.SHA256()).hex(),
        }


ALICE, BOB = Owner(), Owner()
BOTH = {ALICE.name: ALICE.pem, BOB.name: BOB.pem}
OTHER = canonical({**FIELDS, "application": "other.py"})


def test_a_manifest_is_read() -> None:
    """What it says of enclaves and channels, and its digest."""
    manifest = Manifest(CONTENT)
    assert manifest.digest == hashlib.sha256(CONTENT).digest()
    entry = manifest.enclave(2)
    assert (entry.enclave, entry.name, entry.platform) == (2, "enclave2", "simulation")
    assert entry.identity.measurement == measurement_of(2)
    channel = manifest.channel(1)
    assert (channel.enclaves, channel.cipher, channel.exchange) == (
        (2, 3),
        "aes-128-gcm",
        "local-attestation",
    )
    assert channel.between == ("Actor2.channel1", "Actor3.channel1")


def test_what_is_not_in_it_is_named() -> None:
    """An enclave or a channel that the owners have not signed does not exist."""
    with pytest.raises(ManifestRejected, match="no enclave 4"):
        Manifest(CONTENT).enclave(4)
    with pytest.raises(ManifestRejected, match="no encrypted channel 2"):
        Manifest(CONTENT).channel(2)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null\n",
        b"[]\n",
        b"{}\n",
        b"\xff\n",
        b"[" * 100_000,
        b"9" * 5000 + b"\n",
        CONTENT[:-1],
        CONTENT + b"\n",
        b" " + CONTENT,
        CONTENT.replace(b'"format":1', b'"format": 1'),
        CONTENT.replace(b'"format":1', b'"format":1,"format":1'),
        CONTENT.replace(b'"format":1', b'"format":1.0'),
        CONTENT.replace(b'"format":1', b'"format":NaN'),
        json.dumps(FIELDS, sort_keys=True).encode() + b"\n",
        canonical({**FIELDS, "application": "x" * (1 << 20)}),
    ],
    ids=range(16),
)
def test_bytes_of_another_form_are_refused(content: bytes) -> None:
    """Two readers of one manifest can never read two things."""
    with pytest.raises(ManifestRejected, match="the manifest is malformed"):
        Manifest(content)


@pytest.mark.parametrize(
    ("where", "name", "value"),
    [
        (None, "format", 2),
        (None, "format", True),
        (None, "application", None),
        (None, "enclaves", {}),
        (None, "extra", 1),
        ("enclaves", "enclave", 0),
        ("enclaves", "enclave", True),
        ("enclaves", "enclave", 1 << 32),
        ("enclaves", "enclave", 2),
        ("enclaves", "measurement", "ab"),
        ("enclaves", "measurement", measurement_of(1).hex().upper()),
        ("enclaves", "measurement", " " * 64),
        ("enclaves", "signer", 7),
        ("enclaves", "product_id", -1),
        ("enclaves", "security_version", 1 << 16),
        ("enclaves", "debug", 0),
        ("enclaves", "extra", 1),
        ("channels", "id", 1),
        ("channels", "id", 1 << 64),
        ("channels", "id", "0"),
        ("channels", "between", ["A.b"]),
        ("channels", "enclaves", [1]),
        ("channels", "enclaves", [1, 1]),
        ("channels", "enclaves", [1, 2, 3]),
        ("channels", "enclaves", [1, 9]),
        ("channels", "enclaves", [1, [2]]),
        ("channels", "cipher", None),
    ],
)
def test_fields_that_make_no_sense_are_refused(where: str | None, name: str, value: object) -> None:
    """An owner may sign anything; an enclave uses only what has one meaning."""
    fields = json.loads(CONTENT)
    (fields if where is None else fields[where][0])[name] = value
    with pytest.raises(ManifestRejected, match="the manifest is malformed"):
        Manifest(canonical(fields))


def test_a_missing_field_is_refused() -> None:
    """There are no defaults in a manifest."""
    fields = json.loads(CONTENT)
    del fields["enclaves"][0]["debug"]
    with pytest.raises(ManifestRejected, match="enclaves"):
        Manifest(canonical(fields))


def test_every_owner_must_have_signed() -> None:
    """In any order, among others' signatures and rubbish."""
    rubbish: list[Any] = [
        None,
        [],
        {},
        {"signature": 7},
        {"signature": "zz"},
        {"key": ALICE.pem, "signature": "00"},
    ]
    check_signatures(CONTENT, [*rubbish, BOB.sign(), ALICE.sign()], BOTH)


def test_a_missing_owner_is_named() -> None:
    """And only the missing one."""
    with pytest.raises(ManifestRejected) as caught:
        check_signatures(CONTENT, [ALICE.sign()], BOTH)
    assert str(caught.value) == f"the manifest lacks the signature of owner {BOB.name}"


def test_all_missing_owners_are_named() -> None:
    """Whoever deploys asks all of them at once."""
    with pytest.raises(ManifestRejected, match=f"{ALICE.name}; .*{BOB.name}"):
        check_signatures(CONTENT, [], BOTH)


def test_a_signature_of_another_manifest_is_told_apart() -> None:
    """Two owners who looked at different manifests should hear so."""
    with pytest.raises(ManifestRejected, match=f"owner {BOB.name} signed another manifest"):
        check_signatures(CONTENT, [ALICE.sign(), BOB.sign(OTHER)], BOTH)


@pytest.mark.parametrize(
    "what", ["of another manifest, called this one's", "of another salt", "of another key"]
)
def test_a_signature_that_does_not_verify_is_refused(what: str) -> None:
    """What the host says of a signature changes the words, not the verdict."""
    signature = {
        "of another manifest, called this one's": {
            **ALICE.sign(),
            "signature": ALICE.sign(OTHER)["signature"],
        },
        "of another salt": ALICE.sign(salt=20),
        "of another key": {**ALICE.sign(), "signature": BOB.sign()["signature"]},
    }[what]
    with pytest.raises(ManifestRejected, match=f"the signature of owner {ALICE.name} is not valid"):
        check_signatures(CONTENT, [signature], {ALICE.name: ALICE.pem})


def test_the_key_that_a_signature_brings_along_is_not_used() -> None:
    """Otherwise anyone could sign."""
    with pytest.raises(ManifestRejected, match=f"lacks the signature of owner {ALICE.name}"):
        check_signatures(CONTENT, [BOB.sign()], {ALICE.name: ALICE.pem})


def test_an_image_without_owners_believes_no_manifest() -> None:
    """No owner is not the same as any owner."""
    with pytest.raises(ManifestRejected, match="names no owner"):
        check_signatures(CONTENT, [ALICE.sign()], {})


def test_an_enclave_finds_itself_in_the_manifest() -> None:
    """Its processor says what it is."""
    deployed = Deployed()
    check_own(own_identity(deployed.platforms[1]), deployed.written().enclave(1))


def test_an_enclave_refuses_a_manifest_about_another() -> None:
    """Such as the one before the last build."""
    deployed = Deployed()
    with pytest.raises(ManifestRejected, match="not enclave 2 of the manifest: it has measurement"):
        check_own(own_identity(deployed.platforms[1]), deployed.written().enclave(2))


def test_a_simulated_enclave_is_none_of_a_hardware_platform() -> None:
    """The owners asked for hardware."""
    deployed = Deployed(changes={1: {"platform": "gramine"}})
    with pytest.raises(ManifestRejected, match="is a simulated enclave and the manifest says it is not"):
        check_own(own_identity(deployed.platforms[1]), deployed.written().enclave(1))
    assert isinstance(deployed.written().enclave(1).identity, Identity)
