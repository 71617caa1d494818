"""A reader of stores, written from docs/design/store-format.md: no code is shared with the store.

It reads slowly and believes nothing: whatever the page says of a store that nobody has open is checked.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from cryptography.exceptions import InvalidTag
from tests import store_crypto

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK, HOUSE, DATA = 256, 16, 240
FIRST = 32
FANOUT, LEVELS, HASH = 16, 32, 16
RECORD = 1 << 31
LONGEST_KEY, LARGEST_VALUE = 1024, 16 << 20
SEALED = store_crypto.NONCE + store_crypto.TAG
NO_FILE = 2**64 - 1


class Damaged(Exception):  # noqa: N818 - what the reader says of a store
    """The store is not as the page says."""


class Root(NamedTuple):
    """Where a version of the store begins."""

    version: int
    commit: int


class Commit(NamedTuple):
    """What a commit says."""

    version: int
    trie: int
    key_id: int
    keys: int
    records: int
    branches: int


class StoreReader:
    """One store, as its file is.

    Args:
        image: The file.
        boot: The boot id of the kernel now.
        key: Its key, if it is encrypted.

    Attributes:
        commit: Of the version that holds.
        items: All keys with their values.

    Raises:
        Damaged: Something in it is not as it has to be.
    """

    def __init__(self, image: bytes, boot: bytes = b"", key: bytes | None = None) -> None:
        self._image, self._boot, self._key = image, boot, key
        self._read_fixed()
        self._reached: set[int] = set()
        self._counts = {"records": 0, "branches": 0}
        root = self._root()
        self.commit = self._read_commit(root)
        self.items = dict(self._walk(self.commit.trie, b"", self._trie_tag))
        self._check_counts()
        self._check_house()

    # ---- the header ----

    def _number(self, at: int, size: int) -> int:
        return int.from_bytes(self._image[at : at + size], "little")

    def _check(self, at: int, size: int) -> bool:
        expected = store_crypto.siphash(bytes(16), self._image[at : at + size])[:8]
        return self._image[at + size : at + size + 8] == expected

    def _read_fixed(self) -> None:
        _demand(self._image[:7] == b"EASTORE", "it is no store")
        _demand(self._image[7] == 1, "it is of another version")
        _demand(self._check(0, 56), "the header's check is wrong")
        _demand(self._number(8, 4) == BLOCK, "blocks have another size")
        self.limit = self._number(12, 4)
        _demand(FIRST < self.limit < RECORD, "its limit is impossible")
        _demand(len(self._image) >= self.limit * BLOCK, "it is cut short")
        self.id, self._seed = self._image[16:32], self._image[32:48]
        self.encrypted, self.detects = self._flag(48), self._flag(52)
        _demand(self.encrypted or not self.detects, "branches are authenticated without a key")
        _demand(not self.encrypted or self._key is not None, "it is encrypted, and there is no key")
        self.in_order = not self._flag(1552)
        self.fresh, self.usable = self._number(2368, 4), self._number(2372, 4)
        for slot in range(4096, 8192, 128):
            self._flag(slot)

    def _flag(self, at: int) -> bool:
        value = self._number(at, 4)
        _demand(value in {0, 1}, f"byte {at}: {value} is neither 0 nor 1")
        return value == 1

    def slots(self) -> list[Root]:
        """The slots whose check is right, the newer one first."""
        right = [at for at in (512, 1024) if self._check(at, 16)]
        return sorted((Root(self._number(at, 8), self._number(at + 8, 4)) for at in right), reverse=True)

    def _root(self) -> Root:
        slots = self.slots()
        _demand(bool(slots), "both slots are wrong")
        self.fell_back = not self.in_order and self._image[1536:1552] != self._boot
        if self.fell_back:
            return slots[0]
        durable, word = self._number(2176, 8), self._number(2048, 8)
        root = Root(word >> 32, word & 0xFFFFFFFF)
        if self.in_order and durable != NO_FILE:
            _demand(durable == slots[0].version, "durable is not the newer slot's version")
            _demand(root == (durable & 0xFFFFFFFF, slots[0].commit), "it was closed and not synced")
        return root

    # ---- what the root leads to ----

    def _block(self, index: int, why: str) -> bytes:
        """A block's data; each block is there for one thing only."""
        _demand(FIRST <= index < self.limit, f"{why}: there is no block {index}")
        _demand(index not in self._reached, f"{why}: block {index} is reached twice")
        self._reached.add(index)
        return self._image[index * BLOCK + HOUSE : (index + 1) * BLOCK]

    def _next(self, index: int) -> int:
        return self._number(index * BLOCK + 4, 4)

    def _read_commit(self, root: Root) -> Commit:
        data = self._block(root.commit, "the commit")
        commit = Commit(*struct.unpack_from("<QIIQQQ", data))
        self._trie_tag, tag = data[40:48], data[48:64]
        _demand(commit.version & 0xFFFFFFFF == root.version & 0xFFFFFFFF, "the commit has another version")
        if commit.version == 1:  # made by who has no key
            _demand(not any(data[8:64]), "the first commit is not empty")
        else:
            _demand(tag == self._commit_tag(data[:48] + data[64:152]), "the commit's tag is wrong")
        _demand(commit.trie & RECORD == 0, "the trie's root is a record")
        return commit

    def _walk(self, reference: int, path: bytes, tag: bytes) -> Iterator[tuple[bytes, bytes]]:
        """All below a reference to which those four-bit numbers lead."""
        if reference & RECORD:
            yield self._record(reference ^ RECORD, path, tag)
        elif reference:
            yield from self._branch(reference, path, tag)
        else:
            _demand(tag == bytes(8), "nothing has a tag")

    def _branch(self, index: int, path: bytes, tag: bytes) -> Iterator[tuple[bytes, bytes]]:
        level, data = len(path), self._block(index, "a branch")
        _demand(level < LEVELS, f"branch {index} is below the last level")
        self._counts["branches"] += 1
        references, *halves = (data[48 + 64 * ((index + each) % 3) :][:64] for each in range(3))
        tags = b"".join(halves) if self.detects else bytes(128)  # without, they mean nothing
        _demand(tag == self._branch_tag(level, references, tags), f"branch {index}: its tag is wrong")
        below = 0
        for nibble, reference in enumerate(struct.unpack("<16I", references)):
            for item in self._walk(reference, path + bytes((nibble,)), tags[8 * nibble : 8 * nibble + 8]):
                below += 1
                yield item
        _demand(below >= (2 if level else 1), f"branch {index} has {below} records below it")

    def _record(self, first: int, path: bytes, tag: bytes) -> tuple[bytes, bytes]:
        blocks, content = [first], self._block(first, "a record")
        head = content[:24]
        hashed, (value_size, key_size, flags) = head[:HASH], struct.unpack_from("<IHH", head, HASH)
        _demand(flags == 0, f"record {first} has flags")
        _demand(key_size <= LONGEST_KEY and value_size <= LARGEST_VALUE, f"record {first} is too large")
        nibbles = [half for byte in hashed for half in (byte & 15, byte >> 4)]
        _demand(bytes(nibbles[: len(path)]) == path, f"record {first} stands where it does not belong")
        size = len(head) + (SEALED if self.encrypted else 0) + key_size + value_size
        parts = [content]
        while len(parts) * DATA < size:
            blocks.append(self._next(blocks[-1]))
            parts.append(self._block(blocks[-1], f"record {first}"))
        _demand(self._next(blocks[-1]) == 0, f"record {first} has too many blocks")
        self._counts["records"] += len(blocks)
        text, own_tag = self._unsealed(first, head, b"".join(parts)[len(head) : size])
        _demand(tag == own_tag, f"record {first}: its tag is not the one in its branch")
        key = text[:key_size]
        _demand(self.hash_of(key) == hashed, f"record {first}: its hash is of another key")
        return key, text[key_size:]

    # ---- cryptography ----

    def hash_of(self, key: bytes) -> bytes:
        """The hash of a key, as its record has it."""
        if self._key is not None and self.encrypted:
            return store_crypto.hash_of(self._key, self.id, key)
        return store_crypto.siphash(self._seed, key)

    def _unsealed(self, first: int, head: bytes, body: bytes) -> tuple[bytes, bytes]:
        """Key and value, and the tag that the record's branch has of it."""
        if self._key is None or not self.encrypted:
            return body, bytes(8)
        try:
            text = store_crypto.unseal(self._key, self.id, head, body)
        except InvalidTag as error:
            raise Damaged(f"record {first} is not authentic") from error
        own = body[store_crypto.NONCE : store_crypto.NONCE + 8]
        return text, own if self.detects else bytes(8)

    def _branch_tag(self, level: int, references: bytes, tags: bytes) -> bytes:
        if self._key is None or not self.detects:
            return bytes(8)
        return store_crypto.branch_tag(self._key, self.id, level, references, tags)

    def _commit_tag(self, commit: bytes) -> bytes:
        if self._key is None or not self.detects:
            return bytes(16)
        return store_crypto.commit_tag(self._key, self.id, commit)

    # ---- the whole ----

    def _check_counts(self) -> None:
        counted = (len(self.items), self._counts["records"], self._counts["branches"])
        said = (self.commit.keys, self.commit.records, self.commit.branches)
        _demand(counted == said, f"keys and blocks are {counted}, and the commit says {said}")

    def _check_house(self) -> None:
        """Of a store that was closed in order: what is free, and that everything is free or in use."""
        if not self.in_order:
            return
        _demand(max(self._reached) < self.fresh <= self.usable <= self.limit, "fresh or usable are wrong")
        free: set[int] = set()
        for top in (2240, 2304):
            index = self._number(top, 4)
            while index:
                _demand(FIRST <= index < self.fresh, f"block {index} is free, and was never used")
                _demand(index not in free | self._reached, f"block {index} is free twice, or in use")
                free.add(index)
                index = self._next(index)
        self.lost = self.fresh - FIRST - len(free | self._reached)


def _demand(condition: bool, otherwise: str) -> None:  # noqa: FBT001 - it reads as a sentence
    if not condition:
        raise Damaged(otherwise)
