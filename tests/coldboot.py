"""Finding keys in the memory of processes, as who has frozen a machine's memory does.

After Halderman et al., "Lest We Remember: Cold Boot Attacks on Encryption Keys" (USENIX Security
2008), and their program aeskeyfind: a cipher keeps the round keys that it has expanded its key
to, and no other bytes obey the rule by which they follow from each other. Here all places are
tried at once: three of four words of a schedule are the exclusive or of two earlier ones, so
memory, taken as one long number, is combined with itself shifted, and zeros are where that holds.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORD, _ROUND = 4, 16
# In 32-bit words: of the key, of the whole schedule (FIPS 197, section 5.2).
_SIZES = {16: (4, 44), 32: (8, 60)}


def _sbox() -> bytes:
    """FIPS 197, section 5.1.1: the inverse in GF(2^8), and an affine map; 3 generates the field."""
    table, power, inverse = bytearray(256), 1, 1
    while True:
        power ^= power << 1 & 0xFF ^ (0x1B if power & 0x80 else 0)
        for shift in (1, 2, 4):
            inverse ^= inverse << shift & 0xFF
        inverse ^= 0x09 if inverse & 0x80 else 0
        turned = [(inverse << count | inverse >> 8 - count) & 0xFF for count in range(5)]
        table[power] = turned[0] ^ turned[1] ^ turned[2] ^ turned[3] ^ turned[4] ^ 0x63
        if power == 1:
            break
    table[0] = 0x63
    return bytes(table)


_SBOX = _sbox()


def schedule(key: bytes) -> bytes:
    """Expand an AES key to its round keys."""
    own, whole = _SIZES[len(key)]
    words = [int.from_bytes(key[at : at + _WORD], "big") for at in range(0, len(key), _WORD)]
    constant = 1
    for number in range(own, whole):
        word = words[-1]
        if number % own == 0:
            word = (word << 8 | word >> 24) & 0xFFFFFFFF
        if number % own == 0 or (own == 8 and number % own == 4):
            word = int.from_bytes(word.to_bytes(_WORD, "big").translate(_SBOX), "big")
        if number % own == 0:
            word ^= constant << 24
            constant = constant << 1 ^ (0x11B if constant & 0x80 else 0)
        words.append(words[number - own] ^ word)
    return b"".join(word.to_bytes(_WORD, "big") for word in words)


def round_keys(key: bytes) -> list[bytes]:
    """Return the round keys of an AES key, itself among them."""
    expanded = schedule(key)
    return [expanded[at : at + _ROUND] for at in range(0, len(expanded), _ROUND)]


def aes_keys(memory: bytes, size: int) -> set[bytes]:
    """Find the AES keys of this many bytes whose round keys lie anywhere in memory."""
    own, whole = _SIZES[size]
    number = int.from_bytes(memory, "little")
    # Zero wherever a word is that `own` before it, exclusive or the one before it.
    combined = number ^ number >> 8 * _WORD * own ^ number >> 8 * _WORD * (own - 1)
    zeros = combined.to_bytes(len(memory), "little")
    # Three words of four obey; the fourth goes through the S-box, which also excludes empty memory.
    obeys = re.compile(rb"(?:\0{12}(?!\0{4})[\s\S]{4}){%d}\0{12}" % (whole // 4 - own // 4 - 1))
    found = set()
    for match in obeys.finditer(zeros):
        start = match.start() - _WORD
        key = memory[start : start + size]
        if start >= 0 and memory[start : start + _WORD * whole] == schedule(key):
            found.add(key)
    return found


class Memory:
    """What a process can write: a copy of every such mapping.

    What nobody can write comes from files that anybody may read.

    Attributes:
        own: The mappings that are its own, by their line in ``/proc/PID/maps``.
        shared: Those that it shares with others.
    """

    def __init__(self, pid: int) -> None:
        self.own: dict[str, bytes] = {}
        self.shared: dict[str, bytes] = {}
        maps = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8", errors="surrogateescape")
        with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as file:
            for line in maps.splitlines():
                found = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw.([ps])", line)
                if found is not None:
                    start, end = (int(address, 16) for address in found.groups()[:2])
                    kept = self.own if found[3] == "p" else self.shared
                    file.seek(start)
                    kept[line] = file.read(end - start)

    def __iter__(self) -> Iterator[bytes]:
        """Yield all of it."""
        yield from self.own.values()
        yield from self.shared.values()

    def __contains__(self, secret: bytes) -> bool:
        """Tell whether these bytes are anywhere."""
        return any(secret in part for part in self)

    def aes_keys(self, size: int) -> set[bytes]:
        """Find the AES keys of this many bytes."""
        return {key for part in self for key in aes_keys(part, size)}

    def windows(self, size: int) -> set[bytes]:
        """Return whatever could be a key: so many aligned bytes of its own, of which few are alike."""
        varied = size // 2
        found = set()
        for part in self.own.values():
            for at in range(0, len(part) - size + 1, 8):
                window = part[at : at + size]
                if len(set(window)) >= varied:
                    found.add(window)
        return found
