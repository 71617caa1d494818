"""One value of a deployment file, a text or an attribute, and the forms it may have.

Whitespace is XML's four characters, not Python's thirty, digits are ASCII, and the patterns
name their characters one by one: the reader and ``schema.xsd`` must agree on every file,
whatever version of Unicode either was built with.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from eactors.deployment.errors import DeploymentError
from eactors.deployment.hints import did_you_mean, quoted
from eactors.deployment.model import Rate

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")

WHITESPACE = " \t\r\n"

# Spaces that are not XML's, controls, and characters that are invisible or turn the
# direction of writing: two names that look the same should be the same.
_INVISIBLE = (
    "\x00-\x20\x7f-\xa0\xad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ufff9-\ufffb"
)
# What no name has, besides "!" to "/"; of those, "." and "-" may stand after the first place.
_PUNCTUATION = r":-@\[\\\]\^`{-~"
NAME = re.compile(rf"[^!-/{_PUNCTUATION}{_INVISIBLE}][^!-,/{_PUNCTUATION}{_INVISIBLE}]{{0,254}}")
ADDRESS = re.compile(rf"[^{_INVISIBLE}]{{1,255}}")
# Visible characters with spaces between.
_UNSEEN = _INVISIBLE.replace("\x20", "\x1f", 1)
PATH = re.compile(rf"[^{_INVISIBLE}](?:[^{_UNSEEN}]*[^{_INVISIBLE}])?")
# A name without dots and dashes, and without a digit in front, as Python has it.
_IDENTIFIER = rf"[^!-@\[\\\]\^`{{-~{_INVISIBLE}][^!-/{_PUNCTUATION}{_INVISIBLE}]*"
MODULE = re.compile(rf"(?=.{{1,255}}\Z){_IDENTIFIER}(?:\.{_IDENTIFIER})*(?::{_IDENTIFIER})?")
_NUMBER = re.compile(r"[0-9]{1,10}")
_RATE = re.compile(rf"([1-9][0-9]{{0,3}})[{WHITESPACE}]+per[{WHITESPACE}]+([1-9][0-9]{{0,4}})")
_SIZE = re.compile(rf"([1-9][0-9]{{0,11}})[{WHITESPACE}]*(KiB|MiB|GiB)?")
_UNITS = {None: 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_WORD = re.compile(rf"[^{WHITESPACE}]+")

_NAME_RULE = "a name is 1 to 255 letters, digits, '_', '.' or '-', and begins with neither '.' nor '-'"


@dataclass(frozen=True, slots=True)
class Value:
    """A value as written, without the whitespace around it.

    Attributes:
        text: The value.
        what: What messages call it, such as ``capacity of <channel>``.
        file: The file it stands in.
        line: The line of its element.
    """

    text: str
    what: str
    file: str
    line: int

    def fail(self, message: str, hint: str) -> DeploymentError:
        """Return an error about this value."""
        return DeploymentError(f"{self.what} {message}", file=self.file, line=self.line, hint=hint)

    def number(self, limits: range) -> int:
        """Return the value as a number within ``limits``."""
        rule = f"write a number from {limits.start} to {limits.stop - 1}"
        if not self.text:
            raise self.fail("is empty", rule)
        if not re.fullmatch(r"-?[0-9]+", self.text):
            raise self.fail(f"is not a number: {quoted(self.text)}", rule)
        # The pattern first: Python takes seconds for a number of a million digits, or refuses it.
        if not _NUMBER.fullmatch(self.text) or int(self.text) not in limits:
            raise self.fail(f"is out of range: {quoted(self.text)}", rule)
        return int(self.text)

    def name(self) -> str:
        """Return the value as a name."""
        return self._matching(NAME, "name", _NAME_RULE)

    def address(self) -> str:
        """Return the value as the address of a machine."""
        return self._matching(ADDRESS, "address", "write an IP address or a host name, such as localhost")

    def names(self) -> tuple[str, ...]:
        """Return the value as one or more names with whitespace between."""
        if not self.text:
            raise self.fail("is empty", "write one name or several, with spaces between")
        return tuple(Value(word, self.what, self.file, self.line).name() for word in _WORD.findall(self.text))

    def path(self) -> str:
        """Return the value as a path."""
        return self._matching(PATH, "path", "write a path, relative to the deployment file")

    def module(self) -> str:
        """Return the value as the name of a module, or of a name in one."""
        return self._matching(MODULE, "module", "write package.module, or module:NAME")

    def pair(self) -> tuple[str, str]:
        """Return the value as two names with whitespace between."""
        words = _WORD.findall(self.text)
        if len(words) != 2:  # noqa: PLR2004 - a pair has two
            raise self.fail(
                f"does not name two actors: {quoted(self.text)}",
                'write both names with a space between, such as between="Ping Pong"',
            )
        first, second = (Value(word, self.what, self.file, self.line).name() for word in words)
        return first, second

    def rate(self) -> Rate:
        """Return the value as how often something may happen."""
        if (written := _RATE.fullmatch(self.text)) is None:
            raise self.fail(
                f"is not how often: {quoted(self.text)}",
                "write times and seconds, such as '3 per 60': at most 9999 times, within 99999 seconds",
            )
        return Rate(int(written[1]), int(written[2]))

    def size(self) -> int:
        """Return the value as a number of bytes."""
        if (written := _SIZE.fullmatch(self.text)) is None:
            raise self.fail(
                f"is not a size: {quoted(self.text)}",
                "write a number of bytes, or of KiB, MiB or GiB, such as '64 MiB'",
            )
        return int(written[1]) * _UNITS[written[2]]

    def choice(self, choices: Mapping[str, T]) -> T:
        """Return the one of ``choices`` that the value names."""
        if self.text not in choices:
            allowed = "write " + " or ".join(quoted(choice) for choice in choices)
            raise self.fail(f"cannot be {quoted(self.text)}", did_you_mean(self.text, choices, allowed))
        return choices[self.text]

    def _matching(self, pattern: re.Pattern[str], kind: str, rule: str) -> str:
        if not self.text:
            raise self.fail("is empty", rule)
        if not pattern.fullmatch(self.text):
            raise self.fail(f"is not a legal {kind}: {quoted(self.text)}", rule)
        return self.text
