"""The schema of deployment files, for tests that hold the reader to it."""

from __future__ import annotations

from lxml import etree

from eactors.deployment import xml

SCHEMA = etree.XMLSchema(etree.parse(xml.SCHEMA))


def describes(text: str | bytes) -> bool:
    """Tell whether a text is well-formed XML and fits the schema."""
    try:
        tree = etree.fromstring(text if isinstance(text, bytes) else text.encode())
    except etree.XMLSyntaxError:
        return False
    return SCHEMA.validate(tree)
