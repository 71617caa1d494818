"""A strict cursor over one XML element.

The rule of this file: nothing in a deployment is ever ignored. Whoever reads an element
first says all that it may hold, and the cursor refuses everything else, with the line and
with what would be right.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from eactors.deployment.errors import DeploymentError
from eactors.deployment.hints import nearest, quoted, tagged
from eactors.deployment.values import WHITESPACE, Value

if TYPE_CHECKING:
    from lxml import etree

_QUALIFIED = re.compile(r"\{([^}]*)\}(.*)", re.DOTALL)


class Element:
    """One element, its attributes and its child elements.

    Attributes:
        file: The file it stands in.
        line: The line that its start tag ends on, from 1.
        tag: Its name, in angle brackets.
    """

    def __init__(self, node: etree._Element, file: str) -> None:
        """Point at ``node``, which stands in ``file``."""
        self._node = node
        self._children: dict[str, list[Element]] = {}
        self.file = file
        # The stubs leave the type of sourceline open; it is None only where no file was read.
        self.line = cast("int | None", node.sourceline) or 1
        self.tag = tagged(node.tag)

    def fail(self, message: str, hint: str) -> DeploymentError:
        """Return an error about this element."""
        return DeploymentError(message, file=self.file, line=self.line, hint=hint)

    def is_called(self, *names: str, parent: str) -> None:
        """Refuse this element unless it has one of ``names``."""
        name = self._node.tag
        if name in names:
            return
        allowed = ", ".join(tagged(each) for each in names) or "no elements"
        rule = f"allowed in {parent}: {allowed}"
        if namespaced := _QUALIFIED.fullmatch(name):
            namespace, name = namespaced.groups()
            raise self.fail(
                f"{tagged(name)} is in the namespace {quoted(namespace)}",
                "a deployment has no namespace: delete the xmlns attribute or the prefix",
            )
        guess = nearest(name, names)
        raise self.fail(
            f"unknown element {self.tag} in {parent}",
            rule if guess is None else f"did you mean {tagged(guess)}? {rule}",
        )

    def holds(self, *names: str, attributes: tuple[str, ...] = ()) -> None:
        """Say that this element holds the elements ``names`` and no text; refuse all else."""
        self.attributes(optional=attributes)
        self._refuse_text(self._node.text, names, self.line)
        self._children = {name: [] for name in names}
        for node in self._node:
            child = Element(node, self.file)
            child.is_called(*names, parent=self.tag)
            self._refuse_text(node.tail, names, child.line)
            self._children[node.tag].append(child)

    def all(self, name: str) -> list[Element]:
        """Return the child elements called ``name``, in the order of the file."""
        return self._children[name]

    def optional(self, name: str) -> Element | None:
        """Return the child element called ``name``, or None; refuse two."""
        found = self._children[name]
        if len(found) > 1:
            raise found[1].fail(
                f"{tagged(name)} stands twice in {self.tag}: here and in line {found[0].line}",
                "delete one of the two",
            )
        return found[0] if found else None

    def only(self, name: str, example: str) -> Element:
        """Return the one child element called ``name``; ``example`` is what to write if it is missing."""
        child = self.optional(name)
        if child is None:
            raise self.fail(f"{self.tag} has no {tagged(name)}", f"add {example} to this {self.tag}")
        return child

    def leaf(self) -> Value:
        """Return the text of this element, which holds nothing else and has no attributes."""
        self.attributes()
        return self.text()

    def text(self) -> Value:
        """Return the text of this element, which holds nothing else."""
        for node in self._node:
            child = Element(node, self.file)
            raise child.fail(
                f"unknown element {child.tag} in {self.tag}", f"this {self.tag} holds a text and no elements"
            )
        return self._value(self._node.text or "", self.tag)

    def settings(self, *required: str, optional: tuple[str, ...] = ()) -> dict[str, Value]:
        """Return the attributes of this element, which holds nothing else."""
        attributes = self.attributes(*required, optional=optional)
        for child in self._node:
            Element(child, self.file).is_called(parent=self.tag)
        self._refuse_text(self._node.text, (), self.line)
        return attributes

    def attributes(self, *required: str, optional: tuple[str, ...] = ()) -> dict[str, Value]:
        """Return the attributes; refuse all that are not named, and the lack of a required one."""
        names = (*required, *optional)
        written = {str(name): str(text) for name, text in self._node.attrib.items()}
        for name in written:
            if name not in names:
                raise self._unknown_attribute(name, names)
        for name in required:
            if name not in written:
                raise self.fail(f"{self.tag} has no attribute {name}", f'add {name}="..." to this {self.tag}')
        return {name: self._value(text, f"{name} of {self.tag}") for name, text in written.items()}

    def _value(self, text: str, what: str) -> Value:
        return Value(text.strip(WHITESPACE), what, self.file, self.line)

    def _unknown_attribute(self, written: str, names: tuple[str, ...]) -> DeploymentError:
        plain = [name for name in names if not name.startswith("{")]
        rule = f"allowed in {self.tag}: {', '.join(plain)}" if plain else f"{self.tag} has no attributes"
        guess = nearest(written, plain)
        return self.fail(
            f"unknown attribute {quoted(written)} of {self.tag}",
            rule if guess is None else f"did you mean {guess}? {rule}",
        )

    def _refuse_text(self, text: str | None, names: tuple[str, ...], line: int) -> None:
        stray = (text or "").strip(WHITESPACE)
        if stray:
            holds = " and ".join(tagged(name) for name in names)
            rule = f"{self.tag} holds only {holds}" if holds else f"{self.tag} holds nothing: end it with />"
            raise DeploymentError(
                f"stray text in {self.tag}: {quoted(stray)}", file=self.file, line=line, hint=rule
            )
