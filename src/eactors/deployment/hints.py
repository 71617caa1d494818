"""Words for error messages: what was written, shown safely, and what was probably meant."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# difflib is cubic in the length of the words and runs once per candidate; a hostile file
# must not make an error message take minutes.
_LONGEST_WORD = 64
_MOST_CANDIDATES = 1000
_SHOWN = 60


def printable(text: str) -> str:
    """Return ``text`` on one line and with what would upset a terminal escaped."""
    words = " ".join(text.split())
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in words)


def quoted(text: str) -> str:
    """Return ``text`` in quotes, short, and with what would upset a terminal escaped."""
    shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
    return repr(shown)


def tagged(name: str) -> str:
    """Return ``<name>``, short, and with what would upset a terminal escaped."""
    return f"<{quoted(name)[1:-1]}>"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the one of ``known`` that ``word`` is probably a misspelling of, or None."""
    if len(word) > _LONGEST_WORD:
        return None
    lengths = range(len(word) // 2, 2 * len(word) + 1)
    candidates = [name for name in known if len(name) in lengths][:_MOST_CANDIDATES]
    folded = {name.casefold(): name for name in candidates}
    found = difflib.get_close_matches(word.casefold(), folded, n=1)
    return folded[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str], otherwise: str) -> str:
    """Return a hint: the nearest of ``known``, if there is one, and then ``otherwise``."""
    guess = nearest(word, known)
    return otherwise if guess is None else f"did you mean {quoted(guess)}? {otherwise}"
