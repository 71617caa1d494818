"""Reads a deployment file.

The file comes from whoever writes deployments, so it is judged before it is used: a
document type is refused before the parser sees it, since that is what entities, and with
them other files and exponential growth, come from; and all that is not in the language
that ``schema.xsd`` describes is an error. The reader does not use the schema, as its own
messages can say what would be right; a test holds the two together. What the values mean
together is for ``checks``.
"""

from __future__ import annotations

import re
from pathlib import Path

from lxml import etree

from eactors.deployment.elements import Element
from eactors.deployment.errors import DeploymentError
from eactors.deployment.hints import printable
from eactors.deployment.limits import CPUS, IDS
from eactors.deployment.model import DeployedActor, Deployment, EnclaveShare, Server, Worker
from eactors.deployment.xml_settings import (
    SETTINGS,
    read_actor_settings,
    read_channel,
    read_directory,
    read_enclave_settings,
    read_key,
    read_network,
    read_param,
    read_pool,
    read_requirement,
    read_store,
    read_trust,
    read_wait,
)

SCHEMA = Path(__file__).with_name("schema.xsd")
"""The XML Schema of deployment files, for editors and other tools."""

_LARGEST_FILE = 4 * 2**20
# The groups are atomic: without that, a file of many comments would take for ever.
_DOCUMENT_TYPE = re.compile(r"(?>[ \t\r\n]+|<!--(?>.*?-->)|<\?(?>.*?\?>))*(?P<start><!DOCTYPE)", re.DOTALL)
_SCHEMA_LOCATION = "{http://www.w3.org/2001/XMLSchema-instance}noNamespaceSchemaLocation"


def read(path: Path | str) -> Deployment:
    """Read the deployment file at ``path``.

    Raises:
        DeploymentError: If it cannot be read or is not a deployment; it names the file, the
            line, the culprit and what would be right.
    """
    file = str(path)
    try:
        with Path(path).open("rb") as stream:
            data = stream.read(_LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise DeploymentError(
            f"cannot read the deployment: {reason}", file=file, hint="give the path of a deployment XML file"
        ) from error
    return parse(data, file)


def parse(data: bytes, file: str) -> Deployment:
    """Read the deployment in ``data``; ``file`` is what errors call it.

    Raises:
        DeploymentError: If it is not a deployment.
    """
    root = Element(_tree(data, file), file)
    root.is_called("data", parent="a deployment file")
    root.holds("actors", "servers", *SETTINGS, attributes=(_SCHEMA_LOCATION,))
    actors = root.only("actors", "<actors>...</actors>")
    actors.holds("actor")
    servers = root.only("servers", "<servers>...</servers>")
    servers.holds("server")
    return Deployment(
        file=file,
        actors=tuple(_actor(element) for element in actors.all("actor")),
        servers=tuple(_server(element) for element in servers.all("server")),
        channels=tuple(read_channel(element) for element in root.all("channel")),
        pools=tuple(read_pool(element) for element in root.all("pool")),
        waits=tuple(read_wait(element) for element in root.all("wait")),
        params=tuple(read_param(element) for element in root.all("param")),
        enclave_settings=tuple(read_enclave_settings(element) for element in root.all("enclave-settings")),
        actor_settings=tuple(read_actor_settings(element) for element in root.all("actor-settings")),
        keys=tuple(read_key(element) for element in root.all("key")),
        requirements=tuple(read_requirement(element) for element in root.all("requires")),
        trusts=tuple(read_trust(element) for element in root.all("trust")),
        directories=tuple(read_directory(element) for element in root.all("directory")),
        networks=tuple(read_network(element) for element in root.all("network")),
        stores=tuple(read_store(element) for element in root.all("store")),
    )


def _tree(data: bytes, file: str) -> etree._Element:
    """Return the root element of ``data``, which has no document type."""
    if len(data) > _LARGEST_FILE:
        raise DeploymentError(
            f"the file is larger than {_LARGEST_FILE} bytes", file=file, hint="is it a deployment file?"
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DeploymentError(
            "the file is not UTF-8 text",
            file=file,
            line=data.count(b"\n", 0, error.start) + 1,
            hint="save it in the encoding UTF-8",
        ) from error
    if document_type := _DOCUMENT_TYPE.match(text):
        raise _no_document_type(file, text.count("\n", 0, document_type.start("start")) + 1)
    # The encoding is fixed: in any other, the search above would have read a different text.
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError as error:
        fault = re.sub(r", line \d+, column \d+$", "", printable(error.msg or "no XML"))
        raise DeploymentError(
            f"malformed XML: {fault}",
            file=file,
            line=error.lineno or None,
            hint="every element must be closed, in the reverse order of opening; '<' and '&' are"
            " written '&lt;' and '&amp;'",
        ) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise _no_document_type(file, 1)
    return root


def _no_document_type(file: str, line: int) -> DeploymentError:
    return DeploymentError(
        "a document type (<!DOCTYPE>) is not allowed",
        file=file,
        line=line,
        hint="delete it and write out what its entities stand for: a deployment refers to no other file",
    )


def _actor(element: Element) -> DeployedActor:
    element.holds("id", "name", "class")
    class_name = element.optional("class")
    return DeployedActor(
        id=_id(element),
        name=element.only("name", "<name>Ping</name>").leaf().name(),
        line=element.line,
        class_name=None if class_name is None else class_name.leaf().name(),
    )


def _server(element: Element) -> Server:
    element.holds("ip", "workers")
    address = element.only("ip", "<ip>localhost</ip>").leaf().address()
    workers = element.only("workers", "<workers>...</workers>")
    workers.holds("worker")
    return Server(address, tuple(_worker(worker) for worker in workers.all("worker")), element.line)


def _worker(element: Element) -> Worker:
    element.holds("id", "cpus", "enclave")
    number = _id(element)
    cpus: tuple[int, ...] = ()
    if (listed := element.optional("cpus")) is not None:
        listed.holds("cpu")
        cpus = tuple(cpu.leaf().number(CPUS) for cpu in listed.all("cpu"))
    return Worker(number, cpus, tuple(_share(share) for share in element.all("enclave")), element.line)


def _share(element: Element) -> EnclaveShare:
    element.holds("id", "actors")
    enclave = _id(element)
    listed = element.only("actors", "<actors><actor>Ping</actor></actors>")
    listed.holds("actor")
    actors = listed.all("actor")
    return EnclaveShare(
        enclave=enclave,
        actors=tuple(actor.leaf().name() for actor in actors),
        line=element.line,
        actor_lines=tuple(actor.line for actor in actors),
    )


def _id(element: Element) -> int:
    return element.only("id", "<id>0</id>").leaf().number(IDS)
