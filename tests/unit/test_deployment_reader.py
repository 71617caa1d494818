"""The reader of deployment files against what is no deployment, or means harm."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest
from tests.deployments import VALID, refused
from tests.schema import describes

from eactors.deployment import xml
from eactors.deployment.errors import DeploymentError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "data", [b"", b"  \n", b"actors: []\n", b"<data>", b"\x00", VALID.encode("utf-16-le")]
)
def test_refuses_what_is_not_xml(data: bytes) -> None:
    """A file that is empty, cut short, or no XML at all is malformed."""
    assert refused(data).message.startswith("malformed XML: ")


def test_refuses_other_encodings() -> None:
    """Only UTF-8 is read, and the first byte that is not is found."""
    error = refused(VALID.replace("Ping", "Écho").encode("latin-1"))
    assert (error.line, error.message) == (3, "the file is not UTF-8 text")
    assert error.hint == "save it in the encoding UTF-8"
    assert refused(VALID.encode("utf-16")).message == "the file is not UTF-8 text"


def test_refuses_a_huge_file() -> None:
    """A file that cannot be a deployment is not even parsed."""
    error = refused(b" " * (4 * 2**20 + 1))
    assert (error.line, error.message) == (None, "the file is larger than 4194304 bytes")
    assert error.hint == "is it a deployment file?"


def test_read_stops_at_the_largest_file() -> None:
    """A device that never ends is refused like a huge file."""
    with pytest.raises(DeploymentError, match="the file is larger than 4194304 bytes"):
        xml.read("/dev/zero")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("there-is-no-such.xml", "No such file or directory"),
        ("/", "Is a directory"),
        ("a\0b", "embedded null byte"),
    ],
)
def test_refuses_an_unreadable_file(path: str, reason: str) -> None:
    """A path that cannot be read is an error of the user's, with the system's reason."""
    with pytest.raises(DeploymentError) as caught:
        xml.read(path)
    assert caught.value.file == path
    assert caught.value.message == f"cannot read the deployment: {reason}"
    assert caught.value.hint == "give the path of a deployment XML file"


def test_refuses_deep_nesting() -> None:
    """Elements nested without end are refused and exhaust no stack."""
    assert refused("<data>" * 300_000).message.startswith("malformed XML: Excessive depth")


BILLION_LAUGHS = (
    '<!DOCTYPE data [<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 30))
    + "]>"
)
DOCUMENT_TYPES = {
    "plain": "<!DOCTYPE data>",
    "other file": '<!DOCTYPE data SYSTEM "/etc/hostname">',
    "other machine": '<!DOCTYPE data PUBLIC "x" "http://localhost:9/x.dtd">',
    "billion laughs": BILLION_LAUGHS,
    "external entity": '<!DOCTYPE data [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
    "parameter entity": '<!DOCTYPE data [<!ENTITY % x SYSTEM "file:///etc/hostname"> %x;]>',
}


@pytest.mark.parametrize("document_type", DOCUMENT_TYPES.values(), ids=DOCUMENT_TYPES)
def test_refuses_a_document_type(document_type: str) -> None:
    """Entities, and with them all that they can do, begin with a document type."""
    error = refused(f'<?xml version="1.0"?>\n<!-- a --><?b c?>\n{document_type}\n{VALID}')
    assert (error.line, error.message) == (3, "a document type (<!DOCTYPE>) is not allowed")
    assert error.hint == (
        "delete it and write out what its entities stand for: a deployment refers to no other file"
    )


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """A pipe that no one writes to: whoever opens it for reading hangs, and the test with it."""
    path = tmp_path / "canary"
    os.mkfifo(path)
    return path


def entity_file(canary: Path, use: str) -> str:
    """Return a deployment that needs the canary to be read."""
    return (
        f'<!DOCTYPE data [<!ENTITY name SYSTEM "{canary.as_uri()}"><!ENTITY laugh "{"ha" * 100}">]>\n'
        + VALID.replace("localhost", use)
    )


def test_external_entity_is_not_read(canary: Path) -> None:
    """An external entity is refused and its file is never opened."""
    assert refused(entity_file(canary, "&name;")).message.startswith("a document type")


@pytest.mark.parametrize("use", ["&name;", "&laugh;", "localhost"])
def test_external_entity_is_not_read_by_the_parser(
    canary: Path, use: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Should the search for a document type ever miss one, the parser refuses it all the same."""
    monkeypatch.setattr(xml, "_DOCUMENT_TYPE", re.compile(r"(?!)"))
    error = refused(entity_file(canary, use))
    assert error.message == "a document type (<!DOCTYPE>) is not allowed"


@pytest.mark.parametrize(
    "text",
    [
        "<!---->" * 500_000,
        "<!-- " * 500_000,
        "<?a?>" * 500_000,
        "<?a " * 500_000,
        " <!---->" * 400_000 + "<",
        " " * 4_000_000,
    ],
    ids=["comments", "open comments", "instructions", "open instructions", "mixed", "spaces"],
)
def test_long_prologs_take_no_time(text: str) -> None:
    """The search for a document type is linear: the time limit of the tests would find it out."""
    assert refused(text).message.startswith("malformed XML: ")


def test_long_names_take_no_time() -> None:
    """Looking for what was meant is no way to keep the reader busy."""
    error = refused(f"<data><{'actors' * 8_000}/></data>")
    assert error.message == f"unknown element <{('actors' * 11)[:60]}...> in <data>"
    assert error.hint is not None
    assert error.hint.startswith("allowed in <data>: <actors>, <servers>, <channel>")


def test_messages_are_safe_to_print() -> None:
    """What a terminal would obey is shown escaped."""
    assert refused(VALID.replace("Ping", "\x9b2J")).message == r"<name> is not a legal name: '\x9b2J'"


def test_schema_is_shipped_and_well_formed() -> None:
    """The schema lies in the package and describes a valid file."""
    assert describes(VALID)
