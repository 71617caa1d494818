"""The deployment manifest: which enclaves there are, and between which of them keys are agreed.

It is the host that hands it over. Its bytes mean something only once `check_signatures` has
found them signed by every owner; even then they are read in one form only: canonical JSON
with exactly the known fields, for what an old enclave would overlook, an owner may mean.
"""

from __future__ import annotations

import json

from eactors import _native
from eactors.attestation.identity import SIMULATED_CPU, Identity
from eactors.errors import ManifestRejected

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MOST_BYTES = 1 << 20

_ID, _SMALL = range(1, 1 << 32), range(1 << 16)
_HASHES = {"measurement": str, "signer": str}
_NUMBERS = {"enclave": _ID, "product_id": _SMALL, "security_version": _SMALL}
_ENCLAVE = {"name": str, "platform": str, "debug": bool} | _HASHES | _NUMBERS
_CHANNEL = {"id": range(1 << 64), "between": [str], "enclaves": [_ID], "cipher": str, "exchange": str}
_SHAPE = {"format": range(1, 2), "application": str, "enclaves": [_ENCLAVE], "channels": [_CHANNEL]}
"""Integers in their ranges; lists of any length."""


class EnclaveEntry:
    """What the manifest says of one enclave."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self.enclave: int = fields["enclave"]
        self.name, self.platform = fields["name"], fields["platform"]
        hashes = (_hash(fields["measurement"]), _hash(fields["signer"]))
        numbers = (fields["product_id"], fields["security_version"])
        cpu_svn = SIMULATED_CPU if self.platform == "simulation" else bytes(16)
        self.identity = Identity(*hashes, *numbers, fields["debug"], cpu_svn)


class ChannelEntry:
    """What the manifest says of one encrypted channel; its enclaves in the order of its sides."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self.between, self.enclaves = tuple(fields["between"]), tuple(fields["enclaves"])
        self.cipher, self.exchange = fields["cipher"], fields["exchange"]


class Manifest:
    """A manifest as its owners signed it.

    Args:
        content: The exact bytes.

    Attributes:
        digest: Their SHA-256.

    Raises:
        ManifestRejected: The bytes are no manifest in canonical form.
    """

    def __init__(self, content: bytes) -> None:
        self.digest = _native.sha256(content)
        fields = _parsed(content)
        self._enclaves = {entry["enclave"]: EnclaveEntry(entry) for entry in fields["enclaves"]}
        self._channels = {entry["id"]: ChannelEntry(entry) for entry in fields["channels"]}
        if [len(self._enclaves), len(self._channels)] != [len(fields["enclaves"]), len(fields["channels"])]:
            raise _malformed("an enclave or channel stands there twice")
        for number, channel in self._channels.items():
            pair = set(channel.enclaves) & self._enclaves.keys()
            if not len(pair) == len(channel.enclaves) == len(channel.between) == 2:  # noqa: PLR2004 - its ends
                raise _malformed(f"channel {number} is not between two of its enclaves")

    def enclave(self, number: int) -> EnclaveEntry:
        """What it says of an enclave.

        Raises:
            ManifestRejected: Nothing.
        """
        if number not in self._enclaves:
            raise ManifestRejected(f"the manifest has no enclave {number}")
        return self._enclaves[number]

    def channel(self, number: int) -> ChannelEntry:
        """What it says of an encrypted channel.

        Raises:
            ManifestRejected: Nothing.
        """
        if number not in self._channels:
            raise ManifestRejected(f"the manifest has no encrypted channel {number}")
        return self._channels[number]


def check_own(identity: Identity, entry: EnclaveEntry) -> None:
    """See that the manifest is about this very enclave.

    Raises:
        ManifestRejected: It is about another, or another version of it.
    """
    if difference := identity.difference(entry.identity):
        raise ManifestRejected(f"this is not enclave {entry.enclave} of the manifest: it {difference}")


def check_signatures(content: bytes, signatures: list[dict[str, Any]], owners: dict[str, str]) -> None:
    """See that every owner has signed the manifest (RSASSA-PSS, RFC 8017, section 8.1).

    Args:
        content: The manifest's exact bytes.
        signatures: What the host has; nothing in it is trusted, and no key in it is used.
        owners: Public keys (PEM) of those who must have signed, by name, from the image.

    Raises:
        ManifestRejected: Naming each owner without a valid signature.
    """
    if not owners:
        raise ManifestRejected("this enclave's image names no owner who could have signed a manifest")
    problems = [_problem(content, signatures, name, owner) for name, owner in owners.items()]
    if any(problems):
        raise ManifestRejected(
            "; ".join(filter(None, problems)), hint="have each of them sign this very manifest"
        )


def _signed(content: bytes, signature: dict[str, Any], owner: str) -> bool:
    try:
        return _native.rsa_pss_verify(owner.encode(), bytes.fromhex(signature["signature"]), content)
    except (LookupError, TypeError, ValueError):
        return False


def _problem(content: bytes, signatures: list[dict[str, Any]], name: str, owner: str) -> str:
    if any(_signed(content, each, owner) for each in signatures):
        return ""
    digest = _native.sha256(content).hex()
    claimed = [each.get("manifest") for each in signatures if type(each) is dict and each.get("key") == owner]
    if not claimed:
        return f"the manifest lacks the signature of owner {name}"
    if digest in claimed:
        return f"the signature of owner {name} is not valid"
    return f"owner {name} signed another manifest than this one, {digest[:16]}.."


def _parsed(content: bytes) -> Any:
    if len(content) > _MOST_BYTES:
        raise _malformed(f"it has more than {_MOST_BYTES} bytes")
    try:
        fields = json.loads(content)
        canonical = json.dumps(fields, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    except (ValueError, RecursionError) as error:
        raise _malformed("it is no JSON") from error
    if canonical != content:
        raise _malformed("its JSON is not in canonical form")
    _check(fields, _SHAPE, "top")
    return fields


def _check(value: Any, shape: Any, where: str) -> None:
    kind = int if type(shape) is range else shape if type(shape) is type else type(shape)
    # By type(), not isinstance(): True would be an integer.
    wrong = type(value) is not kind or (kind is int and value not in shape)
    if wrong or (kind is dict and value.keys() != shape.keys()):
        raise _malformed(f"not what belongs there: {where}")
    for name in shape if kind is dict else ():
        _check(value[name], shape[name], f"{where}, {name}")
    for part in value if kind is list else ():
        _check(part, shape[0], where)


def _hash(text: str) -> bytes:
    if len(text) != 64 or set(text) - set("0123456789abcdef"):  # noqa: PLR2004 - of SHA-256
        raise _malformed(f"no SHA-256 in lower-case hexadecimal: {text[:64]!r}")
    return bytes.fromhex(text)


def _malformed(why: str) -> ManifestRejected:
    return ManifestRejected(f"the manifest is malformed: {why}")
